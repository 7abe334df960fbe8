// SPDX-License-Identifier: MIT
//
// The event log: newest first, live, readable.
import { get, path, query } from './api.js';
import { facts, openDialog } from './dialogs.js';
import { el, fill, uniqueId } from './dom.js';
import { ago, badge, code, dateTime } from './format.js';
import { TYPES, describe } from './event_types.js';
import { organizationUrl } from './organizations.js';
import { parameter, setQuery } from './places.js';
import { button, copyButton, empty, heading, idText, later, note } from './ui.js';

const PAGE = 30;
const PAGE_MOST = 100;
const PAGES_MOST = 5; // of new events in one poll; after more the list starts again
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

const filters = () => ({ events: parameter('type'), organization_id: parameter('organization') });

/** The start of the chosen time range; '' for any. */
const since = () => (parameter('range') ? new Date(Date.now() - Number(parameter('range'))).toISOString() : '');

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

/**
 * The shown events: newest first, without gaps. `ask(parameters, options)` gets a page,
 * `draw(event)` makes a row. An answer to a question from before the filters changed is dropped.
 */
class EventList {
  node = el('ol', { class: 'events', 'aria-label': 'Events, newest first' });
  more = el('div', { class: 'pager' });
  #ask;
  #draw;
  #seen = new Set();
  #newest = null;
  #oldest = null; // the cursor for older ones; null: there are none
  #since = ''; // the filter's time, as it was when the list began
  #run = 0;

  constructor(ask, draw) {
    this.#ask = ask;
    this.#draw = draw;
  }

  /** Loads the first page. False: no event matches the filters. */
  async load(since) {
    const run = ++this.#run;
    const page = await this.#get(run, { order: 'desc', limit: PAGE, range_start: since });
    this.#seen.clear();
    this.#newest = null;
    this.#since = since;
    fill(this.node);
    this.#append(page);
    return page.data.length > 0;
  }

  /** Adds all events since the last poll. True: there are too many; load the first page instead. */
  async loadNewer() {
    const run = this.#run;
    if (this.#newest === null) return this.#loadFirst(run);
    for (let pages = 0; pages < PAGES_MOST; pages++) {
      const page = await this.#get(run, { order: 'asc', limit: PAGE_MOST, after: this.#newest }, { background: true });
      for (const event of this.#fresh(page.data)) {
        const row = this.#draw(event);
        row.classList.add('new');
        this.node.prepend(row);
        this.#newest = event.id;
      }
      if ((page.list_metadata?.after ?? null) === null) return false;
    }
    return true;
  }

  async loadOlder() {
    const run = this.#run;
    this.#append(await this.#get(run, { order: 'desc', limit: PAGE, after: this.#oldest }));
  }

  async #loadFirst(run) {
    const page = await this.#get(run, { order: 'desc', limit: PAGE, range_start: this.#since }, { background: true });
    this.#append(page);
    return false;
  }

  async #get(run, parameters, options = {}) {
    const page = await this.#ask(parameters, options);
    if (run !== this.#run) throw new DOMException('', 'AbortError');
    return page;
  }

  #fresh(events) {
    return events.filter(({ id }) => !this.#seen.has(id) && this.#seen.add(id));
  }

  /** The service takes a cursor or a time, not both: with a cursor the time is checked here. */
  #append({ data, list_metadata: metadata }) {
    const wanted = this.#since === '' ? data : data.filter((event) => event.created_at >= this.#since);
    this.#newest ??= wanted[0]?.id ?? null;
    this.node.append(...this.#fresh(wanted).map(this.#draw));
    this.#oldest = wanted.length === data.length ? (metadata?.after ?? null) : null;
    this.#showMore();
  }

  #showMore(problem = null) {
    const onclick = async () => {
      older.disabled = true;
      try {
        await this.loadOlder();
      } catch (error) {
        if (error.name !== 'AbortError' && error.status !== 401) this.#showMore(error);
      }
    };
    const older = button(problem ? 'Try again' : 'Show older', { onclick });
    const said = problem ? el('div', { role: 'alert' }, note(problem.message, 'danger')) : null;
    fill(this.more, this.#oldest ? [said, older] : null);
  }
}

export function showEvents(_, { signal }) {
  const open = (event) => () => {
    setQuery({ event: event.id }, { quiet: true });
    showOne(event.id, signal);
  };
  const ask = (parameters, options) => get(`/events${query({ include: 'operator_events', ...filters(), ...parameters })}`, { signal, ...options });
  const list = new EventList(ask, (event) => row(event, open(event)));
  const body = later(async () => {
    const some = await list.load(since());
    return some ? [list.node, list.more] : empty('No events', 'Nothing that fits these filters has happened.');
  });

  const state = el('span', { class: 'live-state' }, 'Live');
  const live = el('span', { class: 'live', role: 'status' }, el('span', { class: 'dot', 'aria-hidden': 'true' }), state);
  const announce = (good) => {
    live.classList.toggle('off', !good);
    if (state.textContent !== (good ? 'Live' : 'Not connected')) fill(state, good ? 'Live' : 'Not connected');
  };
  const loadNewer = async () => {
    // The cursor's event was pruned: start again.
    const anew = await list.loadNewer().catch((error) => error.fields?.after ? true : Promise.reject(error));
    if (anew) await body.reload();
    else if (list.node.hasChildNodes() && !list.node.isConnected) fill(body, list.node, list.more);
  };
  const poll = async () => {
    if (signal.aborted) return;
    if (document.visibilityState === 'visible' && !body.hasAttribute('aria-busy')) {
      try {
        await loadNewer();
        announce(true);
      } catch (error) {
        if (signal.aborted || error.status === 401) return;
        if (error.name !== 'AbortError') announce(false);
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
