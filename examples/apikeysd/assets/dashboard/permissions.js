// SPDX-License-Identifier: MIT
//
// Permissions, and the switches that say which of them keys may be given.
import { can, creation, get, patch, path, put, query, remove } from './api.js';
import { confirmDialog, formDialog } from './dialogs.js';
import { el } from './dom.js';
import { badge, code } from './format.js';
import { parameter, setQuery } from './places.js';
import { button, empty, heading, later, menu, pager, say, searchBox, table } from './ui.js';

const PAGE = 50;
const one = (permission) => path`/authorization/permissions/${permission.slug}`;
const reserved = (slug) => slug.startsWith('widgets:') || slug.startsWith('apikeys:');

function edit(permission) {
  const send = creation();
  return formDialog(
    permission ? `Edit ${permission.slug}` : 'New permission',
    [
      permission ? null : { name: 'slug', label: 'Slug', required: true, maxlength: 48, placeholder: 'posts:read', autofocus: true, hint: 'What your code asks for. Of a-z 0-9 - _ : . *' },
      { name: 'name', label: 'Name', required: true, value: permission?.name, maxlength: 48 },
      { name: 'description', label: 'Description', value: permission?.description ?? '', maxlength: 150, hint: 'Customers read this when they make a key.' },
    ],
    {
      label: permission ? 'Save' : 'Create permission',
      submit: ({ slug, name, description }) => {
        const texts = { name: name.trim(), description: description.trim() || null };
        return permission ? patch(one(permission), texts) : send('/authorization/permissions', { slug: slug.trim(), ...texts });
      },
    },
  );
}

/** A switch shows the service's state: it moves back if the change failed. */
function availability(permission, field, label) {
  if (reserved(permission.slug)) return el('span', { class: 'muted', title: 'Never for customers’ keys' }, 'Never');
  const input = el('input', {
    type: 'checkbox',
    role: 'switch',
    class: 'switch',
    'aria-label': `${permission.slug}: available to ${label}`,
    checked: permission[`available_to_${field}`],
    disabled: !can('apikeys:permissions:write'),
    onchange: async () => {
      const wanted = input.checked;
      input.checked = !wanted;
      input.disabled = true;
      try {
        const answer = await put(`${one(permission)}/availability`, { [field]: wanted });
        input.checked = answer[field];
        say(`${permission.slug} is ${wanted ? 'now' : 'no longer'} available to ${label}`);
      } catch (error) {
        say(error.message);
      }
      input.disabled = false;
      input.focus();
    },
  });
  return input;
}

export function showPermissions(_, { signal }) {
  const writable = can('apikeys:permissions:write');
  const change = async (permission) => {
    if (!(await edit(permission))) return;
    say(permission ? 'The permission was changed' : 'The permission was created');
    list.reload();
  };
  const erase = async (permission) => {
    const done = await confirmDialog(
      `Delete ${permission.slug}?`,
      ['Every key and every role loses it at once.', 'To stop new keys from getting it, switch its availability off instead.'],
      { label: 'Delete permission', typed: permission.slug, run: () => remove(one(permission)) },
    );
    if (!done) return;
    say('The permission was deleted');
    list.reload();
  };
  const newButton = () => button('New permission', { class: 'button primary', onclick: () => change(null) }, 'plus');
  const list = later(async () => {
    const search = parameter('search');
    const { data, list_metadata: metadata } = await get(
      `/authorization/permissions${query({ limit: PAGE, search, after: parameter('after'), before: parameter('before') })}`,
      { signal },
    );
    if (data.length === 0) return search ? empty('Nothing found', `No permission's name contains “${search}”.`) : empty('No permissions', 'Permissions are what your code asks a key for.', writable ? newButton() : null);
    return [
      table(
        'Permissions',
        [
          {
            label: 'Permission',
            class: 'lead',
            cell: (p) => el('div', {}, code(p.slug), p.system ? [' ', badge('System')] : null, el('div', { class: 'muted' }, p.description ?? p.name)),
          },
          { label: 'Organization keys', class: 'switch-cell', cell: (p) => availability(p, 'organization_keys', 'organizations’ keys') },
          { label: 'Personal keys', class: 'switch-cell', cell: (p) => availability(p, 'user_keys', 'members’ own keys') },
          {
            label: '',
            class: 'menu-cell',
            cell: (p) => (writable && !p.system ? menu(`Actions for ${p.slug}`, [{ label: 'Edit', run: () => change(p) }, { label: 'Delete', danger: true, run: () => erase(p) }]) : null),
          },
        ],
        data,
      ),
      pager(metadata, setQuery),
    ];
  });
  return {
    title: 'Permissions',
    node: [
      heading('Permissions', {
        about: 'What your code asks a key for. The switches say which of them customers can give to keys: turning one off stops new grants, and leaves existing keys as they are.',
        actions: [writable ? newButton() : null],
      }),
      el(
        'div',
        { class: 'toolbar' },
        searchBox('Search permissions', parameter('search'), (text) => {
          setQuery({ search: text, after: null, before: null }, { replace: true, quiet: true });
          list.reload();
        }),
      ),
      list,
    ],
  };
}
