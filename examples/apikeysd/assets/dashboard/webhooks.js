// SPDX-License-Identifier: MIT
//
// Webhook endpoints, and the states of their deliveries.
import { can, creation, get, patch, path, post, query, remove } from './api.js';
import { confirmDialog, facts, formDialog } from './dialogs.js';
import { el, fill } from './dom.js';
import { PUBLIC_TYPES, TYPES, describe } from './event_types.js';
import { ago, badge, chips, code } from './format.js';
import { parameter, setQuery, go, url } from './places.js';
import { button, copyButton, empty, heading, idText, later, menu, pager, say, table, tabs } from './ui.js';

const PAGE = 20;
const WRITE = 'apikeys:documents:write';
const one = (endpoint) => path`/webhook_endpoints/${endpoint.id}`;
const place = (endpoint, status = null) => url(path`/webhooks/${endpoint.id}`) + (status ? `/${status}` : '');

// -- Endpoints -------------------------------------------------------------------------------------

const REASONS = { gone: 'Disabled: it answered that it is gone', failing: 'Disabled: nothing arrived for too long' };
const statusBadge = ({ status, disabled_reason: reason }) =>
  status === 'enabled' ? badge('Enabled', 'good') : badge(REASONS[reason] ?? 'Disabled', 'warning');

async function edit(endpoint = null) {
  const send = creation();
  const saved = await formDialog(
    endpoint ? 'Edit the endpoint' : 'New webhook endpoint',
    [
      { name: 'endpoint_url', label: 'URL', required: true, value: endpoint?.endpoint_url, placeholder: 'https://', maxlength: 2048, autofocus: true, hint: 'Events are posted there as JSON, signed with the endpoint’s secret.' },
      { name: 'events', label: 'Events', type: 'checklist', value: endpoint?.events ?? PUBLIC_TYPES.filter((type) => type.startsWith('api_key.')), options: PUBLIC_TYPES.map((type) => ({ value: type, label: TYPES[type][0] })) },
    ],
    {
      label: endpoint ? 'Save' : 'Create endpoint',
      submit: async ({ endpoint_url: address, events }) => {
        const body = { endpoint_url: address.trim(), events };
        try {
          return await (endpoint ? patch(one(endpoint), body) : send('/webhook_endpoints', body));
        } catch (error) {
          if (['invalid_url', 'duplicate_endpoint'].includes(error.code)) error.fields.endpoint_url = error.message;
          throw error;
        }
      },
    },
  );
  if (saved) say(endpoint ? 'The endpoint was changed' : 'The endpoint was created');
  return saved;
}

async function turn(endpoint) {
  const status = endpoint.status === 'enabled' ? 'disabled' : 'enabled';
  await patch(one(endpoint), { status });
  say(status === 'enabled' ? 'The endpoint gets events from now on' : 'The endpoint gets no more events');
  return true;
}

const erase = (endpoint) =>
  confirmDialog('Delete this endpoint?', [`${endpoint.endpoint_url} gets no more events. What is on its way to it is given up.`, 'To stop for a while, disable it instead.'], {
    label: 'Delete endpoint',
    run: () => remove(one(endpoint)),
  });

async function rotate(endpoint) {
  const done = await confirmDialog('Give this endpoint a new secret?', [`Events for ${endpoint.endpoint_url} are signed with the new secret at once, and no longer with the one of now.`, 'Take it there right away. What the endpoint refuses until then is sent again.'], {
    label: 'New secret',
    run: () => post(`${one(endpoint)}/rotate_secret`),
  });
  if (done) say('The endpoint has a new secret');
  return done;
}

function endpointMenu(endpoint, { changed, deleted }) {
  if (!can(WRITE)) return null;
  const after = (act, then) => async () => {
    if (await act(endpoint)) then();
  };
  return menu(`Actions for ${endpoint.endpoint_url}`, [
    { label: 'Edit', run: after(edit, changed) },
    { label: endpoint.status === 'enabled' ? 'Disable' : 'Enable', run: after(turn, changed) },
    { label: 'New secret', run: after(rotate, changed) },
    { label: 'Delete', danger: true, run: after(erase, deleted) },
  ]);
}

const ABOUT = 'Programs of yours, or of your customers, that are told of events as they happen.';

export function showWebhooks(_, { signal }) {
  const create = async () => {
    const made = await edit();
    if (made) go(place(made));
  };
  const newButton = () => (can(WRITE) ? button('New endpoint', { class: 'button primary', onclick: create }, 'plus') : null);
  const list = later(async () => {
    const { data, list_metadata: metadata } = await get(`/webhook_endpoints${query({ limit: PAGE, after: parameter('after'), before: parameter('before') })}`, { signal });
    if (data.length === 0) return empty('No webhook endpoints', ABOUT, newButton());
    return [
      table(
        'Webhook endpoints',
        [
          { label: 'URL', class: 'lead', cell: (endpoint) => el('a', { href: place(endpoint), class: 'strong address' }, endpoint.endpoint_url) },
          { label: 'State', cell: statusBadge },
          { label: 'Events', cell: (endpoint) => chips(endpoint.events, 2) },
          { label: 'Created', cell: (endpoint) => ago(endpoint.created_at) },
          { label: '', class: 'menu-cell', cell: (endpoint) => endpointMenu(endpoint, { changed: list.reload, deleted: list.reload }) },
        ],
        data,
      ),
      pager(metadata, setQuery),
    ];
  });
  return { title: 'Webhooks', node: [heading('Webhooks', { about: ABOUT, actions: [newButton()] }), list] };
}

