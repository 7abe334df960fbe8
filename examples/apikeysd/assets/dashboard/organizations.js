// SPDX-License-Identifier: MIT
import { can, creation, get, query } from './api.js';
import { formDialog } from './dialogs.js';
import { el } from './dom.js';
import { ago, code } from './format.js';
import { go, parameter, setQuery, url } from './places.js';
import { button, empty, heading, later, pager, searchBox, table } from './ui.js';

const PAGE = 20;
export const organizationUrl = (id, tab = '') => url(`/organizations/${encodeURIComponent(id)}${tab && `/${tab}`}`);

async function create() {
  const send = creation();
  const made = await formDialog(
    'New organization',
    [
      { name: 'name', label: 'Name', required: true, maxlength: 255, autofocus: true },
      { name: 'external_id', label: 'External id', maxlength: 128, hint: 'What your own system calls it. Optional.' },
    ],
    {
      label: 'Create organization',
      submit: ({ name, external_id: external }) => send('/organizations', { name: name.trim(), ...(external.trim() ? { external_id: external.trim() } : {}) }),
    },
  );
  if (made) go(organizationUrl(made.id));
}

export function showOrganizations(_, { signal }) {
  const action = can('apikeys:organizations:write') ? button('New organization', { class: 'button primary', onclick: create }, 'plus') : null;
  const load = async () => {
    const search = parameter('search');
    const { data, list_metadata: metadata } = await get(
      `/organizations${query({ limit: PAGE, include: 'api_key_count', search, after: parameter('after'), before: parameter('before') })}`,
      { signal },
    );
    if (data.length === 0)
      return search
        ? empty('Nothing found', `No organization's name contains “${search}”.`)
        : empty('No organizations yet', 'An organization is a customer of yours: it owns API keys.', action ? button('New organization', { class: 'button primary', onclick: create }, 'plus') : null);
    return [
      table(
        'Organizations',
        [
          { label: 'Name', class: 'lead', cell: (item) => el('a', { href: organizationUrl(item.id), class: 'strong' }, item.name) },
          { label: 'Id', cell: (item) => el('span', { class: 'muted' }, code(item.id)) },
          { label: 'External id', cell: (item) => (item.external_id ? code(item.external_id) : el('span', { class: 'muted' }, '–')) },
          { label: 'Keys', class: 'number', cell: (item) => item.api_key_count.toLocaleString() },
          { label: 'Created', cell: (item) => ago(item.created_at) },
        ],
        data,
      ),
      pager(metadata, setQuery),
    ];
  };
  const list = later(load);
  const search = (text) => {
    setQuery({ search: text, after: null, before: null }, { replace: true, quiet: true });
    list.reload();
  };
  return {
    title: 'Organizations',
    node: [
      heading('Organizations', { about: 'Your customers, and the keys they have.', actions: [action] }),
      el('div', { class: 'toolbar' }, searchBox('Search by name', parameter('search'), search)),
      list,
    ],
  };
}
