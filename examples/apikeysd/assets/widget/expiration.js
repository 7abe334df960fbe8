// SPDX-License-Identifier: MIT
//
// The expiration field: never, after a span, or at a chosen time.
import { h, newId } from './dom.js';
import { absoluteTime, localFieldValue } from './times.js';

const HOUR = 3_600_000;
const PRESETS = [
  ['expireNever', null],
  ['expireHour', HOUR],
  ['expireDay', 24 * HOUR],
  ['expireThreeDays', 72 * HOUR],
  ['expireWeek', 168 * HOUR],
  ['expireCustom', 'custom'],
];

/** `current` is a date or null. `read()` gives a date, null for never, undefined if refused. */
export function expirationField(texts, current) {
  const ids = { select: newId('expiration'), date: newId('date'), hint: newId('hint') };
  const options = PRESETS.map(([name]) => h('option', { value: name }, texts.text(name)));
  const select = h('select', { id: ids.select, 'aria-describedby': ids.hint, onchange: show }, options);
  const date = h('input', {
    class: 'field',
    id: ids.date,
    type: 'datetime-local',
    'aria-describedby': ids.hint,
    oninput: show,
  });
  const custom = h(
    'div',
    { class: 'group' },
    h('label', { for: ids.date }, texts.text('customDate')),
    date,
  );
  const hint = h('p', { class: 'hint', id: ids.hint, 'aria-live': 'polite' });

  function chosen() {
    const span = PRESETS.find(([name]) => name === select.value)[1];
    if (span === null) return null;
    if (span !== 'custom') return new Date(Date.now() + span);
    const at = new Date(date.value);
    return Number.isNaN(at.getTime()) ? undefined : at;
  }
  function say(text, wrong) {
    hint.textContent = text;
    hint.className = wrong ? 'wrong' : 'hint';
    date.setAttribute('aria-invalid', String(wrong));
  }
  function show() {
    const at = chosen();
    custom.hidden = select.value !== 'expireCustom';
    if (at === undefined) say('', false);
    else if (at === null) say(texts.text('expiresNever'), false);
    else say(texts.text('expiresOn', { date: absoluteTime(at, texts.locale) }), false);
  }
  function refuse(name) {
    say(texts.text(name), true);
    date.focus();
    return undefined;
  }

  date.min = localFieldValue(new Date());
  date.value = localFieldValue(current ?? new Date(Date.now() + 30 * 24 * HOUR));
  select.value = current ? 'expireCustom' : 'expireNever';
  show();
  return {
    field: select,
    node: h(
      'div',
      { class: 'group' },
      h('label', { for: ids.select }, texts.text('expiration')),
      select,
      custom,
      hint,
    ),
    /** The choice itself: a span or a date. */
    choice: () => (select.value === 'expireCustom' ? date.value : select.value),
    read() {
      const at = chosen();
      if (at === undefined) return refuse('dateMissing');
      return at !== null && at.getTime() <= Date.now() ? refuse('datePast') : at;
    },
  };
}
