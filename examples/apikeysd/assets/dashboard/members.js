// SPDX-License-Identifier: MIT
//
// The members of an organization, and their roles.
import { can, creation, get, path, put, query, remove } from './api.js';
import { confirmDialog, formDialog, openDialog } from './dialogs.js';
import { el } from './dom.js';
import { ago, badge, chips, code } from './format.js';
import { CUSTOMERS, keyMenu, stateBadge } from './keys.js';
import { parameter, setQuery } from './places.js';
import { button, empty, later, menu, pager, say, table } from './ui.js';

const PAGE = 20;
const MEMBERSHIPS = '/user_management/organization_memberships';
const TONES = { active: 'good', pending: 'warning', inactive: 'plain' };

/** Roles that members of it can have: the environment's and its own. */
async function assignable(organization) {
  const lists = await Promise.all(['/authorization/roles', path`/authorization/organizations/${organization.id}/roles`].map((list) => get(list)));
  const roles = new Map(lists.flatMap(({ data }) => data).map((role) => [role.slug, role]));
  return [...roles.values()].map((role) => ({ value: role.slug, label: role.name }));
}

async function addMember(organization) {
  const options = await assignable(organization);
  const send = creation();
  return formDialog(
    'Add a member',
    [
      { name: 'user_id', label: 'User id', required: true, maxlength: 128, autofocus: true, hint: 'The id that your own system knows the person by.' },
      { name: 'role_slugs', label: 'Roles', type: 'checklist', options, value: ['member'].filter((slug) => options.some((o) => o.value === slug)) },
    ],
    {
      label: 'Add member',
      submit: ({ user_id: user, role_slugs: roles }) =>
        send(MEMBERSHIPS, { organization_id: organization.id, user_id: user.trim(), ...(roles.length > 0 ? { role_slugs: roles } : {}) }),
    },
  );
}

async function changeRoles(member, organization) {
  const options = await assignable(organization);
  return formDialog(
    'Change roles',
    [{ name: 'role_slugs', label: `Roles of ${member.user_id}`, type: 'checklist', options, value: member.roles.map(({ slug }) => slug) }],
    { label: 'Save', submit: ({ role_slugs: roles }) => put(oneMember(member), { role_slugs: roles }) },
  );
}

const oneMember = (member, verb = '') => `${MEMBERSHIPS}/${encodeURIComponent(member.id)}${verb}`;

function showKeys(member, organization) {
  openDialog(
    'Personal keys',
    () => {
      const list = later(async () => {
        const { data } = await get(path`/user_management/users/${member.user_id}/api_keys` + query({ organization_id: organization.id, limit: 100 }));
        if (data.length === 0) return empty('No keys', 'This member has no keys of their own here.');
        return table(
          'Personal keys',
          [
            { label: 'Name', class: 'lead', cell: (key) => el('div', {}, el('span', { class: 'strong' }, key.name), el('div', { class: 'muted' }, code(key.obfuscated_value))) },
            { label: 'State', cell: stateBadge },
            { label: 'Permissions', cell: (key) => chips(key.permissions, 2) },
            { label: 'Last used', cell: (key) => ago(key.last_used_at) },
            { label: '', class: 'menu-cell', cell: (key) => keyMenu(key, CUSTOMERS, { changed: () => list.reload() }) },
          ],
          data,
        );
      });
      return list;
    },
    { wide: true },
  );
}

export function membersTab(organization, context) {
  const writable = can('apikeys:members:write');
  const actions = (member) => {
    const act = (what, text) => async () => {
      try {
        if (!(await what())) return;
        say(text);
      } catch (error) {
        say(error.message);
      }
      list.reload();
    };
    const deactivate = () =>
      confirmDialog('Deactivate this member?', `${member.user_id} can do nothing here any more, and their own keys are refused, until they are activated again.`, {
        label: 'Deactivate',
        run: () => put(oneMember(member, '/deactivate'), {}),
      });
    const erase = () =>
      confirmDialog('Remove this member?', `${member.user_id} leaves ${organization.name}, and their own keys there are revoked for good.`, {
        label: 'Remove member',
        run: () => remove(oneMember(member)),
      });
    return menu(`Actions for ${member.user_id}`, [
      { label: 'Personal keys', run: () => showKeys(member, organization) },
      writable && { label: 'Change roles', run: act(() => changeRoles(member, organization), 'The roles were changed') },
      writable && member.status === 'active' && { label: 'Deactivate', run: act(deactivate, 'The member was deactivated') },
      writable && member.status !== 'active' && { label: 'Activate', run: act(async () => (await put(oneMember(member, '/reactivate'), {})) ?? true, 'The member was activated') },
      writable && { label: 'Remove', danger: true, run: act(erase, 'The member was removed') },
    ]);
  };
  const load = async () => {
    const { data, list_metadata: metadata } = await get(
      MEMBERSHIPS + query({ organization_id: organization.id, limit: PAGE, include: 'user', after: parameter('after'), before: parameter('before') }),
      { signal: context.signal },
    );
    if (data.length === 0) return empty('No members', 'Members see and manage keys in the widget, as their roles allow.');
    return [
      table(
        `Members of ${organization.name}`,
        [
          {
            label: 'Member',
            class: 'lead',
            cell: (member) => el('div', {}, el('span', { class: 'strong' }, member.user.display_name || member.user.email || member.user_id), el('div', { class: 'muted' }, code(member.user_id), member.user.display_name && member.user.email ? ` · ${member.user.email}` : null)),
          },
          { label: 'Roles', cell: (member) => chips(member.roles.map(({ slug }) => slug), 3) },
          { label: 'Status', cell: (member) => badge(member.status[0].toUpperCase() + member.status.slice(1), TONES[member.status]) },
          { label: 'Joined', cell: (member) => ago(member.created_at) },
          { label: '', class: 'menu-cell', cell: actions },
        ],
        data,
      ),
      pager(metadata, setQuery),
    ];
  };
  const list = later(load);
  if (writable)
    context.actions.push(
      button('Add member', { class: 'button primary', onclick: async () => { if (await addMember(organization)) list.reload(); } }, 'plus'),
    );
  return list;
}
