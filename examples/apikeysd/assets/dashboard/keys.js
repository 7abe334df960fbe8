// SPDX-License-Identifier: MIT
//
// Keys of an organization: the list, one key's details, making one, ending one.
import { all, can, creation, get, path, post, query, remove } from './api.js';
import { confirmDialog, facts, formDialog, openDialog, secretDialog } from './dialogs.js';
import { el } from './dom.js';
import { expiryField, expiryFrom } from './expiry.js';
import { ago, badge, chips, code, dateTime } from './format.js';
import { parameter, setQuery } from './places.js';
import { button, empty, idText, later, menu, pager, say, searchBox, table } from './ui.js';

const PAGE = 20;

export const isExpired = (key) => Boolean(key.expires_at) && Date.parse(key.expires_at) <= Date.now();

export function stateBadge(key) {
  if (key.revoked_at) return badge('Revoked', 'danger');
  if (isExpired(key)) return badge('Expired', 'warning');
  return badge('Active', 'good');
}

/** The API's paths for a kind of key, and the actions on it. */
export const CUSTOMERS = { path: '/api_keys', write: 'apikeys:keys:write', noun: 'key' };
export const MANAGEMENT = { path: '/management_keys', write: 'apikeys:management-keys:write', noun: 'management key' };

const one = (kind, key) => `${kind.path}/${encodeURIComponent(key.id)}`;

export async function revoke(key, kind, warning = []) {
  const done = await confirmDialog(
    `Revoke “${key.name}”?`,
    [`From this moment on, ${key.obfuscated_value} is refused. This cannot be undone.`, ...warning],
    { label: 'Revoke key', run: () => remove(one(kind, key)) },
  );
  if (done) say(`“${key.name}” was revoked`);
  return done;
}

export async function changeExpiry(key, kind) {
  const changed = await formDialog(
    'Change the expiry',
    [expiryField({ label: `“${key.name}” expires`, hint: key.expires_at ? `At present: ${dateTime(key.expires_at)}.` : 'At present: never.' })],
    { label: 'Save', submit: ({ expires_at: value }) => post(`${one(kind, key)}/expire`, { expires_at: expiryFrom(value) }) },
  );
  if (changed) say('The expiry was changed');
  return changed;
}

export function keyMenu(key, kind, { view = null, changed, warning }) {
  const good = !key.revoked_at && can(kind.write);
  const after = (act) => async () => {
    if (await act(key, kind, warning)) changed();
  };
  return menu(`Actions for ${key.name}`, [
    view && { label: 'View details', run: view },
    good && !isExpired(key) ? { label: 'Change expiry', run: after(changeExpiry) } : null,
    good ? { label: 'Revoke', danger: true, run: after(revoke) } : null,
  ]);
}

/** The event of a key's creation: others may have the same millisecond. */
async function creationOf(key, organizationId) {
  const range_end = new Date(Date.parse(key.created_at) + 1).toISOString();
  const where = { events: 'api_key.created', organization_id: organizationId, range_end, order: 'asc', limit: 100 };
  let from = { range_start: key.created_at };
  for (;;) {
    const { data, list_metadata: metadata } = await get(`/events${query({ ...where, ...from })}`);
    const found = data.find((event) => event.data.id === key.id);
    if (found || metadata?.after == null) return found;
    from = { after: metadata.after };
  }
}

/** The key's creator, from the event of its creation. */
async function creator(key, organizationId) {
  const actor = (await creationOf(key, organizationId))?.context?.actor;
  if (!actor) return el('span', { class: 'muted' }, 'Not known any more');
  return el('span', {}, actor.name ?? code(actor.id), el('span', { class: 'muted' }, ` through the ${actor.source.replace('_', ' ')}`));
}

function creatorLater(key, organizationId) {
  const node = el('span', { class: 'muted' }, '…');
  creator(key, organizationId).then(
    (found) => node.replaceWith(found),
    () => node.replaceChildren('Not known'),
  );
  return node;
}

export function keyFacts(key, organizationId) {
  return facts([
    ['State', stateBadge(key)],
    ['Value', el('span', { class: 'id' }, code(key.obfuscated_value))],
    ['Id', idText(key.id)],
    key.owner?.type === 'user' && ['Owner', code(key.owner.id)],
    ['Permissions', chips(key.permissions)],
    ['Created', el('span', {}, dateTime(key.created_at), ' ', el('span', { class: 'muted' }, '('), ago(key.created_at), el('span', { class: 'muted' }, ')'))],
    ['Created by', creatorLater(key, organizationId)],
    ['Last used', ago(key.last_used_at)],
    key.revoked_at ? ['Revoked', el('span', {}, ago(key.revoked_at), key.revoked_reason ? ` (${key.revoked_reason})` : null)] : ['Expires', ago(key.expires_at)],
  ]);
}

