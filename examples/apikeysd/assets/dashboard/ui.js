// SPDX-License-Identifier: MIT
//
// Building blocks of pages: headings, messages, tables, menus, copy buttons.
import { el, fill, icon, uniqueId } from './dom.js';

/** Runs a click's action, and shows a message if it fails. */
const saying = (act) => async (event) => {
  try {
    await act(event);
  } catch (error) {
    if (error.name !== 'AbortError' && error.status !== 401) say(error.message, 'warning');
  }
};

const withWord = ({ onclick, ...attributes }) => ({ ...attributes, onclick: onclick ? saying(onclick) : null });

export const button = (label, attributes = {}, picture = null) =>
  el('button', { type: 'button', class: 'button', ...withWord(attributes) }, picture ? icon(picture) : null, label);

export const iconButton = (label, picture, attributes = {}) =>
  el('button', { type: 'button', class: 'button quiet square', 'aria-label': label, title: label, ...withWord(attributes) }, icon(picture));

/** The top of a page: breadcrumb, title, actions. */
export function heading(title, { trail = [], about = null, actions = [] } = {}) {
  const links = trail.map(([label, href]) => el('a', { href }, label));
  return el(
    'header',
    { class: 'heading' },
    links.length > 0 ? el('nav', { 'aria-label': 'Where you are', class: 'trail' }, links) : null,
    el('div', { class: 'heading-line' }, el('h1', { tabindex: '-1' }, title), el('div', { class: 'actions' }, actions)),
    about ? el('div', { class: 'about' }, about) : null,
  );
}

export function tabs(label, items, current) {
  const links = items.map(([name, href, text]) => el('a', { href, 'aria-current': name === current ? 'page' : null }, text));
  return el('nav', { class: 'tabs', 'aria-label': label }, links);
}

// -- Messages ------------------------------------------------------------------------------------

const toasts = el('div', { class: 'toasts', role: 'status', 'aria-live': 'polite' });

/** Moves messages into the topmost dialog, because that hides the page; back when it closes. */
export function placeToasts() {
  ([...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body).append(toasts);
}

/** A toast: shown for a while at the edge. */
export function say(text, picture = 'check') {
  placeToasts();
  const toast = el('div', { class: 'toast' }, icon(picture), text);
  toasts.append(toast);
  setTimeout(() => toast.remove(), 5000);
}

export const note = (text, tone = 'plain') =>
  el('p', { class: `note ${tone}` }, tone === 'plain' ? null : icon('warning'), el('span', {}, text));

export const empty = (title, text, action = null) => el('div', { class: 'empty' }, el('h2', {}, title), el('p', {}, text), action);

/** An error message with a button to try again. */
export function failure(error, again) {
  const titles = { 403: 'Your key may not see this', 404: 'This is not there' };
  return el(
    'div',
    { class: 'empty failure', role: 'alert' },
    icon('warning'),
    el('h2', {}, titles[error.status] ?? 'This did not work'),
    el('p', {}, error.message),
    again && error.status !== 404 ? button('Try again', { onclick: again }) : null,
  );
}

const skeleton = (rows) =>
  el('div', { class: 'skeleton', 'aria-hidden': 'true' }, Array.from({ length: rows }, () => el('div', {}, el('span'), el('span'), el('span'))));

/** Shows the result of `load`: a skeleton before, an error message if it fails. */
export function later(load, { rows = 5 } = {}) {
  const node = el('div', { class: 'later' });
  const run = async () => {
    node.setAttribute('aria-busy', 'true');
    fill(node, skeleton(rows));
    try {
      fill(node, await load());
    } catch (error) {
      if (error.name === 'AbortError' || error.status === 401) return;
      fill(node, failure(error, run));
    }
    node.removeAttribute('aria-busy');
  };
  node.reload = run;
  run();
  return node;
}

// -- Tables --------------------------------------------------------------------------------------

/**
 * columns: [{ label, cell: (item) => node or text, class }]; on narrow screens each row becomes a
 * card, so every cell has its label and an explicit role.
 */
export function table(caption, columns, items) {
  const head = (column) =>
    el('th', { role: 'columnheader', scope: 'col', class: column.class }, column.label || el('span', { class: 'unseen' }, 'Actions'));
  const cell = (column, item) =>
    el('td', { role: 'cell', class: column.class, 'data-label': column.label || null }, el('div', {}, column.cell(item)));
  const row = (item) => el('tr', { role: 'row' }, columns.map((column) => cell(column, item)));
  return el(
    'div',
    { class: 'table' },
    el(
      'table',
      { role: 'table' },
      el('caption', { class: 'unseen' }, caption),
      el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, columns.map(head))),
      el('tbody', { role: 'rowgroup' }, items.map(row)),
    ),
  );
}