// -- One endpoint ----------------------------------------------------------------------------------

/** Hidden until asked for, so that no screenshot shows it by accident. */
function secretText(secret) {
  const shown = el('code', {}, `${secret.slice(0, 6)}••••••••`);
  const reveal = button('Show', {
    class: 'link',
    'aria-expanded': 'false',
    onclick: () => {
      const open = reveal.getAttribute('aria-expanded') === 'true';
      fill(shown, open ? `${secret.slice(0, 6)}••••••••` : secret);
      fill(reveal, open ? 'Show' : 'Hide');
      reveal.setAttribute('aria-expanded', String(!open));
    },
  });
  return el('span', { class: 'id' }, shown, reveal, copyButton(secret, 'Copy the secret'));
}

const about = (endpoint) =>
  el(
    'section',
    { class: 'panel', 'aria-label': 'The endpoint' },
    facts([
      ['State', statusBadge(endpoint)],
      ['Id', idText(endpoint.id)],
      ['Secret', secretText(endpoint.secret)],
      ['Events', chips(endpoint.events)],
      ['Created', ago(endpoint.created_at)],
    ]),
  );

const STATUSES = {
  failed: ['Failed', 'Nothing has failed', 'Deliveries that were given up after the last try are kept here for a month.'],
  pending: ['Waiting', 'Nothing is waiting', 'Deliveries that are on their way, or that are to be tried again.'],
  delivered: ['Delivered', 'Nothing yet', 'Deliveries that arrived are kept here for a week.'],
};

const eventUrl = (delivery) => url('/events') + query({ event: delivery.event_id });

function outcome(delivery) {
  if (delivery.last_error) return el('span', {}, delivery.last_status ? [code(String(delivery.last_status)), ' '] : null, delivery.last_error);
  return delivery.last_status ? code(String(delivery.last_status)) : el('span', { class: 'muted' }, 'Not tried yet');
}

function deliveries(endpoint, status, { signal, again }) {
  const resend = async (delivery) => {
    await post(path`/webhook_deliveries/${delivery.id}/resend`);
    say('It is sent again');
    again();
  };
  return later(async () => {
    const { data, list_metadata: metadata } = await get(`${one(endpoint)}/deliveries${query({ status, limit: PAGE, after: parameter('after'), before: parameter('before') })}`, { signal });
    if (data.length === 0) return empty(STATUSES[status][1], STATUSES[status][2]);
    return [
      table(
        `${STATUSES[status][0]} deliveries`,
        [
          { label: 'Event', class: 'lead', cell: (delivery) => el('a', { href: eventUrl(delivery) }, badge(...describe(delivery.event))) },
          { label: 'Outcome', cell: outcome },
          { label: 'Tries', cell: (delivery) => String(delivery.attempts) },
          { label: 'Last try', cell: (delivery) => ago(delivery.last_attempt_at) },
          status === 'pending' ? { label: 'Next try', cell: (delivery) => ago(delivery.next_attempt_at) } : null,
          {
            label: '',
            class: 'menu-cell',
            cell: (delivery) =>
              menu(`Actions for ${delivery.event_id}`, [
                { label: 'View the event', run: () => go(eventUrl(delivery)) },
                can(WRITE) ? { label: 'Send again', run: () => resend(delivery) } : null,
              ]),
          },
        ].filter(Boolean),
        data,
      ),
      pager(metadata, setQuery),
    ];
  });
}

async function resendAll(endpoint, again) {
  const done = await confirmDialog('Send all failed events again?', `Everything that could not be delivered to ${endpoint.endpoint_url} is tried anew.`, {
    label: 'Send all again',
    run: async () => {
      let resent = 0;
      let answer;
      do {
        answer = await post(`${one(endpoint)}/resend_failed`);
        resent += answer.resent;
      } while (answer.remaining && answer.resent > 0);
      say(resent === 1 ? 'One event is sent again' : `${resent} events are sent again`);
    },
  });
  if (done) again();
}

export async function showWebhook({ id, status = 'failed' }, { signal }) {
  const endpoint = await get(path`/webhook_endpoints/${id}`, { signal });
  const shown = STATUSES[status] ? status : 'failed';
  const list = deliveries(endpoint, shown, { signal, again: () => list.reload() });
  const resend = shown === 'failed' && can(WRITE) ? button('Send all again', { onclick: () => resendAll(endpoint, () => list.reload()) }) : null;
  const actions = endpointMenu(endpoint, { changed: () => setQuery({}, { replace: true }), deleted: () => go(url('/webhooks')) });
  return {
    title: 'Webhook endpoint',
    node: [
      heading(endpoint.endpoint_url, { trail: [['Webhooks', url('/webhooks')]], actions: [actions] }),
      about(endpoint),
      tabs('Deliveries', Object.entries(STATUSES).map(([name, [label]]) => [name, place(endpoint, name), label]), shown),
      resend ? el('div', { class: 'toolbar' }, resend) : null,
      list,
    ].filter(Boolean),
  };
}
