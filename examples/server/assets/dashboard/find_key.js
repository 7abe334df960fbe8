// SPDX-License-Identifier: MIT
//
// Whose key is this, that was found somewhere?
import { post } from './api.js';
import { form } from './forms.js';
import { el, fill } from './dom.js';
import { ago, chips, code } from './format.js';
import { CUSTOMERS, MANAGEMENT, keyMenu, stateBadge } from './keys.js';
import { organizationUrl } from './organizations.js';
import { url } from './places.js';
import { empty, heading, table } from './ui.js';

const ownerOf = (key) => (key.owner.type === 'user' ? key.owner.organization_id : key.owner.id);

function owner(key) {
  if (key.owner.type === 'environment') return el('a', { href: url('/management-keys') }, 'Management key');
  const organization = el('a', { href: `${organizationUrl(ownerOf(key))}?key=${encodeURIComponent(key.id)}` }, code(ownerOf(key)));
  return key.owner.type === 'user' ? el('span', {}, code(key.owner.id), ' in ', organization) : organization;
}

function found(keys, again) {
  if (keys.length === 0) return empty('No such key', 'No key of this environment begins like that, revoked ones included.');
  return table(
    'Keys that were found',
    [
      { label: 'Key', class: 'lead', cell: (key) => el('div', {}, el('span', { class: 'strong' }, key.name), el('div', { class: 'muted' }, code(key.obfuscated_value))) },
      { label: 'State', cell: stateBadge },
      { label: 'Owner', cell: owner },
      { label: 'Permissions', cell: (key) => chips(key.permissions, 2) },
      { label: 'Last used', cell: (key) => ago(key.last_used_at) },
      { label: '', class: 'menu-cell', cell: (key) => keyMenu(key, key.owner.type === 'environment' ? MANAGEMENT : CUSTOMERS, { changed: again }) },
    ],
    keys,
  );
}

export function showFindKey() {
  const results = el('div', { 'aria-live': 'polite' });
  /** The visible beginning is enough, so nothing more of a value leaves this page or stays in it. */
  const beginning = (text) => /^([a-z][a-z0-9_]*_[0-9A-Za-z]{16})[0-9A-Za-z]{38}$/.exec(text)?.[1] ?? text;
  const look = async (value) => {
    const { data } = await post('/api_keys/lookups', { value });
    fill(results, found(data, () => look(value)));
  };
  return {
    title: 'Find a key',
    node: [
      heading('Find a key', { about: 'A key turned up in a log, a repository or a ticket: find out whose it is, and end it.' }),
      el(
        'section',
        { class: 'panel', 'aria-label': 'Search for a key' },
        form(
          [{ name: 'value', label: 'The key, or its beginning', required: true, placeholder: 'sk_9fQ2', hint: 'The part that may be shown is enough: the first characters after the prefix. The secret part is not sent anywhere.' }],
          {
            label: 'Find',
            className: 'inline',
            submit: async ({ value }) => look(beginning(value.trim())),
            done: () => {
              for (const input of document.querySelectorAll('.panel input')) input.value = '';
            },
          },
        ),
      ),
      results,
    ],
  };
}
