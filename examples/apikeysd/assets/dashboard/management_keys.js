// SPDX-License-Identifier: MIT
//
// The operator's own keys: for colleagues, and for the programs that use this API.
import { can, creation, currentSession, get, query } from './api.js';
import { formDialog, secretDialog } from './dialogs.js';
import { el } from './dom.js';
import { expiryField, expiryFrom } from './expiry.js';
import { ago, badge, chips, code } from './format.js';
import { MANAGEMENT, keyMenu, stateBadge } from './keys.js';
import { parameter, setQuery } from './places.js';
import { button, heading, later, pager, table } from './ui.js';

async function create() {
  const own = currentSession().key.permissions;
  const send = creation();
  const made = await formDialog(
    'Create a management key',
    [
      { name: 'name', label: 'Name', required: true, maxlength: 255, autofocus: true, hint: 'Whose it is, or which program’s: events show it.' },
      expiryField(),
      { name: 'permissions', label: 'Scopes', type: 'checklist', options: own.map((value) => ({ value })) },
    ],
    {
      label: 'Create management key',
      submit: ({ name, expires_at: expiresAt, permissions }) =>
        send('/management_keys', { name: name.trim(), permissions, expires_at: expiryFrom(expiresAt) ?? undefined }),
    },
  );
  if (!made) return false;
  await secretDialog('Store this key now', made.value, `This is the only time that the value of “${made.name}” is shown. Whoever has it can do what its scopes say.`);
  return true;
}

export function showManagementKeys(_, { signal }) {
  const own = currentSession().key.id;
  const list = later(async () => {
    const { data, list_metadata: metadata } = await get(`/management_keys${query({ limit: 20, after: parameter('after'), before: parameter('before') })}`, { signal });
    return [
      table(
        'Management keys',
        [
          {
            label: 'Name',
            class: 'lead',
            cell: (key) => el('div', {}, el('span', { class: 'strong' }, key.name), key.id === own ? [' ', badge('You', 'good')] : null, el('div', { class: 'muted' }, code(key.obfuscated_value))),
          },
          { label: 'State', cell: stateBadge },
          { label: 'Scopes', cell: (key) => chips(key.permissions, 2) },
          { label: 'Created', cell: (key) => ago(key.created_at) },
          { label: 'Last used', cell: (key) => ago(key.last_used_at) },
          { label: 'Expires', cell: (key) => ago(key.expires_at) },
          {
            label: '',
            class: 'menu-cell',
            cell: (key) => keyMenu(key, MANAGEMENT, { changed: () => list.reload(), warning: key.id === own ? ['You are signed in with this key: you will be signed out.'] : [] }),
          },
        ],
        data,
      ),
      pager(metadata, setQuery),
    ];
  });
  const action = can(MANAGEMENT.write)
    ? button('Create key', { class: 'button primary', onclick: async () => { if (await create()) list.reload(); } }, 'plus')
    : null;
  return {
    title: 'Management keys',
    node: [
      heading('Management keys', { about: 'For your colleagues, who sign in here with their own, and for programs that use the API. A key grants only what it holds itself.', actions: [action] }),
      list,
    ],
  };
}
