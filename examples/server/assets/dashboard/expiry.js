// SPDX-License-Identifier: MIT
//
// Choosing when a key expires.
const HOUR = 3600_000;
const CHOICES = [
  ['', 'Never'],
  [String(HOUR), 'In 1 hour'],
  [String(24 * HOUR), 'In 1 day'],
  [String(7 * 24 * HOUR), 'In 7 days'],
  [String(30 * 24 * HOUR), 'In 30 days'],
  [String(90 * 24 * HOUR), 'In 90 days'],
  [String(365 * 24 * HOUR), 'In 1 year'],
];

export const expiryField = (extra = {}) => ({ name: 'expires_in', label: 'Expires', type: 'select', options: CHOICES, ...extra });

/** What the API wants to hear: a time, or null for never. */
export const expiryFrom = (value) => (value === '' ? null : new Date(Date.now() + Number(value)).toISOString());
