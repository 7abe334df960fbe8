// SPDX-License-Identifier: MIT
import { can, get, patch } from './api.js';
import { form } from './forms.js';
import { el } from './dom.js';
import { badge } from './format.js';
import { heading, later, note, say } from './ui.js';

const DAY = 86400_000;
const days = (ms) => (ms ? String(ms / DAY) : '');
const DAYS = ['max_lifetime_ms', 'idle_lifetime_ms', 'event_retention_ms'];

function number(values, name) {
  const text = String(values[name]).trim();
  if (text === '') return 0;
  const n = Number(text);
  if (!Number.isFinite(n) || n < 0) throw Object.assign(new Error('Not a number'), { fields: { [name]: 'A number, or nothing for “no limit”.' } });
  return n;
}

const fields = (environment) => [
  { name: 'prefix', label: 'Prefix of new keys', value: environment.prefix, required: true, maxlength: 24, hint: 'Keys look like “' + environment.prefix + '_…”. Earlier keys stay valid.' },
  { name: 'accepted_prefixes', label: 'Accepted prefixes', value: environment.accepted_prefixes.join(' '), hint: 'Separated by blanks. Keys with a prefix that you take out are refused.' },
  { name: 'max_lifetime_ms', label: 'Longest lifetime, in days', type: 'number', min: 0, value: days(environment.max_lifetime_ms), placeholder: 'No limit', hint: 'No expiry at all counts as too long.' },
  { name: 'expiry_required', label: 'Every key must expire', type: 'switch', value: environment.expiry_required },
  { name: 'idle_lifetime_ms', label: 'Revoke keys unused for, in days', type: 'number', min: 0, value: days(environment.idle_lifetime_ms), placeholder: 'Never' },
  { name: 'max_keys_per_owner', label: 'Keys per organization or member', type: 'number', min: 0, value: environment.max_keys_per_owner || '', placeholder: 'No limit' },
  { name: 'grants_must_be_held', label: 'Members give keys only what they hold themselves', type: 'switch', value: environment.grants_must_be_held },
  { name: 'event_retention_ms', label: 'Keep events for, in days', type: 'number', min: 0, value: days(environment.event_retention_ms), placeholder: 'For ever' },
];

export function showSettings(_, { signal }) {
  const body = later(async () => {
    const environment = await get('/environment', { signal });
    if (!can('apikeys:environment:write')) return [note('Your key may see these settings, but not change them.'), el('p', {}, badge(environment.prefix))];
    return el(
      'section',
      { class: 'panel', 'aria-label': 'Environment settings' },
      form(fields(environment), {
        label: 'Save changes',
        submit: (values) =>
          patch('/environment', {
            prefix: values.prefix.trim(),
            accepted_prefixes: [...new Set([...values.accepted_prefixes.split(/\s+/).filter(Boolean), values.prefix.trim()])],
            ...Object.fromEntries(DAYS.map((name) => [name, Math.round(number(values, name) * DAY)])),
            max_keys_per_owner: Math.round(number(values, 'max_keys_per_owner')),
            expiry_required: values.expiry_required,
            grants_must_be_held: values.grants_must_be_held,
          }),
        done: () => {
          say('Saved');
          body.reload();
        },
      }),
    );
  });
  return { title: 'Settings', node: [heading('Settings', { about: 'What holds for all keys of this environment. Policies hold for what is made or changed from then on.' }), body] };
}