/** Buttons for newer and older pages; none if there is one page only. */
export function pager(metadata, goTo) {
  if (!metadata?.before && !metadata?.after) return null;
  const { before, after } = metadata;
  return el(
    'nav',
    { class: 'pager', 'aria-label': 'Pages' },
    button('Previous', { disabled: !before, onclick: () => goTo({ before, after: null }) }, 'left'),
    button('Next', { class: 'button next', disabled: !after, onclick: () => goTo({ after, before: null }) }, 'right'),
  );
}

export function searchBox(label, value, search) {
  const id = uniqueId('search');
  let timer;
  const oninput = () => {
    clearTimeout(timer);
    timer = setTimeout(() => search(input.value.trim()), 200);
  };
  const input = el('input', { id, type: 'search', value, placeholder: label, autocomplete: 'off', spellcheck: 'false', oninput });
  return el('div', { class: 'search' }, el('label', { for: id, class: 'unseen' }, label), icon('search'), input);
}

// -- Menus ---------------------------------------------------------------------------------------

function placeMenu(list, opener) {
  const box = opener.getBoundingClientRect();
  const below = box.bottom + 4;
  list.style.left = `${Math.max(8, Math.min(box.right, innerWidth - 8) - list.offsetWidth)}px`;
  list.style.top = `${below + list.offsetHeight < innerHeight ? below : Math.max(8, box.top - list.offsetHeight - 4)}px`;
}

/** A menu button. items: [{ label, danger, run }], or falsy. */
export function menu(label, items) {
  const given = items.filter(Boolean);
  if (given.length === 0) return null;
  const id = uniqueId('menu');
  const entry = ({ label: text, danger, run }) => {
    const onclick = saying(() => {
      list.hidePopover();
      return run();
    });
    return el('button', { type: 'button', role: 'menuitem', tabindex: '-1', class: danger ? 'danger' : null, onclick }, text);
  };
  const list = el('div', { id, class: 'menu', role: 'menu', 'aria-label': label, popover: 'auto' }, given.map(entry));
  const opener = iconButton(label, 'more', { 'aria-haspopup': 'menu', 'aria-expanded': 'false', popovertarget: id });
  list.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const entries = [...list.children];
    if (event.key === 'Tab') list.hidePopover();
    if (!step) return;
    event.preventDefault();
    entries[(entries.indexOf(document.activeElement) + step + entries.length) % entries.length].focus();
  });
  list.addEventListener('toggle', (event) => {
    const open = event.newState === 'open';
    opener.setAttribute('aria-expanded', String(open));
    if (!open) return;
    placeMenu(list, opener);
    list.firstChild.focus();
  });
  return el('span', { class: 'menu-place' }, opener, list);
}

// -- Copying -------------------------------------------------------------------------------------

async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = el('textarea', { value: text, class: 'unseen' });
  (document.querySelector('dialog[open]') ?? document.body).append(field);
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  if (!done) throw new Error('copying was refused');
}

export function copyButton(text, label, attributes = {}) {
  const onclick = async () => {
    try {
      await copyText(text);
    } catch {
      say('The browser does not let this be copied: select the text instead.');
      return;
    }
    fill(node, icon('check'));
    say('Copied');
    setTimeout(() => fill(node, icon('copy')), 2000);
  };
  const node = iconButton(label, 'copy', { ...attributes, onclick });
  return node;
}

export const idText = (id, label = 'Copy the id') => el('span', { class: 'id' }, el('code', {}, id), copyButton(id, label));
