// SPDX-License-Identifier: MIT
//
// <api-keys-widget> in a browser, embedded by a page of another origin, against the real service.
// Only failures are made up, between the browser and the service.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { axeViolations, keepScreenshot, openPage, servePages, startBrowser } from './browser.mjs';
import { startServer } from './server.mjs';

const API = '**/_widgets/**';
const LIST = '**/_widgets/ApiKeys/organization-api-keys*';
const PERMISSIONS = '**/_widgets/ApiKeys/permissions*';
const CORS = { 'access-control-allow-origin': '*' };
const HOSTILE = [
  '<img src=x onerror="window.broken=1">',
  '\u200fgnp.eltit \u05e9\u200f',
  '😀'.repeat(63) + 'abc', // 255 bytes
  '"><script>window.broken=1</script>{name}',
];

let server, pages, browser, page, widget;
let shared; // the page of all tests that ask for none of their own

before(async () => {
  pages = await servePages({});
  server = await startServer({ args: ['--allow-origin', pages.origin] });
  browser = await startBrowser();
  // The strictest policy that the widget's documentation promises to live with.
  const policy =
    `default-src 'none'; script-src ${server.url}; connect-src ${server.url}; img-src 'self'; ` +
    `base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'`;
  pages.files['/favicon.ico'] = { type: 'image/x-icon', body: '' };
  pages.files['/'] = {
    type: 'text/html; charset=utf-8',
    headers: { 'content-security-policy': policy },
    body:
      '<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">' +
      '<title>Settings</title>' +
      `<script type="module" src="${server.url}/widget/v1/api-keys-widget.js"></script>` +
      '<main><h1>API keys</h1><api-keys-widget></api-keys-widget></main></html>',
  };
});

after(async () => {
  await browser?.close();
  await pages?.close();
  await server?.stop();
});

// To open a page takes longer than most tests do, and show() loads its document anew.
beforeEach(async () => {
  shared ??= await open();
  use(shared);
});

/** A page of this test's own, in the shared one's place. */
async function openOwn(options) {
  use(await open(options));
}

function use(opened) {
  page = opened;
  page.complaints = [];
  widget = page.locator('api-keys-widget');
}

async function open(options) {
  const opened = await openPage(browser, options);
  opened.setDefaultTimeout(10_000);
  await opened.addInitScript(() => {
    window.violations = [];
    document.addEventListener('securitypolicyviolation', (event) =>
      window.violations.push(`${event.violatedDirective}: ${event.blockedURI}`),
    );
  });
  return opened;
}

/** The shared page as it was; any other, and one of a test that failed, is no more. */
async function leave(passed) {
  if (page === shared && passed) {
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await page.context().clearPermissions();
    await page.mouse.move(0, 0);
    return;
  }
  if (page === shared) shared = undefined;
  await page.context().close();
}

afterEach(async (context) => {
  const { violations, broken } = await page.evaluate(() => ({
    violations: window.violations,
    broken: window.broken,
  }));
  await leave(context.passed ?? false);
  for (const id of await keyIds()) await api('DELETE', `/_widgets/ApiKeys/${id}`);
  assert.deepEqual(violations, []);
  assert.equal(broken, undefined);
  assert.deepEqual(page.complaints.filter((text) => text.startsWith('uncaught')), []);
});

// -- Steps ----------------------------------------------------------------------------------------

