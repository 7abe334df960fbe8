// SPDX-License-Identifier: MIT
//
// The settings, which hold for all keys of the environment.
import { can, get, patch } from './api.js';
import { confirmDialog } from './dialogs.js';
import { form } from './forms.js';
import { el } from './dom.js';
import { badge } from './format.js';
import { heading, later, note, say } from './ui.js';

const DAY = 86400_000;
const days = (ms) => (ms ? String(ms / DAY) : '');
const DAYS = ['max_lifetime_ms', 'idle_lifetime_ms', 'event_retention_ms'];

const wrong = (name, text) => Object.assign(new Error(text), { fields: { [name]: text } });

/** The field's number, 0 if empty; otherwise at least 1, unless it is the stored value. */
function number(values, name, before, unit) {
  const text = String(values[name]).trim();
  if (text === '') return 0;
  const n = Number(text);
  if (!Number.isFinite(n) || n < 0) throw wrong(name, 'A number, or nothing for “no limit”.');
  if (n !== 0 && n < 1 && n !== before) throw wrong(name, `At least 1 ${unit}, or nothing for “no limit”.`);
  return n;
}

/** The settings that the form asks for. */
function wanted(values, environment) {
  const prefix = values.prefix.trim();
  const count = number(values, 'max_keys_per_owner', environment.max_keys_per_owner, 'key');
  if (!Number.isInteger(count)) throw wrong('max_keys_per_owner', 'A whole number, or nothing for “no limit”.');
  return {
    prefix,
    accepted_prefixes: [...new Set([...values.accepted_prefixes.split(/\s+/).filter(Boolean), prefix])],
    ...Object.fromEntries(DAYS.map((name) => [name, Math.round(number(values, name, environment[name] / DAY, 'day') * DAY)])),
    max_keys_per_owner: count,
    expiry_required: values.expiry_required,
    grants_must_be_held: values.grants_must_be_held,
  };
}

const shorter = (asked, before) => asked !== 0 && (before === 0 || asked < before);
const inDays = (ms) => `${(ms / DAY).toLocaleString()} ${ms === DAY ? 'day' : 'days'}`;

/** Changes that revoke or delete something at once: the form asks before it saves them. */
function losses(asked, environment) {
  const lost = [];
  const gone = environment.accepted_prefixes.filter((prefix) => !asked.accepted_prefixes.includes(prefix));
  if (shorter(asked.idle_lifetime_ms, environment.idle_lifetime_ms))
    lost.push(`Every key, of all organizations and members, that has not been used for ${inDays(asked.idle_lifetime_ms)} is revoked within seconds. A key that was never used counts from its creation. This cannot be undone.`);
  if (shorter(asked.event_retention_ms, environment.event_retention_ms))
    lost.push(`Events older than ${inDays(asked.event_retention_ms)} are deleted within seconds. This cannot be undone.`);
  if (gone.length > 0) lost.push(`Keys that begin with ${gone.map((prefix) => `“${prefix}_”`).join(', ')} are refused at once, until the prefix is accepted again.`);
  return lost;
}

const fields = (environment) => [
  { name: 'prefix', label: 'Prefix of new keys', value: environment.prefix, required: true, maxlength: 24, hint: 'Keys look like “' + environment.prefix + '_…”. Earlier keys stay valid.' },
  { name: 'accepted_prefixes', label: 'Accepted prefixes', value: environment.accepted_prefixes.join(' '), hint: 'Separated by blanks. Keys with a prefix that you take out are refused.' },
  { name: 'max_lifetime_ms', label: 'Longest lifetime, in days', type: 'number', min: 0, value: days(environment.max_lifetime_ms), placeholder: 'No limit', hint: 'No expiry at all counts as too long.' },
  { name: 'expiry_required', label: 'Every key must expire', type: 'switch', value: environment.expiry_required },
  { name: 'idle_lifetime_ms', label: 'Revoke keys unused for, in days', type: 'number', min: 0, value: days(environment.idle_lifetime_ms), placeholder: 'Never', hint: 'Keys that exist already, too.' },
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
        submit: async (values) => {
          const asked = wanted(values, environment);
          const lost = losses(asked, environment);
          const save = () => patch('/environment', asked);
          if (lost.length === 0) return save();
          const done = await confirmDialog('Save these settings?', lost, { label: 'Save them', run: save });
          if (!done) throw new DOMException('', 'AbortError'); // cancelled: nothing was saved
          return done;
        },
        done: () => {
          say('Saved');
          body.reload();
        },
      }),
    );
  });
  return { title: 'Settings', node: [heading('Settings', { about: 'What holds for all keys of this environment. Policies hold for what is made or changed from then on.' }), body] };
}