async function showDetails(id, organization, context) {
  let again = false;
  await openDialog(
    'API key',
    (close) =>
      later(
        async () => {
          const key = await get(path`/api_keys/${id}`);
          const act = (what) => async () => {
            if (!(await what(key, CUSTOMERS))) return;
            again = true;
            close();
          };
          const good = !key.revoked_at && can(CUSTOMERS.write);
          return [
            el('h3', { class: 'dialog-name' }, key.name),
            keyFacts(key, organization.id),
            el(
              'footer',
              {},
              good && !isExpired(key) ? button('Change expiry', { onclick: act(changeExpiry) }) : null,
              good ? button('Revoke', { class: 'button danger', onclick: act(revoke) }) : null,
            ),
          ];
        },
        { rows: 3 },
      ),
    { wide: true },
  );
  if (!context.signal.aborted) setQuery({ key: null }, { replace: true, quiet: !again });
}

async function createKey(organization) {
  const available = (await all('/authorization/permissions', {})).filter((p) => p.available_to_organization_keys);
  const send = creation();
  const made = await formDialog(
    'Create an API key',
    [
      { name: 'name', label: 'Name', required: true, maxlength: 255, autofocus: true, hint: 'What it is for: “CI deploys”.' },
      expiryField(),
      {
        name: 'permissions',
        label: 'Permissions',
        type: 'checklist',
        options: available.map((p) => ({ value: p.slug, label: p.description ?? p.name })),
        nothing: 'No permission is available to organizations’ keys yet: see Permissions.',
      },
    ],
    {
      label: 'Create key',
      submit: ({ name, expires_at: expiresAt, permissions }) =>
        send(path`/organizations/${organization.id}/api_keys`, { name: name.trim(), permissions, expires_at: expiryFrom(expiresAt) ?? undefined }),
    },
  );
  if (!made) return false;
  await secretDialog('Store this key now', made.value, `This is the only time that the value of “${made.name}” is shown.`);
  return true;
}

export function keysTab(organization, context) {
  const revoked = parameter('revoked') === '1';
  const load = async () => {
    const search = parameter('search');
    const { data, list_metadata: metadata } = await get(
      path`/organizations/${organization.id}/api_keys` +
        query({ limit: PAGE, search, revoked: parameter('revoked') === '1' ? 'true' : '', after: parameter('after'), before: parameter('before') }),
      { signal: context.signal },
    );
    if (data.length === 0)
      return search
        ? empty('Nothing found', `No key's name contains “${search}”.`)
        : empty('No keys', can(CUSTOMERS.write) ? 'Create one here, or let the customer do it in the widget.' : 'The customer has none yet.', can(CUSTOMERS.write) ? button('Create key', { class: 'button primary', onclick: create }, 'plus') : null);
    const view = (key) => () => setQuery({ key: key.id });
    return [
      table(
        `API keys of ${organization.name}`,
        [
          {
            label: 'Name',
            class: 'lead',
            cell: (key) => el('div', {}, el('button', { type: 'button', class: 'link strong', onclick: view(key) }, key.name), el('div', { class: 'muted' }, code(key.obfuscated_value))),
          },
          { label: 'State', cell: stateBadge },
          { label: 'Permissions', cell: (key) => chips(key.permissions, 2) },
          { label: 'Created', cell: (key) => ago(key.created_at) },
          { label: 'Last used', cell: (key) => ago(key.last_used_at) },
          { label: 'Expires', cell: (key) => ago(key.expires_at) },
          { label: '', class: 'menu-cell', cell: (key) => keyMenu(key, CUSTOMERS, { view: view(key), changed: () => list.reload() }) },
        ],
        data,
      ),
      pager(metadata, setQuery),
    ];
  };
  const create = async () => {
    if (await createKey(organization)) list.reload();
  };
  if (can(CUSTOMERS.write)) context.actions.push(button('Create key', { class: 'button primary', onclick: create }, 'plus'));
  const list = later(load);
  const change = (changes) => {
    setQuery({ ...changes, after: null, before: null }, { replace: true, quiet: true });
    list.reload();
  };
  context.shown = () => {
    if (parameter('key')) showDetails(parameter('key'), organization, context);
  };
  return [
    el(
      'div',
      { class: 'toolbar' },
      searchBox('Search keys by name', parameter('search'), (text) => change({ search: text })),
      el('label', { class: 'check' }, el('input', { type: 'checkbox', checked: revoked, onchange: (event) => change({ revoked: event.target.checked ? '1' : null }) }), 'Show revoked'),
    ),
    list,
  ];
}

