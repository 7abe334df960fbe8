// SPDX-License-Identifier: MIT
//
// The custom element: the list of keys, and the messages shown in its place.
import { Client, Failure } from './client.js';
import { openCreate } from './create.js';
import { foreign, h, icon } from './dom.js';
import { openDetails, openExpiration, openRevoke } from './key_dialogs.js';
import { openMenu } from './menu.js';
import { Texts } from './strings.js';
import { styleSheet } from './style.js';
import { absoluteTime, relativeTime } from './times.js';
import { Tokens } from './tokens.js';

const PAGE_SIZE = 10;
const SEARCH_DELAY_MS = 200;
const TICK_MS = 20_000;
const STALE_MS = 15_000;
const TOAST_MS = 6_000;
const TOKEN_PATIENCE_MS = 5_000;
const SOON_MS = 24 * 3_600_000;

// Messages in place of the list: icon, title, text, and whether to offer another try.
const STATES = {
  forbidden: ['lock', 'forbiddenTitle', 'forbiddenText', 'retry'],
  session: ['clock', 'expiredTitle', 'expiredText', 'reload'],
  token: ['lock', 'noTokenTitle', 'noTokenText', 'retry'],
  offline: ['offline', 'offlineTitle', 'offlineText', 'retry'],
  failed: ['alert', 'failedTitle', 'failedText', 'retry'],
};

const TOASTS = {
  created: 'toastCreated',
  updated: 'toastExpiration',
  revoked: 'toastRevoked',
  gone: 'toastGone',
};

export class ApiKeysElement extends HTMLElement {
  static observedAttributes = ['base-url', 'token', 'token-url', 'scope', 'lang'];

  #tokenProvider = null;
  #strings = {};
  #place = {};
  #search = '';
  #page = null; // the last page loaded: { rows, older, newer }
  #loadedAt = 0;
  #loading = null;
  #starting = false;
  #sleeping = null; // listeners and timers of a connected element
  #closeMenu = () => {};

  constructor() {
    super();
    this.attachShadow({ mode: 'open' });
    this.menuPlace = new CSSStyleSheet();
    this.shadowRoot.adoptedStyleSheets = [styleSheet(), this.menuPlace];
  }

  connectedCallback() {
    // A property that was set before the element was defined.
    for (const name of ['tokenProvider', 'strings', 'token', 'baseUrl', 'scope', 'tokenUrl']) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete this[name];
      this[name] = value;
    }
    this.#sleeping = new AbortController();
    const { signal } = this.#sleeping;
    const wake = () => {
      if (document.visibilityState === 'visible' && Date.now() - this.#loadedAt > STALE_MS) this.refresh();
    };
    document.addEventListener('visibilitychange', wake, { signal });
    addEventListener('focus', wake, { signal });
    addEventListener('online', () => this.refresh(), { signal });
    const ticking = setInterval(() => this.#tick(), TICK_MS);
    signal.addEventListener('abort', () => clearInterval(ticking));
    this.#restart();
  }

  disconnectedCallback() {
    this.#sleeping.abort();
    this.#loading?.abort();
    this.#closeMenu();
    this.#closeDialogs();
  }

  attributeChangedCallback(name, before, after) {
    if (!this.isConnected || before === after) return;
    if (name.startsWith('token')) this.#changeToken();
    else this.#restart();
  }

  get tokenProvider() {
    return this.#tokenProvider;
  }
  set tokenProvider(provider) {
    const given = this.tokens?.given;
    this.#tokenProvider = typeof provider === 'function' ? provider : null;
    // Frameworks set a new function at each rendering: it is asked when a token is needed.
    if (this.isConnected && !given) this.#restart();
  }
  get strings() {
    return this.#strings;
  }
  set strings(strings) {
    const same = JSON.stringify(strings) === JSON.stringify(this.#strings);
    this.#strings = { ...strings };
    if (this.isConnected && !same) this.#restart();
  }
  get token() {
    return this.getAttribute('token');
  }
  set token(token) {
    this.#reflect('token', token);
  }
  get tokenUrl() {
    return this.getAttribute('token-url');
  }
  set tokenUrl(url) {
    this.#reflect('token-url', url);
  }
  get baseUrl() {
    // Where this module came from, unless the page says otherwise.
    return this.getAttribute('base-url') ?? new URL(import.meta.url).origin;
  }
  set baseUrl(url) {
    this.#reflect('base-url', url);
  }
  get scope() {
    return this.getAttribute('scope') === 'user' ? 'user' : 'organization';
  }
  set scope(scope) {
    this.#reflect('scope', scope);
  }
  #reflect(name, value) {
    if (value === null || value === undefined) this.removeAttribute(name);
    else this.setAttribute(name, value);
  }

  /** Loads the shown page again. The old rows stay until the answer comes. */
  refresh() {
    return this.#load({ quiet: true });
  }

  // -- From a change of the page's wishes to a list ----------------------------------------------

  /** Several attributes often change together: react once. */
  #restart() {
    if (this.#starting) return;
    this.#starting = true;
    queueMicrotask(() => {
      this.#starting = false;
      if (this.isConnected) this.#start();
    });
  }

  /** Dialogs stay open, so that a renewed token loses no typed text and no new key. */
  #changeToken() {
    if (!this.tokens || !this.#page) {
      this.#restart();
      return;
    }
    this.tokens.forget();
    this.#place = {};
    this.#load();
  }