async function api(method, path, body) {
  const token = await server.widgetToken();
  const answer = await server.request(method, path, { key: token, body });
  assert(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
  return answer.body;
}

async function keyIds() {
  const { data } = await api('GET', '/_widgets/ApiKeys/organization-api-keys?limit=100');
  return data.map(({ id }) => id);
}

async function makeKey(name, expiresAt = null) {
  const body = { name, permissions: ['posts:read'], expiresAt };
  const key = await api('POST', '/_widgets/ApiKeys/organization-api-keys', body);
  server.secrets.add(key.value);
  return key;
}

async function makeKeys(count) {
  for (let i = 1; i <= count; i++) await makeKey(`Key ${String(i).padStart(2, '0')}`);
}

/** A token that only looks like one, with these claims. */
function pretendToken(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part(claims)}.x`;
}

async function show({ token, provider, scope, ready = true } = {}) {
  token ??= await server.widgetToken();
  await page.goto(pages.origin);
  await widget.evaluate(
    (element, given) => {
      if (given.scope) element.scope = given.scope;
      if (given.provider) {
        window.asked = 0;
        element.tokenProvider = async () => given.provider[Math.min(window.asked++, 1)];
      } else element.token = given.token;
    },
    { token, provider, scope },
  );
  if (ready) await table().or(state('No API keys yet')).waitFor();
}

const table = () => widget.getByRole('table', { name: 'API keys' });
const state = (title) => widget.locator('.state .title', { hasText: title });
const dialog = (name) => widget.getByRole('dialog', { name });
const button = (name) => widget.getByRole('button', { name, exact: true });
const names = () => widget.locator('tbody .name').allTextContents();

/** Waits for the page to show these names (a policy without eval rules out waitForFunction). */
async function expectNames(expected) {
  const found = await widget.evaluate(
    ({ shadowRoot }, wanted) =>
      new Promise((resolve) => {
        const read = () => [...shadowRoot.querySelectorAll('tbody .name')].map((n) => n.textContent);
        const look = () => JSON.stringify(read()) === JSON.stringify(wanted) && settle();
        const observer = new MutationObserver(look);
        const settle = () => {
          observer.disconnect();
          resolve(read());
        };
        observer.observe(shadowRoot, { childList: true, subtree: true });
        setTimeout(settle, 10_000);
        look();
      }),
    expected,
  );
  assert.deepEqual(found, expected);
}

async function choose(name, item) {
  await widget.locator('tbody tr', { hasText: name }).getByRole('button').click();
  await widget.getByRole('menuitem', { name: item }).click();
}

async function fillCreate(name) {
  await button('Create API key').first().click();
  await dialog('Create an API key').getByLabel('Name', { exact: true }).fill(name);
  return dialog('Create an API key');
}

const submitCreate = () =>
  dialog('Create an API key').getByRole('button', { name: 'Create API key' }).click();

async function expectAccessible() {
  assert.deepEqual(await axeViolations(page), []);
}

const focused = () =>
  page.evaluate(() => {
    const node = document.activeElement.shadowRoot?.activeElement;
    return node?.getAttribute('aria-label') ?? node?.textContent ?? null;
  });

// -- What it is for -------------------------------------------------------------------------------

test('create, copy once, and nothing of the value is left', async () => {
  await show();
  await state('No API keys yet').waitFor();
  await expectAccessible();
  await keepScreenshot(page, 'own-empty');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: pages.origin });

  const create = await fillCreate('CI deploys');
  await create.getByLabel('Read posts').check();
  assert.match(await create.getByText('1 of 2 selected').textContent(), /1 of 2/);
  await create.getByRole('button', { name: 'Select all' }).click();
  await create.getByRole('button', { name: 'Deselect all' }).click();
  await create.getByLabel('Write posts').check();
  await create.getByLabel('Expiration').selectOption({ label: 'In 7 days' });
  await expectAccessible();
  await keepScreenshot(page, 'own-create');
  await submitCreate();

  const reveal = dialog('Copy your API key');
  const value = await reveal.getByLabel('API key').inputValue();
  server.secrets.add(value);
  assert.match(value, /^sk_[0-9A-Za-z]{54}$/);
  await expectAccessible();
  await keepScreenshot(page, 'own-reveal');

  await reveal.getByRole('button', { name: 'Done' }).click();
  await reveal.getByText('will not be shown again').waitFor();
  await reveal.getByRole('button', { name: 'Copy key' }).click();
  await reveal.getByRole('button', { name: 'Copied' }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), value);
  await page.keyboard.press('Escape');
  await reveal.waitFor({ state: 'detached' });
  await expectNames(['CI deploys']);

  const markup = await widget.evaluate((element) => {
    const fields = [...element.shadowRoot.querySelectorAll('input')].map((field) => field.value);
    return element.shadowRoot.innerHTML + document.documentElement.outerHTML + fields.join();
  });
  assert(!markup.includes(value));
  assert.equal(await focused(), 'Create API key');

  const validation = await server.request('POST', '/api_keys/validations', { body: { value } });
  assert.equal(validation.body.api_key.name, 'CI deploys');
  assert.deepEqual(validation.body.api_key.permissions, ['posts:write']);
  const days = (Date.parse(validation.body.api_key.expires_at) - Date.now()) / 86_400_000;
  assert(days > 6.9 && days <= 7, `${days} days`);
});

test('a closed copy-once dialog leaves the value nowhere in the memory of the page', async () => {
  await openOwn();
  await show();
  await fillCreate('Short-lived');
  await submitCreate();
  const reveal = dialog('Copy your API key');
  const value = await reveal.getByLabel('API key').inputValue();
  server.secrets.add(value);
  await reveal.getByRole('button', { name: 'Done' }).click();
  await reveal.getByRole('button', { name: 'Close without copying' }).click();
  await reveal.waitFor({ state: 'detached' });
  const session = await page.context().newCDPSession(page);
  let heap = '';
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => (heap += chunk));
  await session.send('HeapProfiler.collectGarbage');
  await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  assert(heap.includes('Short-lived'), 'the heap snapshot shows strings');
  assert(!heap.includes(value));
});

test('paging there and back, and search', async () => {
  await makeKeys(23);
  await show();
  const page1 = await names();
  assert.deepEqual(page1.slice(0, 2), ['Key 23', 'Key 22']);
  assert.equal(page1.length, 10);
  assert(await button('Previous').isDisabled());
  await keepScreenshot(page, 'own-table');
  await button('Next').click();
  await expectNames(Array.from({ length: 10 }, (_, i) => `Key ${13 - i}`.replace(/ (\d)$/, ' 0$1')));
  const page2 = await names();
  await button('Next').click();
  await expectNames(['Key 03', 'Key 02', 'Key 01']);
  assert(await button('Next').isDisabled());
  await button('Previous').click();
  await expectNames(page2);
  await button('Previous').click();
  await expectNames(page1);

  const search = widget.getByRole('searchbox', { name: 'Search keys by name' });
  await search.fill('key 2');
  await expectNames(['Key 23', 'Key 22', 'Key 21', 'Key 20']);
  await search.fill('nothing like it');
  await state('No matching keys').waitFor();
  await expectAccessible();
  await button('Clear search').click();
  await expectNames(page1);
});

test('details, another expiration, revocation', async () => {
  await makeKey('Old');
  const key = await makeKey('Nightly export');
  await show();
  await choose('Nightly export', 'Details');
  await dialog('API key details').getByText(key.id).waitFor();
  await dialog('API key details').getByText('posts:read').waitFor();
  await expectAccessible();
  await keepScreenshot(page, 'own-details');
  await page.keyboard.press('Escape');
  assert.match(await focused(), /^Actions for .Nightly export.$/);

  await choose('Nightly export', 'Edit expiration');
  const edit = dialog('Edit expiration');
  await edit.getByLabel('Expiration').selectOption({ label: 'On a date of your choice…' });
  await edit.getByLabel('Date and time').fill('2001-01-01T00:00');
  await edit.getByRole('button', { name: 'Save' }).click();
  await edit.getByText('Choose a time in the future.').waitFor();
  await edit.getByLabel('Expiration').selectOption({ label: 'In 1 hour' });
  await edit.getByRole('button', { name: 'Save' }).click();
  await edit.waitFor({ state: 'detached' });
  await widget.locator('tbody tr', { hasText: 'Nightly export' }).getByText(/^in (59|60) min/).waitFor();

  await choose('Nightly export', 'Revoke');
  const confirm = widget.getByRole('alertdialog', { name: 'Revoke this API key?' });
  await confirm.getByText('cannot be undone').waitFor();
  assert.equal(await focused(), 'Cancel');
  await expectAccessible();
  await keepScreenshot(page, 'own-revoke');
  await confirm.getByRole('button', { name: 'Revoke key' }).click();
  await confirm.waitFor({ state: 'detached' });
  await expectNames(['Old']);
  const validation = await server.request('POST', '/api_keys/validations', { body: { value: key.value } });
  assert.equal(validation.body.api_key, null);
});

test('revoking what somebody else has revoked meanwhile', async () => {
  const key = await makeKey('Shared');
  await show();
  await choose('Shared', 'Revoke');
  await api('DELETE', `/_widgets/ApiKeys/${key.id}`);
  await button('Revoke key').click();
  await state('No API keys yet').waitFor();
});

test('by keyboard alone', async () => {
  await makeKey('Second');
  await makeKey('First');
  await show();
  await page.evaluate(() => document.querySelector('h1').setAttribute('tabindex', '-1'));
  await page.focus('h1');
  for (const expected of ['Search keys by name', 'Create API key', /Actions for .First/]) {
    await page.keyboard.press('Tab');
    assert.match(await focused(), new RegExp(expected));
  }
  await page.keyboard.press('Enter');
  assert.equal(await focused(), 'Details');
  await page.keyboard.press('ArrowDown');
  assert.equal(await focused(), 'Edit expiration');
  await page.keyboard.press('End');
  assert.equal(await focused(), 'Revoke');
  await page.keyboard.press('ArrowDown');
  assert.equal(await focused(), 'Details');
  await page.keyboard.press('r');
  assert.equal(await focused(), 'Revoke');
  await expectAccessible();
  await page.keyboard.press('Escape');
  assert.match(await focused(), /Actions for .First/);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  assert.equal(await focused(), 'Cancel');
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'Revoke key');
  await page.keyboard.press('Enter');
  await expectNames(['Second']);
  assert.match(await focused(), /Actions for .Second/);
});

test('hostile names are text', async () => {
  for (const name of HOSTILE) await makeKey(name);
  await show();
  assert.deepEqual(await names(), [...HOSTILE].reverse());
  for (const name of HOSTILE) {
    const row = (await names()).indexOf(name);
    await widget.locator('tbody tr').nth(row).getByRole('button').click();
    await widget.getByRole('menuitem', { name: 'Details' }).click();
    assert((await dialog('API key details').locator('.name').textContent()) === name);
    await page.keyboard.press('Escape');
  }
  assert.equal(await widget.evaluate((e) => e.shadowRoot.querySelectorAll('img, script').length), 0);
  const right = await widget.evaluate((e) => e.shadowRoot.querySelector('.root').scrollWidth <= e.clientWidth);
  assert(right, 'nothing sticks out');
  await keepScreenshot(page, 'own-hostile-names');

  const create = await fillCreate('😀'.repeat(64));
  await submitCreate();
  await create.getByText('The name is too long').waitFor();
  await create.getByLabel('Name', { exact: true }).fill('   ');
  await submitCreate();
  await create.getByText('Give the key a name.').waitFor();
});

test("members' own keys, with who made them", async () => {
  await show({ scope: 'user' });
  await fillCreate('Mine');
  await submitCreate();
  const reveal = dialog('Copy your API key');
  server.secrets.add(await reveal.getByLabel('API key').inputValue());
  await reveal.getByRole('button', { name: 'Done' }).click();
  await reveal.getByRole('button', { name: 'Close without copying' }).click();
  await widget.getByRole('columnheader', { name: 'Created by' }).waitFor();
  await widget.locator('tbody').getByText('Ada Admin').waitFor();
  await choose('Mine', 'Revoke');
  await button('Revoke key').click();
  await state('No API keys yet').waitFor();
});

// -- How it looks ---------------------------------------------------------------------------------

/** English in a page from right to left: its words stand in order, at the right edge. */
async function expectReadFromLeft(text) {
  const found = await dialog('Create an API key').getByText(text).evaluate((node) => {
    const at = (i) => {
      const range = document.createRange();
      range.setStart(node.firstChild, i);
      range.setEnd(node.firstChild, i + 1);
      return range.getBoundingClientRect();
    };
    return [at(0).left, at(node.firstChild.length - 1).left];
  });
  assert(found[0] < found[1], `${text}: ${found}`);
  const hint = dialog('Create an API key').getByText('What is it for?');
  const [words, room] = await hint.evaluate((node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return [range.getBoundingClientRect().right, node.getBoundingClientRect().right];
  });
  assert(Math.abs(words - room) < 2, `${words} of ${room}`);
}

const USUAL = { colorScheme: 'light', forcedColors: 'none', reducedMotion: 'reduce' };
const WIDE = { width: 1100, height: 800 };

for (const [name, { viewport = WIDE, locale, ...media }, prepare] of [
  ['dark', { colorScheme: 'dark', reducedMotion: 'no-preference' }],
  ['dark-by-attribute', {}, (element) => element.setAttribute('theme', 'dark')],
  ['narrow', { viewport: { width: 320, height: 720 } }],
  ['right-to-left', { locale: 'ar' }, () => (document.documentElement.dir = 'rtl')],
  ['contrast', { forcedColors: 'active' }],
]) {
  test(`in every light: ${name}`, async () => {
    await makeKey('CI deploys', new Date(Date.now() + 3_600_000).toISOString());
    await makeKey('مفتاح الإنتاج');
    await makeKeys(10);
    if (locale) await openOwn({ locale });
    await page.setViewportSize(viewport);
    await page.emulateMedia({ ...USUAL, ...media });
    await show();
    if (prepare) await widget.evaluate(prepare);
    if (name === 'dark-by-attribute')
      await page.evaluate(() => {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync('body { background: #18191b; color: #fff }');
        document.adoptedStyleSheets = [sheet];
      });
    await keepScreenshot(page, `own-${name}`, { fullPage: true });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert(wide <= 0, `sticks out by ${wide}px`);
    if (name !== 'contrast' && name !== 'dark') await expectAccessible();
    await fillCreate('x');
    await dialog('Create an API key').getByLabel('Read posts').waitFor();
    await keepScreenshot(page, `own-${name}-create`);
    if (name === 'right-to-left') await expectReadFromLeft('0 of 2 selected');
    await page.keyboard.press('Escape');
    await page.setViewportSize(WIDE);
    await page.emulateMedia(USUAL);
  });
}

test('texts and colours can be replaced', async () => {
  await show();
  await widget.evaluate((element) => {
    element.strings = { create: 'Schlüssel anlegen', emptyTitle: 'Noch keine Schlüssel' };
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('api-keys-widget { --api-keys-accent: rgb(0, 100, 0); }');
    document.adoptedStyleSheets = [sheet];
  });
  await state('Noch keine Schlüssel').waitFor();
  const color = await button('Schlüssel anlegen').last().evaluate((b) => getComputedStyle(b).backgroundColor);
  assert.equal(color, 'rgb(0, 100, 0)');
});

// -- What goes wrong ------------------------------------------------------------------------------

const fail = (status, body = {}) => (route) =>
  route.request().method() === 'OPTIONS'
    ? route.continue()
    : route.fulfill({ status, headers: CORS, contentType: 'application/json', body: JSON.stringify(body) });

test('a token without the permission', async () => {
  await show({ token: pretendToken({ permissions: ['posts:read'] }), ready: false });
  await state('You cannot manage API keys').waitFor();
  await expectAccessible();
  await keepScreenshot(page, 'own-forbidden');
});

test('a refused token that is not over, and one that is', async () => {
  const permissions = ['widgets:api-keys:manage'];
  const now = Math.floor(Date.now() / 1000);
  await show({ token: pretendToken({ permissions, exp: now + 3600 }), ready: false });
  await state('You cannot manage API keys').waitFor();
  await widget.evaluate((e, token) => (e.token = token), pretendToken({ permissions, exp: now - 60 }));
  await state('Your session has expired').waitFor();
  await expectAccessible();
  await keepScreenshot(page, 'own-session');
});

test('a refused token is renewed once', async () => {
  await makeKey('Behind a new token');
  const stale = pretendToken({ permissions: ['widgets:api-keys:manage'] });
  await show({ provider: [stale, await server.widgetToken()] });
  assert.deepEqual(await names(), ['Behind a new token']);
  assert.equal(await page.evaluate(() => window.asked), 2);
});

test('an error of the service, and trying again', async () => {
  await makeKey('Here after all');
  await page.route(LIST, fail(500, { message: 'no' }));
  await show({ ready: false });
  await state('The API keys could not be loaded').waitFor();
  await expectAccessible();
  await keepScreenshot(page, 'own-failed');
  await page.unroute(LIST);
  await button('Try again').click();
  await expectNames(['Here after all']);
});

for (const [what, answer] of [
  ['no JSON', '<html>'],
  ['no list', '{"data":{}}'],
  ['null', 'null'],
  ['a row without an id', '{"data":[{"name":"x"}]}'],
])
  test(`a malformed answer: ${what}`, async () => {
    await page.route(LIST, (route) => route.fulfill({ status: 200, headers: CORS, body: answer }));
    await show({ ready: false });
    await state('The API keys could not be loaded').waitFor();
  });

test('a row with nothing but the least', async () => {
  const body = '{"data":[{"id":"api_key_x","name":"Bare"}],"list_metadata":null}';
  await page.route(LIST, (route) => route.fulfill({ status: 200, headers: CORS, body }));
  await show();
  await choose('Bare', 'Details');
  await dialog('API key details').getByText('None').first().waitFor();
});

test('no network at first, then offline, then back', async () => {
  await makeKey('Back again');
  await page.route(API, (route) => route.abort());
  await show({ ready: false });
  await state('The API keys could not be loaded').waitFor();
  await page.unroute(API);
  await page.context().setOffline(true);
  await button('Try again').click();
  await state('You are offline').waitFor();
  await page.context().setOffline(false);
  await expectNames(['Back again']);
});

test('a failed refresh keeps what was there and says so', async () => {
  await makeKey('Still here');
  await show();
  await page.route(LIST, fail(503));
  await widget.evaluate((element) => element.refresh());
  await widget.getByText('may be out of date').waitFor();
  assert.deepEqual(await names(), ['Still here']);
  await expectAccessible();
});

test('permissions that cannot be loaded, and a key without any', async () => {
  await page.route(PERMISSIONS, fail(500));
  await show();
  const create = await fillCreate('Bare key');
  await create.getByText('The permissions could not be loaded').waitFor();
  await expectAccessible();
  await keepScreenshot(page, 'own-permissions-failed');
  await submitCreate();
  const reveal = dialog('Copy your API key');
  server.secrets.add(await reveal.getByLabel('API key').inputValue());
  const [id] = await keyIds();
  assert(id);
});

test('a failed creation loses nothing', async () => {
  await show();
  const create = await fillCreate('Typed with care');
  await create.getByLabel('Read posts').check();
  const steps = [
    [fail(500), 'it is not known whether the key was created'],
    [fail(504), 'it is not known whether the key was created'],
    [fail(409, { message: 'no', code: 'api_key_limit_reached' }), 'as many keys as are allowed'],
    [fail(429), 'Too many requests'],
    [fail(403), 'You may not do this'],
    [fail(422, { message: 'no', errors: [{ code: 'invalid', field: 'name' }] }), 'This name cannot be used'],
    [fail(422, { message: 'no', errors: [{ code: 'invalid', field: 'permissions' }] }), 'cannot have these'],
    [fail(422, { message: 'no', errors: [{ code: 'invalid', field: 'expiresAt' }] }), 'expiration cannot be used'],
    [fail(201, { id: 'x', name: 'x' }), 'it is not known whether the key was created'],
    [(route) => route.abort(), 'it is not known whether the key was created'],
  ];
  for (const [answer, said] of steps) {
    const once = (route) => (route.request().method() === 'POST' ? answer(route) : route.continue());
    await page.route(LIST, once);
    await submitCreate();
    await create.getByText(said).waitFor();
    await page.unroute(LIST, once);
    assert.equal(await create.getByLabel('Name', { exact: true }).inputValue(), 'Typed with care');
    assert(await create.getByLabel('Read posts').isChecked());
  }
  await expectAccessible();
  await submitCreate();
  const reveal = dialog('Copy your API key');
  server.secrets.add(await reveal.getByLabel('API key').inputValue());
  assert.equal((await keyIds()).length, 1);
});

/** The service does what it is asked, once; a gateway answers. */
const loseAnswer = async (route) => {
  const answer = await route.fetch();
  const { value } = await answer.json();
  if (value) server.secrets.add(value);
  await fail(504)(route);
};

const isPost = (route) => route.request().method() === 'POST';

test('a creation whose answer was lost: the list shows the key, and trying again gives it', async () => {
  await show();
  const sent = [];
  await page.route(LIST, async (route) => {
    if (!isPost(route)) return route.continue();
    sent.push([route.request().headers()['idempotency-key'], route.request().postData()]);
    if (sent.length === 1) return loseAnswer(route);
    if (sent.length > 2) return route.continue();
    const headers = { ...CORS, 'access-control-expose-headers': 'Retry-After', 'retry-after': '0.1' };
    return route.fulfill({ status: 409, headers, body: '{"message":"","code":"idempotency_key_in_flight"}' });
  });
  const create = await fillCreate('Made all the same');
  await create.getByLabel('Expiration').selectOption({ label: 'In 7 days' });
  await submitCreate();
  await create.getByText('it is not known whether the key was created').waitFor();
  await expectNames(['Made all the same']);
  await expectAccessible();
  await keepScreenshot(page, 'own-lost-answer');
  const [id] = await keyIds();
  // Ten seconds pass for what is kept of creations.
  const age = 'UPDATE idempotency_keys SET created_at = created_at - 10000';
  execFileSync('sqlite3', [join(server.directory, 'keys.db'), age]);
  await submitCreate();
  const reveal = dialog('Copy your API key');
  const value = await reveal.getByLabel('API key').inputValue();
  server.secrets.add(value);
  assert.equal(sent.length, 3);
  assert.match(sent[0][0], /^widget-[0-9a-f]{32}$/);
  assert.deepEqual(sent[1], sent[0]);
  assert.deepEqual(sent[2], sent[0]);
  assert.deepEqual(await keyIds(), [id]);
  const { body } = await server.request('POST', '/api_keys/validations', { body: { value } });
  assert.equal(body.api_key.id, id);
});

test('another form is another key, though an answer was lost', async () => {
  await show();
  const keys = [];
  await page.route(LIST, (route) => {
    if (!isPost(route)) return route.continue();
    keys.push(route.request().headers()['idempotency-key']);
    return keys.length === 1 ? fail(504)(route) : route.continue();
  });
  const create = await fillCreate('First');
  await submitCreate();
  await create.getByText('it is not known whether').waitFor();
  await create.getByLabel('Name', { exact: true }).fill('Second');
  await submitCreate();
  server.secrets.add(await dialog('Copy your API key').getByLabel('API key').inputValue());
  assert.notEqual(keys[0], keys[1]);
});

test('a revocation whose answer was lost leaves it open, and the list says how it ended', async () => {
  await makeKey('Gone all the same');
  await show();
  await page.route(API, async (route) => {
    if (route.request().method() !== 'DELETE') return route.continue();
    return loseAnswer(route);
  });
  await choose('Gone all the same', 'Revoke');
  await button('Revoke key').click();
  const confirm = widget.getByRole('alertdialog');
  await confirm.getByText('it is not known whether that worked').waitFor();
  await state('No API keys yet').waitFor();
  await page.unroute(API);
  await button('Revoke key').click();
  await confirm.waitFor({ state: 'detached' });
  await widget.locator('.toast', { hasText: 'had been revoked already' }).waitFor();
});

test('once the key was copied, by hand too, nothing speaks of closing without it', async () => {
  await show();
  for (const copy of ['by hand', 'by the button']) {
    await fillCreate(`Copied ${copy}`);
    await submitCreate();
    const reveal = dialog('Copy your API key');
    server.secrets.add(await reveal.getByLabel('API key').inputValue());
    await reveal.getByRole('button', { name: 'Done' }).click();
    await reveal.getByRole('button', { name: 'Close without copying' }).waitFor();
    if (copy === 'by hand') {
      await reveal.getByLabel('API key').focus();
      await page.keyboard.press('Control+c');
    } else await reveal.getByRole('button', { name: 'Copy key' }).click();
    await reveal.getByText('will not be shown again').waitFor({ state: 'detached' });
    assert.equal(await reveal.getByText('Close without copying').count(), 0);
    await reveal.getByRole('button', { name: 'Done' }).click();
    await reveal.waitFor({ state: 'detached' });
  }
});

test('a failed revocation says so, and the key stays', async () => {
  await makeKey('Tough');
  await show();
  const refuse = (route) =>
    route.request().method() === 'DELETE' ? fail(200, { success: false })(route) : route.continue();
  await page.route(API, refuse);
  await choose('Tough', 'Revoke');
  await button('Revoke key').click();
  await widget.getByRole('alertdialog').getByText('Please check the list').waitFor();
  await button('Cancel').click();
  assert.deepEqual(await names(), ['Tough']);
});

test('a renewed token does not close a dialog', async () => {
  await show();
  const create = await fillCreate('Half typed');
  await widget.evaluate((element, token) => (element.token = token), await server.widgetToken());
  await widget.locator('.view[aria-busy=false]').waitFor();
  assert.equal(await create.getByLabel('Name', { exact: true }).inputValue(), 'Half typed');
});
