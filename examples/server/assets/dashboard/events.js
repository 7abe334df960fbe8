// SPDX-License-Identifier: MIT
//
// What happened: newest first, live, each in a form that a person can read.
import { get, path, query } from './api.js';
import { facts, openDialog } from './dialogs.js';
import { el, fill, uniqueId } from './dom.js';
import { ago, badge, code, dateTime } from './format.js';
import { TYPES, describe } from './event_types.js';
import { organizationUrl } from './organizations.js';
import { parameter, setQuery } from './places.js';
import { button, copyButton, empty, heading, idText, later } from './ui.js';

const PAGE = 30;
const LIVE_MS = 3000;

const SOURCES = { api: 'API', dashboard: 'Dashboard', admin_portal: 'Widget', system: 'System' };
const RANGES = [['', 'Any time'], ['3600000', 'Last hour'], ['86400000', 'Last 24 hours'], ['604800000', 'Last 7 days'], ['2592000000', 'Last 30 days']];

const subject = ({ data }) => data.name ?? data.slug ?? data.user_id ?? data.id ?? '';
const organizationOf = ({ data }) => data.owner?.organization_id ?? (data.owner?.type === 'organization' ? data.owner.id : null) ?? data.organization_id ?? (data.object === 'organization' ? data.id : null);

function who({ context }) {
  const actor = context?.actor;
  if (!actor) return el('span', { class: 'muted' }, 'Not known');
  if (actor.source === 'system') return el('span', {}, actor.name ?? 'The service itself');
  return el('span', {}, actor.name ?? code(actor.id), ' ', el('span', { class: 'muted' }, SOURCES[actor.source] ?? actor.source));
}

// -- One event -----------------------------------------------------------------------------------------

function value(of) {
  if (of === null || of === undefined) return el('span', { class: 'muted' }, 'none');
  if (typeof of === 'string' && /^\d{4}-\d\d-\d\dT/.test(of)) return dateTime(of);
  if (Array.isArray(of) && of.every((item) => typeof item === 'string')) return of.length > 0 ? of.join(', ') : el('span', { class: 'muted' }, 'none');
  return typeof of === 'object' ? code(JSON.stringify(of)) : String(of);
}

function changes(event) {
  const before = event.data.previous_attributes ?? event.context?.previous_attributes;
  if (!before || Object.keys(before).length === 0) return null;
  return el(
    'section',
    {},
    el('h3', {}, 'What changed'),
    el(
      'table',
      { class: 'changes' },
      el('thead', {}, el('tr', {}, ['Field', 'Before', 'After'].map((text) => el('th', { scope: 'col' }, text)))),
      el('tbody', {}, Object.entries(before).map(([name, old]) => el('tr', {}, el('th', { scope: 'row' }, name), el('td', {}, value(old)), el('td', {}, value(event.data[name]))))),
    ),
  );
}

function details(event) {
  const [label, tone] = describe(event.event);
  const organization = organizationOf(event);
  const raw = JSON.stringify(event, null, 2);
  return [
    el('p', { class: 'event-title' }, badge(label, tone), ' ', el('span', { class: 'strong' }, subject(event))),
    facts([
      ['When', el('span', {}, dateTime(event.created_at), ' (', ago(event.created_at), ')')],
      ['Who', who(event)],
      organization && ['Organization', el('a', { href: organizationUrl(organization) }, code(organization))],
      event.data.obfuscated_value && ['Key', code(event.data.obfuscated_value)],
      ['Event', idText(event.id)],
    ]),
    changes(event),
    el('details', {}, el('summary', {}, 'As JSON'), el('div', { class: 'raw' }, copyButton(raw, 'Copy the JSON'), el('pre', { tabindex: '0' }, el('code', {}, raw)))),
  ];
}

async function showOne(id, signal) {
  await openDialog('Event', () => later(async () => details(await get(path`/events/${id}?include=operator_events`)), { rows: 3 }), { wide: true });
  if (!signal.aborted) setQuery({ event: null }, { replace: true, quiet: true });
}

// -- The list ------------------------------------------------------------------------------------------

