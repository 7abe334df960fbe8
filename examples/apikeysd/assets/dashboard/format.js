// SPDX-License-Identifier: MIT
import { el } from './dom.js';

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

const UNITS = [
  ['year', 365 * 86400],
  ['month', 30 * 86400],
  ['week', 7 * 86400],
  ['day', 86400],
  ['hour', 3600],
  ['minute', 60],
];

export function relativeText(iso, now = Date.now()) {
  const seconds = (Date.parse(iso) - now) / 1000;
  for (const [unit, size] of UNITS)
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  return seconds > 0 ? 'in less than a minute' : 'just now';
}

export const dateTime = (iso) => whole.format(new Date(iso));

/** "3 hours ago", kept up to date; the exact time is its title. */
export function ago(iso, otherwise = 'Never') {
  if (!iso) return el('span', { class: 'muted' }, otherwise);
  return el('time', { datetime: iso, title: dateTime(iso), 'data-relative': true }, relativeText(iso));
}

setInterval(() => {
  for (const node of document.querySelectorAll('time[data-relative]'))
    node.textContent = relativeText(node.dateTime);
}, 20_000);

export const code = (text) => el('code', {}, text);

/** Slugs as chips; beyond `most`, the number of the others. */
export function chips(slugs, most = Infinity) {
  if (slugs.length === 0) return el('span', { class: 'muted' }, 'None');
  const rest = slugs.slice(most);
  return el(
    'span',
    { class: 'chips' },
    slugs.slice(0, most).map((slug) => el('code', { class: 'chip' }, slug)),
    rest.length > 0 ? el('span', { class: 'chip', title: rest.join(', ') }, `+${rest.length}`) : null,
  );
}

export const badge = (text, tone = 'plain') => el('span', { class: `badge ${tone}` }, text);
