// SPDX-License-Identifier: MIT
//
// Roles, of the environment or of one organization.
import { all, can, creation, get, patch, path, put, remove } from './api.js';
import { confirmDialog, formDialog } from './dialogs.js';
import { el } from './dom.js';
import { badge, chips, code } from './format.js';
import { button, empty, heading, later, menu, say, table } from './ui.js';

const listPath = (organization) => (organization ? path`/authorization/organizations/${organization.id}/roles` : '/authorization/roles');
const rolePath = (role, organization) => `${listPath(organization)}/${encodeURIComponent(role.slug)}`;
const isSystem = (role) => ['admin', 'member'].includes(role.slug) && role.type === 'EnvironmentRole';

async function editRole(role, organization) {
  const permissions = await all('/authorization/permissions');
  const prefix = organization ? 'org-' : '';
  const send = creation();
  return formDialog(
    role ? `Edit ${role.name}` : 'New role',
    [
      { name: 'name', label: 'Name', required: true, value: role?.name, maxlength: 48, autofocus: true },
      role ? null : { name: 'slug', label: 'Slug', required: true, value: prefix, maxlength: 48, hint: `How programs name it, for good.${organization ? ' Begins with “org-”.' : ''}` },
      { name: 'description', label: 'Description', value: role?.description ?? '', maxlength: 150 },
      { name: 'permissions', label: 'Permissions', type: 'checklist', value: role?.permissions, options: permissions.map((p) => ({ value: p.slug, label: p.name })) },
    ],
    {
      label: role ? 'Save' : 'Create role',
      submit: async ({ name, slug, description, permissions: chosen }) => {
        const texts = { name: name.trim(), description: description.trim() || null };
        const saved = role ? await patch(rolePath(role, organization), texts) : await send(listPath(organization), { slug: slug.trim(), ...texts });
        return put(`${rolePath(saved, organization)}/permissions`, { permissions: chosen });
      },
    },
  );
}

export function rolesTable(context, organization = null) {
  const writable = can('apikeys:roles:write');
  const ours = (role) => (organization ? role.type === 'OrganizationRole' : role.type === 'EnvironmentRole');
  const edit = async (role) => {
    if (!(await editRole(role, organization))) return;
    say(role ? 'The role was changed' : 'The role was created');
    list.reload();
  };
  const erase = async (role) => {
    const done = await confirmDialog(`Delete the role ${role.name}?`, 'A role that members have cannot be deleted.', { label: 'Delete role', run: () => remove(rolePath(role, organization)) });
    if (!done) return;
    say('The role was deleted');
    list.reload();
  };
  const newButton = () => button('New role', { class: 'button primary', onclick: () => edit(null) }, 'plus');
  const list = later(async () => {
    const { data } = await get(listPath(organization), { signal: context.signal });
    if (data.length === 0) return empty('No roles of its own', 'Its members can have the environment’s roles all the same.', writable ? newButton() : null);
    return table(
      'Roles',
      [
        { label: 'Role', class: 'lead', cell: (role) => el('div', {}, el('span', { class: 'strong' }, role.name), ' ', code(role.slug), role.description ? el('div', { class: 'muted' }, role.description) : null) },
        { label: 'Permissions', cell: (role) => chips(role.permissions, 3) },
        { label: 'Of', cell: (role) => badge(role.type === 'OrganizationRole' ? 'Organization' : 'Environment') },
        {
          label: '',
          class: 'menu-cell',
          cell: (role) =>
            writable && ours(role)
              ? menu(`Actions for ${role.name}`, [
                  { label: 'Edit', run: () => edit(role) },
                  isSystem(role) ? null : { label: 'Delete', danger: true, run: () => erase(role) },
                ])
              : null,
        },
      ],
      data,
    );
  });
  if (writable) context.actions.push(newButton());
  return list;
}

export function showRoles(_, { signal }) {
  const context = { signal, actions: [] };
  const body = rolesTable(context);
  return {
    title: 'Roles',
    node: [heading('Roles', { about: 'What members of organizations hold. The first in the list has priority.', actions: context.actions }), body],
  };
}