function row(event, open) {
  const [label, tone] = describe(event.event);
  return el(
    'li',
    { class: 'event' },
    el('button', { type: 'button', class: 'event-row', onclick: open },
      el('span', { class: 'event-type' }, badge(label, tone)),
      el('span', { class: 'event-subject strong' }, subject(event)),
      el('span', { class: 'event-who' }, who(event)),
      el('span', { class: 'event-when' }, ago(event.created_at)),
    ),
  );
}

function filters() {
  return {
    events: parameter('type'),
    organization_id: parameter('organization'),
    range_start: parameter('range') ? new Date(Date.now() - Number(parameter('range'))).toISOString() : '',
  };
}

function filterBar(change, live) {
  const select = (label, name, options) => {
    const id = uniqueId('filter');
    return el(
      'div',
      { class: 'filter' },
      el('label', { for: id }, label),
      el('select', { id, onchange: (event) => change({ [name]: event.target.value }) }, options.map(([v, text]) => el('option', { value: v, selected: v === parameter(name) ? true : null }, text))),
    );
  };
  const id = uniqueId('filter');
  return el(
    'div',
    { class: 'toolbar filters' },
    select('Type', 'type', [['', 'All types'], ...Object.entries(TYPES).map(([type, [label]]) => [type, label])]),
    select('Time', 'range', RANGES),
    el(
      'div',
      { class: 'filter' },
      el('label', { for: id }, 'Organization id'),
      el('input', { id, value: parameter('organization'), placeholder: 'org_…', spellcheck: 'false', autocomplete: 'off', onchange: (event) => change({ organization: event.target.value.trim() }) }),
    ),
    live,
  );
}

export function showEvents(_, { signal }) {
  const listNode = el('ol', { class: 'events', 'aria-label': 'Events, newest first' });
  const more = el('div', { class: 'pager' });
  const seen = new Set();
  let oldest = null;
  const open = (event) => () => {
    setQuery({ event: event.id }, { quiet: true });
    showOne(event.id, signal);
  };
  const fresh = (events) => events.filter(({ id }) => !seen.has(id) && seen.add(id));
  const olderButton = button('Show older', { onclick: () => loadOlder() });
  const ask = (extra, options) => get(`/events${query({ order: 'desc', limit: PAGE, include: 'operator_events', ...filters(), ...extra })}`, { signal, ...options });
  const append = ({ data, list_metadata: metadata }) => {
    listNode.append(...fresh(data).map((event) => row(event, open(event))));
    oldest = metadata?.after ?? null;
    fill(more, oldest ? olderButton : null);
  };
  async function loadOlder() {
    olderButton.disabled = true;
    try {
      append(await ask({ after: oldest, range_start: '' }));
    } finally {
      olderButton.disabled = false;
    }
  }
  const body = later(async () => {
    seen.clear();
    fill(listNode);
    const page = await ask({});
    if (page.data.length === 0) return empty('No events', 'Nothing that fits these filters has happened.');
    append(page);
    return [listNode, more];
  });

  const state = el('span', { class: 'live-state' }, 'Live');
  const live = el('span', { class: 'live', role: 'status' }, el('span', { class: 'dot', 'aria-hidden': 'true' }), state);
  const announce = (good) => {
    live.classList.toggle('off', !good);
    if (state.textContent !== (good ? 'Live' : 'Not connected')) fill(state, good ? 'Live' : 'Not connected');
  };
  const poll = async () => {
    if (signal.aborted) return;
    if (document.visibilityState === 'visible' && !body.hasAttribute('aria-busy')) {
      try {
        const { data } = await ask({}, { background: true });
        const news = fresh(data);
        if (news.length > 0 && !listNode.isConnected) fill(body, listNode, more);
        listNode.prepend(...news.map((event) => { const node = row(event, open(event)); node.classList.add('new'); return node; }));
        announce(true);
      } catch (error) {
        if (signal.aborted || error.status === 401) return;
        announce(false);
      }
    }
    setTimeout(poll, LIVE_MS);
  };
  setTimeout(poll, LIVE_MS);

  const change = (changed) => {
    setQuery(changed, { replace: true, quiet: true });
    body.reload();
  };
  return {
    title: 'Events',
    node: [heading('Events', { about: 'Every change, who made it, and what was there before.' }), filterBar(change, live), body],
    shown: () => {
      if (parameter('event')) showOne(parameter('event'), signal);
    },
  };
}
