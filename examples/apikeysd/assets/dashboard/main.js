// SPDX-License-Identifier: MIT
//
// The dashboard's entry point: the session, and which page is shown.
import { currentSession, forgetSession, onSignedOut, resume, signOut } from './api.js';
import { closeDialogs } from './dialogs.js';
import { el, fill, icon } from './dom.js';
import { showEvents } from './events.js';
import { showFindKey } from './find_key.js';
import { showManagementKeys } from './management_keys.js';
import { showOrganization } from './organization.js';
import { showOrganizations } from './organizations.js';
import { showPermissions } from './permissions.js';
import { find, go, place, start, url } from './places.js';
import { showRoles } from './roles.js';
import { showSettings } from './settings.js';
import { showSignIn, signInAgain } from './sign_in.js';
import { failure, heading, iconButton } from './ui.js';
import { showWebhook, showWebhooks } from './webhooks.js';

place('', () => {
  go(url('/organizations'), { replace: true });
  return { title: '', node: el('div') };
});
place('/organizations', showOrganizations);
place('/organizations/:id/:tab?', showOrganization);
place('/permissions', showPermissions);
place('/roles', showRoles);
place('/events', showEvents);
place('/find', showFindKey);
place('/management-keys', showManagementKeys);
place('/settings', showSettings);
place('/webhooks', showWebhooks);
place('/webhooks/:id/:status?', showWebhook);

const NAVIGATION = [
  ['Customers', [['organizations', 'Organizations', 'organizations'], ['find', 'Find a key', 'search']]],
  ['Access', [['permissions', 'Permissions', 'permissions'], ['roles', 'Roles', 'roles']]],
  ['Activity', [['events', 'Events', 'events'], ['webhooks', 'Webhooks', 'webhooks']]],
  ['Environment', [['management-keys', 'Management keys', 'key'], ['settings', 'Settings', 'settings']]],
];

const main = el('main', { id: 'main', tabindex: '-1' });
let frame = null;
let leave = new AbortController();

function brand() {
  return el('a', { class: 'brand', href: url('/organizations') }, el('span', { class: 'mark' }, icon('key')), 'API keys');
}

function account() {
  const { key } = currentSession();
  return el(
    'div',
    { class: 'account' },
    el('div', {}, el('span', { class: 'account-name' }, key.name), el('span', { class: 'muted' }, key.obfuscated_value)),
    iconButton('Sign out', 'out', {
      onclick: async () => {
        await signOut();
        signedOut();
      },
    }),
  );
}

function buildFrame() {
  const links = new Map();
  const sections = NAVIGATION.map(([title, items]) =>
    el(
      'div',
      { class: 'nav-section' },
      el('h2', {}, title),
      el(
        'ul',
        {},
        items.map(([path, label, picture]) => {
          const link = el('a', { href: url(`/${path}`) }, icon(picture), label);
          links.set(path, link);
          return el('li', {}, link);
        }),
      ),
    ),
  );
  const side = el('nav', { class: 'side', id: 'navigation', 'aria-label': 'Dashboard' }, sections, account());
  const opener = iconButton('Menu', 'menu', {
    class: 'button quiet square opener',
    'aria-expanded': 'false',
    'aria-controls': 'navigation',
    onclick: () => open(opener.getAttribute('aria-expanded') !== 'true'),
  });
  const open = (yes) => {
    opener.setAttribute('aria-expanded', String(yes));
    node.classList.toggle('open', yes);
  };
  const node = el(
    'div',
    { class: 'frame' },
    el('a', { class: 'skip', href: '#main', onclick: (event) => { event.preventDefault(); main.focus(); } }, 'Skip to the content'),
    el('header', { class: 'top' }, brand(), opener),
    side,
    main,
  );
  node.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && node.classList.contains('open')) {
      open(false);
      opener.focus();
    }
  });
  const mark = () => {
    open(false);
    const current = location.pathname.split('/')[2] ?? '';
    for (const [path, link] of links) {
      if (path === current) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
  };
  return { node, mark };
}

/** `moved`: to another page, so that screen readers announce it and start at its top. */
async function show({ moved = false } = {}) {
  leave.abort();
  leave = new AbortController();
  closeDialogs();
  if (currentSession() === null) {
    document.title = 'Sign in · API keys';
    fill(document.body, showSignIn(() => show({ moved: true })));
    document.querySelector('input')?.focus();
    return;
  }
  if (frame === null || !frame.node.isConnected) {
    frame = buildFrame();
    fill(document.body, frame.node);
  }
  frame.mark();
  const found = find(location.pathname);
  const { signal } = leave;
  let page;
  try {
    page = found
      ? await found.view(found.parameters, { signal })
      : { title: 'Not found', node: heading('There is no such page', { about: ['The link may be old. ', el('a', { href: url('/organizations') }, 'All organizations')] }) };
  } catch (error) {
    if (error.name === 'AbortError' || signal.aborted || error.status === 401) return;
    page = { title: 'Problem', node: failure(error, () => show()) };
  }
  if (signal.aborted || page.title === '') return;
  document.title = `${page.title} · API keys`;
  fill(main, page.node);
  page.shown?.();
  if (!moved) return;
  window.scrollTo(0, 0);
  if (document.querySelector('dialog[open]') === null) (main.querySelector('h1') ?? main).focus({ preventScroll: true });
}

function signedOut() {
  frame = null;
  show();
}

/** When the session ends, the page is hidden but kept, so that typed text is not lost. */
onSignedOut(async () => {
  if (await signInAgain()) {
    document.querySelector('.account')?.replaceWith(account());
    return;
  }
  forgetSession();
  signedOut();
});
start(show);
try {
  await resume();
  await show();
} catch (error) {
  fill(document.body, el('main', { class: 'alone' }, failure(error, () => location.reload())));
}
