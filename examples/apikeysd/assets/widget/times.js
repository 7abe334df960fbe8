// SPDX-License-Identifier: MIT
//
// Points in time, for people.

const UNITS = [
  ['year', 365 * 86400],
  ['month', 30 * 86400],
  ['week', 7 * 86400],
  ['day', 86400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
];

/** "3 days ago", "in 2 hours"; nearer than a minute is "now". */
export function relativeTime(date, locale, now = Date.now()) {
  const seconds = (date.getTime() - now) / 1000;
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  if (Math.abs(seconds) < 60) return format.format(0, 'second');
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length);
  return format.format(Math.trunc(seconds / size), unit);
}

export function absoluteTime(date, locale) {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(date);
}

/** Text from the service as a date; null for what is none. */
export function parseTime(text) {
  const date = typeof text === 'string' ? new Date(text) : null;
  return date && !Number.isNaN(date.getTime()) ? date : null;
}

/** A date as the value of a datetime-local field, which is in the reader's time zone. */
export function localFieldValue(date) {
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * 60000);
  return shifted.toISOString().slice(0, 16);
}
