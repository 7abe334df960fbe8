// SPDX-License-Identifier: MIT
//
// Choosing when a key expires: one of the usual spans, or a time of one's own.
import { el } from './dom.js';

const HOUR = 3600_000;
const OWN = 'own';
const CHOICES = [
  ['', 'Never'],
  [String(HOUR), 'In 1 hour'],
  [String(24 * HOUR), 'In 1 day'],
  [String(7 * 24 * HOUR), 'In 7 days'],
  [String(30 * 24 * HOUR), 'In 30 days'],
  [String(90 * 24 * HOUR), 'In 90 days'],
  [String(365 * 24 * HOUR), 'In 1 year'],
  [OWN, 'At a time of your choice'],
];

/** As an <input type="datetime-local"> has it: local time, without a zone. */
const localText = (ms) => new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

function control(field, id, describedBy) {
  const time = el('input', { type: 'datetime-local', 'aria-label': 'Date and time', min: localText(Date.now()), value: localText(Date.now() + 30 * 24 * HOUR), hidden: true });
  const span = el(
    'select',
    { id, name: field.name, 'aria-describedby': describedBy, onchange: () => (time.hidden = span.value !== OWN) },
    CHOICES.map(([value, label]) => el('option', { value }, label)),
  );
  const node = el('div', { class: 'expiry' }, span, time);
  node.focus = () => (time.hidden ? span : time).focus();
  return node;
}

const readSpans = new WeakMap(); // by field: the span that was read, and the end computed for it

/** A form that is sent again sends the same moment, so that it is the same idempotent request. */
function endOf(node, span) {
  const read = readSpans.get(node);
  if (read?.span === span && read.end > Date.now()) return read.end;
  const end = Date.now() + Number(span);
  readSpans.set(node, { span, end });
  return end;
}

function read(node) {
  const [span, time] = node.children;
  if (span.value === '') return null;
  return span.value === OWN ? Date.parse(time.value) : endOf(node, span.value);
}

export const expiryField = (extra = {}) => ({ name: 'expires_at', label: 'Expires', make: control, read, ...extra });

/** The API's value: a time, or null for never. A past time would expire the key at once. */
export function expiryFrom(ms) {
  if (ms === null) return null;
  if (ms > Date.now()) return new Date(ms).toISOString();
  throw Object.assign(new Error('Not a time to come'), { fields: { expires_at: 'Choose a time that is still to come.' } });
}
