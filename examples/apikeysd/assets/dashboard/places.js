// SPDX-License-Identifier: MIT
//
// The router: every page has a URL, so that links can be shared and the back button works.

const HOME = '/dashboard';
const routes = [];
let show = () => {};

/** place('/organizations/:id/:tab?', view): `view(parameters, context)` returns the page. */
export function place(pattern, view) {
  const names = [];
  const source = pattern.replace(/\/:(\w+)(\??)/g, (_, name, optional) => {
    names.push(name);
    return optional ? '(?:/([^/]+))?' : '/([^/]+)';
  });
  routes.push({ names, view, expression: new RegExp(`^${HOME}${source}/?$`) });
}

const decode = (text) => (text === undefined ? undefined : decodeURIComponent(text));

export function find(pathname) {
  for (const { names, view, expression } of routes) {
    const match = expression.exec(pathname);
    if (match === null) continue;
    try {
      return { view, parameters: Object.fromEntries(names.map((name, i) => [name, decode(match[i + 1])])) };
    } catch {
      return null; // a bad escape
    }
  }
  return null;
}

export const url = (path) => HOME + path;

export function go(target, { replace = false } = {}) {
  history[replace ? 'replaceState' : 'pushState'](null, '', target);
  show({ moved: true });
}

/** Changes the query only; null removes a parameter. Shows the page again unless `quiet`. */
export function setQuery(changes, { replace = false, quiet = false } = {}) {
  const target = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') target.searchParams.delete(name);
    else target.searchParams.set(name, value);
  }
  history[replace ? 'replaceState' : 'pushState'](null, '', target);
  if (!quiet) show({ moved: false });
}

export const parameter = (name) => new URLSearchParams(location.search).get(name) ?? '';

/** A plain click on a link to another place of the dashboard. */
function linkOf(event) {
  const link = event.target.closest?.('a[href]');
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !plain || event.defaultPrevented || link.target || link.hasAttribute('download')) return null;
  return link.origin === location.origin && link.pathname.startsWith(`${HOME}/`) ? link : null;
}

export function start(showPlace) {
  show = showPlace;
  window.addEventListener('popstate', () => show({ moved: true }));
  document.addEventListener('click', (event) => {
    const link = linkOf(event);
    if (link === null) return;
    event.preventDefault();
    go(link.href);
  });
}
