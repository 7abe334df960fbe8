// SPDX-License-Identifier: MIT
//
// Finds the owner of a key that turned up somewhere.
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
  if (keys.length === 0) return empty('No such key', 'No key of this environment looks like that, revoked ones included.');
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

/**
 * What may be shown is enough, the beginning or the short form of lists, so nothing more of a value
 * leaves this page or stays in it. People paste values as they find them: in quotes, behind a name,
 * with a comma or an escaped newline, cut short. A text with 17 letters and digits in a row and no
 * such beginning is not sent at all: null.
 */
export function beginningOf(text) {
  const plain = text.replace(/\\[nrt]/g, ' ').trim();
  const obfuscated = /([a-z][a-z0-9_]*_)(?:\.\.\.|…)([0-9A-Za-z]{4})(?![0-9A-Za-z])/.exec(plain);
  if (obfuscated !== null) return `${obfuscated[1]}...${obfuscated[2]}`;
  const whole = /([a-z][a-z0-9_]*_[0-9A-Za-z]{16})[0-9A-Za-z]*/.exec(plain);
  if (whole !== null) return whole[1];
  return /[0-9A-Za-z]{17}/.test(plain) ? null : plain;
}

export function showFindKey() {
  const results = el('div', { 'aria-live': 'polite' });
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
          [{ name: 'value', label: 'The key, or its beginning', required: true, placeholder: 'sk_9fQ2', hint: 'The part that may be shown is enough: the first characters after the prefix, or the short form of lists (sk_...E3mB). The secret part is not sent anywhere.' }],
          {
            label: 'Find',
            className: 'inline',
            submit: async ({ value }) => {
              const beginning = beginningOf(value);
              if (beginning === null)
                throw Object.assign(new Error(), { fields: { value: 'No key begins like that. It was not sent anywhere, in case it is a secret.' } });
              return look(beginning);
            },
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