  #closeDialogs() {
    for (const dialog of this.shadowRoot.querySelectorAll('dialog')) dialog.close();
  }

  #start() {
    const lang = this.closest('[lang]')?.lang || undefined;
    let locale;
    try {
      [locale] = Intl.getCanonicalLocales(lang);
    } catch {
      locale = undefined;
    }
    this.texts = new Texts(this.#strings, locale);
    this.tokens = new Tokens(this);
    this.client = new Client(this.baseUrl, this.tokens, this.scope);
    this.#page = null;
    this.#place = {};
    this.#search = '';
    this.#closeDialogs();
    this.#build();
    this.#showSkeleton();
    clearTimeout(this.patience);
    if (this.tokens.given) this.#load();
    else this.patience = setTimeout(() => this.#showState('token'), TOKEN_PATIENCE_MS);
  }

  async #load({ quiet = false } = {}) {
    if (!this.tokens?.given) return;
    this.#loading?.abort();
    const loading = (this.#loading = new AbortController());
    this.view.setAttribute('aria-busy', 'true');
    try {
      await this.#getToken();
      if (loading.signal.aborted) return;
      const page = await this.client.list(this.#place, this.#search, PAGE_SIZE, loading.signal);
      if (loading.signal.aborted) return;
      this.#loadedAt = Date.now();
      await this.#accept(page);
    } catch (failure) {
      if (!loading.signal.aborted) this.#fail(failure, quiet);
    } finally {
      if (this.#loading === loading) this.view.setAttribute('aria-busy', 'false');
    }
  }

  /** A token without the permission may be old: ask the page for another one. */
  async #getToken() {
    try {
      await this.tokens.get();
      if (!this.client.mayTry) await this.tokens.renew();
    } catch {
      throw new Failure(navigator.onLine ? 'token' : 'offline');
    }
    if (!this.client.mayTry) throw new Failure('forbidden');
  }

  /** If the page is empty because its last key is gone, shows the newest page. */
  #accept(page) {
    const astray = page.rows.length === 0 && (this.#place.before || this.#place.after);
    if (astray) {
      this.#place = {};
      return this.#load();
    }
    this.#page = page;
    this.#showPage();
    return undefined;
  }

  #fail(failure, quiet) {
    const kind = STATES[failure.kind] ? failure.kind : 'failed';
    if (quiet && this.#page) this.stale.hidden = false;
    else this.#showState(kind);
  }

  #go(place) {
    this.#place = place;
    this.#load();
  }

  /** After a confirmed change: announce it, dispatch the event, load the list again. */
  report(what, key) {
    this.#toast(TOASTS[what], key.name);
    const detail = { id: key.id, name: key.name };
    if (what !== 'gone')
      this.dispatchEvent(new CustomEvent(`api-key-${what}`, { detail, bubbles: true, composed: true }));
    if (what !== 'updated') this.#place = {};
    if (what === 'created') this.#clearSearch();
    this.#load({ quiet: true });
  }

  // -- The frame ---------------------------------------------------------------------------------

  #build() {
    const { texts } = this;
    this.#closeMenu();
    this.field = h('input', {
      class: 'field',
      type: 'search',
      autocomplete: 'off',
      'data-focus': 'search',
      placeholder: texts.text('search'),
      'aria-label': texts.text('search'),
      oninput: () => {
        clearTimeout(this.typing);
        this.typing = setTimeout(() => this.#find(this.field.value.trim()), SEARCH_DELAY_MS);
      },
    });
    this.bar = h(
      'div',
      { class: 'bar', hidden: true },
      h('div', { class: 'search' }, icon('search'), this.field),
      this.#createButton(),
    );
    const again = { type: 'button', class: 'link', onclick: () => this.refresh() };
    this.stale = h(
      'div',
      { class: 'note', role: 'status', hidden: true },
      icon('alert'),
      h('span', {}, texts.text('staleText'), ' ', h('button', again, texts.text('retry'))),
    );
    this.view = h('div', { class: 'view' });
    this.status = h('div', { class: 'unseen', role: 'status' });
    this.toast = h('div', { class: 'toast', 'aria-hidden': 'true' });
    this.root = h(
      'div',
      { class: 'root', tabindex: '-1', part: 'root' },
      ...[this.bar, this.stale, this.view, this.status, this.toast],
    );
    this.shadowRoot.replaceChildren(h('div', { class: 'strut' }, h('div')), this.root);
  }

  #createButton() {
    return h(
      'button',
      {
        type: 'button',
        class: 'button primary',
        part: 'create',
        'data-focus': 'create',
        onclick: () => openCreate(this),
      },
      icon('plus'),
      this.texts.text('create'),
    );
  }

  #find(search) {
    if (search === this.#search) return;
    this.#search = search;
    this.#go({});
  }

  #clearSearch() {
    clearTimeout(this.typing);
    this.field.value = '';
    this.#search = '';
  }

  #say(text) {
    this.status.textContent = text;
  }

  #toast(name, keyName) {
    clearTimeout(this.toasting);
    this.#say(this.texts.text(name, { name: keyName }));
    this.toast.replaceChildren(h('span', { class: 'clamp' }, this.texts.nodes(name, { name: foreign(keyName) })));
    this.toasting = setTimeout(() => this.toast.replaceChildren(), TOAST_MS);
  }

  /** Focuses an element that may have been drawn again, or the nearest one. */
  focusOn(name, row = -1) {
    const places = [...this.shadowRoot.querySelectorAll('[data-focus]')];
    const visible = places.filter((place) => place.checkVisibility?.() ?? true);
    const place =
      visible.find(({ dataset }) => dataset.focus === name) ??
      this.view.querySelectorAll('tbody [data-focus]')[row] ??
      visible.find(({ dataset }) => dataset.focus === 'create') ??
      this.root;
    place.focus();
  }

  /** Replaces the view; focus inside it goes to the same thing in the new one. */
  #show(nodes, { bar }) {
    this.#closeMenu();
    const focused = this.shadowRoot.activeElement;
    const name = this.view.contains(focused) ? (focused.dataset.focus ?? '') : null;
    const row = [...this.view.querySelectorAll('tbody tr')].findIndex((tr) => tr.contains(focused));
    this.bar.hidden = !bar;
    this.stale.hidden = true;
    this.view.replaceChildren(...nodes);
    if (name !== null) this.focusOn(name, row);
  }

  // -- What can be in it -------------------------------------------------------------------------

  #showSkeleton() {
    const bone = (size) => h('td', { role: 'cell' }, h('span', { class: `bone w${size}` }));
    const rows = [1, 2, 3].map(() => h('tr', {}, [1, 2, 3, 3].map(bone), h('td')));
    const table = h('table', { 'aria-hidden': 'true' }, h('tbody', {}, rows));
    this.#show([h('div', { class: 'panel' }, table)], { bar: false });
    this.#say(this.texts.text('loading'));
  }

  #showState(kind) {
    const [picture, title, text, remedy] = STATES[kind];
    const onclick = remedy === 'reload' && !this.#canRenew ? () => location.reload() : () => this.#again();
    const label = this.texts.text(remedy === 'reload' && this.#canRenew ? 'retry' : remedy);
    const button = h('button', { type: 'button', class: 'button', 'data-focus': 'retry', onclick }, label);
    this.#show([this.#panel(picture, title, text, button)], { bar: this.#search !== '' });
    this.#say(`${this.texts.text(title)}. ${this.texts.text(text)}`);
  }

  get #canRenew() {
    return Boolean(this.#tokenProvider || this.tokenUrl);
  }

  #again() {
    this.#showSkeleton();
    this.tokens.renew().catch(() => {}).then(() => this.#load());
  }

  #panel(picture, title, text, button, values = {}) {
    return h(
      'div',
      { class: 'panel state' },
      h('div', { class: 'medal' }, icon(picture)),
      h('p', { class: 'title' }, this.texts.text(title)),
      h('p', { class: 'text' }, this.texts.nodes(text, values)),
      button,
    );
  }

  #showPage() {
    const { rows, older, newer } = this.#page;
    if (rows.length === 0) {
      this.#showEmpty();
      return;
    }
    const pager = older || newer ? this.#pager(older, newer) : null;
    this.#show([this.#table(rows), pager].filter(Boolean), { bar: true });
    if (!this.toast.hasChildNodes()) this.#say(this.texts.text('listed', { count: rows.length }));
  }

  #showEmpty() {
    if (this.#search === '') {
      this.#show([this.#panel('key', 'emptyTitle', 'emptyText', this.#createButton())], { bar: false });
      this.#say(this.texts.text('emptyTitle'));
      return;
    }
    const onclick = () => {
      this.#clearSearch();
      this.field.focus();
      this.#go({});
    };
    const clear = h('button', { type: 'button', class: 'button', onclick }, this.texts.text('clearSearch'));
    const search = foreign(this.#search);
    this.#show([this.#panel('search', 'noMatchTitle', 'noMatchText', clear, { search })], { bar: true });
    this.#say(this.texts.text('noMatchTitle'));
  }

  #pager(older, newer) {
    const button = (name, id, place) =>
      h(
        'button',
        { type: 'button', class: 'button', 'data-focus': name, disabled: !id, onclick: () => this.#go(place) },
        this.texts.text(name),
      );
    return h(
      'nav',
      { class: 'pager', 'aria-label': this.texts.text('pages') },
      button('previous', newer, { after: newer }),
      button('next', older, { before: older }),
    );
  }

  // -- The table ---------------------------------------------------------------------------------

  #table(rows) {
    const owners = this.client.seesAllMembers;
    const names = ['name', 'key', owners && 'createdBy', 'lastUsed', 'expires'].filter(Boolean);
    const heads = names.map((name) => h('th', { role: 'columnheader', scope: 'col' }, this.texts.text(name)));
    const last = h('th', { role: 'columnheader', scope: 'col' }, h('span', { class: 'unseen' }, this.texts.text('actions')));
    return h(
      'div',
      { class: 'panel', part: 'panel' },
      h(
        'table',
        { role: 'table', 'aria-label': this.texts.text('tableLabel') },
        h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, heads, last)),
        h('tbody', { role: 'rowgroup' }, rows.map((key) => this.#row(key, owners))),
      ),
    );
  }

  #row(key, owners) {
    const cell = (name, ...content) =>
      h('td', { role: 'cell', 'data-label': name && this.texts.text(name) }, content);
    return h(
      'tr',
      { role: 'row', 'data-id': key.id },
      cell(null, h('span', { class: 'name clamp' }, foreign(key.name))),
      cell('key', h('span', { class: 'mono muted' }, key.obfuscated)),
      owners ? cell('createdBy', h('span', { class: 'clamp', title: key.owner?.email }, foreign(key.owner?.name ?? ''))) : null,
      cell('lastUsed', this.#time(key.lastUsed)),
      cell('expires', this.#expiry(key.expires)),
      cell(null, this.#actions(key)),
    );
  }

  #time(date) {
    if (!date) return h('span', { class: 'muted' }, this.texts.text('never'));
    const { locale } = this.texts;
    const attributes = { datetime: date.toISOString(), title: absoluteTime(date, locale) };
    return h('time', attributes, relativeTime(date, locale));
  }

  #expiry(date) {
    const left = date ? date.getTime() - Date.now() : Infinity;
    if (left <= 0)
      return h('span', { class: 'badge', title: absoluteTime(date, this.texts.locale) }, this.texts.text('expired'));
    const time = this.#time(date);
    if (left < SOON_MS) time.className = 'badge soon';
    return time;
  }

  #actions(key) {
    const { texts } = this;
    const label = texts.text('actionsFor', { name: key.name });
    const expired = key.expires && key.expires.getTime() <= Date.now();
    const items = [
      { label: texts.text('details'), run: () => openDetails(this, key) },
      !expired && { label: texts.text('editExpiration'), run: () => openExpiration(this, key) },
      { label: texts.text('revoke'), danger: true, run: () => openRevoke(this, key) },
    ].filter(Boolean);
    const open = () => {
      const wasOpen = button.getAttribute('aria-expanded') === 'true';
      this.#closeMenu();
      if (!wasOpen) this.#closeMenu = openMenu(button, label, items, this.menuPlace);
    };
    const button = h(
      'button',
      {
        type: 'button',
        class: 'quiet',
        'aria-haspopup': 'menu',
        'aria-expanded': 'false',
        'aria-label': label,
        'data-focus': `actions ${key.id}`,
        onclick: open,
        onkeydown: (event) => {
          if (event.key !== 'ArrowDown') return;
          event.preventDefault();
          open();
        },
      },
      icon('more'),
    );
    return button;
  }

  /** Relative times move on; a key that has just expired says so. */
  #tick() {
    for (const time of this.shadowRoot.querySelectorAll('td time')) {
      const date = new Date(time.dateTime);
      time.textContent = relativeTime(date, this.texts.locale);
    }
    const ended = (row) => row.expires && row.expires.getTime() <= Date.now();
    const marked = this.shadowRoot.querySelectorAll('td .badge:not(.soon)').length;
    const idle = !this.shadowRoot.querySelector('dialog, .menu');
    if (idle && this.#page && this.#page.rows.filter(ended).length !== marked) this.#showPage();
  }
}

if (!customElements.get('api-keys-widget')) customElements.define('api-keys-widget', ApiKeysElement);
