// SPDX-License-Identifier: MIT
//
// The official React widget, unchanged, in a browser, on a page of another origin than the service.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { keepScreenshot, openPage, servePages, startBrowser } from './browser.mjs';
import { serveReactWidget } from './react_widget/index.mjs';
import { startServer } from './server.mjs';

let browser, pages, server, token;

before(async () => {
  [browser, pages] = await Promise.all([startBrowser(), serveReactWidget()]);
  server = await startServer({ args: ['--allow-origin', pages.origin] });
  token = await server.widgetToken();
  serveToken('/token', token);
});

after(async () => {
  await browser.close();
  await pages.close();
  await server.stop();
});

function serveToken(path, text) {
  pages.files[path] = { type: 'text/plain', body: text };
}

async function show({ origin = pages.origin, ...asked } = {}, prepare = () => {}) {
  const page = await openPage(browser);
  await prepare(page);
  await page.goto(`${origin}/?${new URLSearchParams({ port: server.port, ...asked })}`);
  return page;
}

/** A request as the widget would make it: for preparing and for looking behind its back. */
async function asWidget(method, path, body) {
  const answer = await server.request(method, `/_widgets${path}`, { key: token, body });
  assert(answer.status < 300, answer.text);
  return answer.body;
}

async function revokeAll() {
  const { data } = await asWidget('GET', '/ApiKeys/organization-api-keys?limit=100');
  for (const { id } of data) await asWidget('DELETE', `/ApiKeys/${id}`);
}

async function isGood(value) {
  const { body } = await server.request('POST', '/api_keys/validations', { body: { value } });
  return body.api_key !== null;
}

const row = (page, name) => page.getByRole('row').filter({ hasText: name });
const names = (page) => page.locator('tbody tr td:first-child').allInnerTexts();
const button = (scope, name) => scope.getByRole('button', { name, exact: true });

/** Opens the menu of the key's row and chooses there. */
async function choose(page, name, item) {
  await row(page, name).getByRole('button').click();
  await page.getByRole('menuitem', { name: item }).click();
}

/** Waits until the rows are these. */
async function expectNames(page, expected) {
  await page
    .waitForFunction(
      (wanted) => {
        const cells = [...document.querySelectorAll('tbody tr td:first-child')];
        return JSON.stringify(cells.map((cell) => cell.innerText)) === wanted;
      },
      JSON.stringify(expected),
      { timeout: 15000 },
    )
    .catch(async () => assert.deepEqual(await names(page), expected));
}

const keyNames = (from, to) => {
  const list = [];
  for (let i = from; i >= to; i--) list.push(`Key ${i}`);
  return list;
};

test('a key is created, shown once, copied, looked at, given an end, and revoked', async () => {
  const page = await show();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('heading', { name: 'No API keys yet' }).waitFor();
  await keepScreenshot(page, 'react_empty');

  await button(page, 'Create API key').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Name' }).fill('CI <b>deploys</b> 🚀');
  // What keys may be given: two of the three permissions.
  await dialog.getByRole('checkbox').nth(1).waitFor();
  assert.equal(await dialog.getByRole('checkbox').count(), 2);
  assert.equal(await dialog.getByText('Delete posts').count(), 0);
  await dialog.getByRole('checkbox', { name: /Read posts/ }).click();
  await keepScreenshot(page, 'react_create');
  await button(dialog, 'Create API key').click();

  const saved = page.getByRole('dialog', { name: 'Save your key' });
  const value = await saved.getByRole('textbox').inputValue();
  server.secrets.add(value);
  assert.match(value, /^sk_[0-9A-Za-z]{54}$/);
  assert(await isGood(value));
  await keepScreenshot(page, 'react_copy_once');
  await button(saved, 'Copy and close').click();
  await saved.waitFor({ state: 'detached' });
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), value);
  await row(page, 'CI <b>deploys</b> 🚀').waitFor();
  assert(!(await page.content()).includes(value), 'the value is gone from the page');
  await keepScreenshot(page, 'react_list');

  await choose(page, 'CI', 'View details');
  const details = page.getByRole('dialog', { name: 'API key details' });
  await details.getByText('Read all posts of the organization').waitFor();
  await details.getByText(`sk_...${value.slice(-4)}`).waitFor();
  await keepScreenshot(page, 'react_details');
  await button(details, 'Close').click();

  await choose(page, 'CI', 'Edit expiration');
  const edit = page.getByRole('dialog', { name: 'Edit secret key expiration' });
  await edit.getByRole('combobox').click();
  await page.getByRole('option', { name: 'in 24 hours' }).click();
  await button(edit, 'Save changes').click();
  await edit.waitFor({ state: 'detached' });
  const { data } = await asWidget('GET', '/ApiKeys/organization-api-keys?limit=10');
  const left = Date.parse(data[0].expiresAt) - Date.now();
  assert(left > 23 * 3600_000 && left <= 24 * 3600_000, data[0].expiresAt);
  assert(await isGood(value));
  await row(page, /CI.*\d:\d\d [AP]M/s).waitFor();
  await keepScreenshot(page, 'react_expiry');

  await choose(page, 'CI', 'Revoke key');
  const revoke = page.getByRole('alertdialog');
  await keepScreenshot(page, 'react_revoke');
  await button(revoke, 'Revoke key').click();
  await page.getByRole('heading', { name: 'No API keys yet' }).waitFor();
  assert(!(await isGood(value)));
  await page.context().close();
});

test('25 keys: pages forward and back, and the search', async () => {
  await revokeAll();
  for (let i = 1; i <= 25; i++)
    await asWidget('POST', '/ApiKeys/organization-api-keys', {
      name: `Key ${i}`,
      permissions: i % 2 ? ['posts:read'] : [],
      expiresAt: null,
    });
  const page = await show();
  const next = button(page, 'Next'),
    previous = button(page, 'Previous');
  await expectNames(page, keyNames(25, 16));
  assert(await previous.isDisabled());
  await keepScreenshot(page, 'react_first_page');
  await next.click();
  await expectNames(page, keyNames(15, 6));
  await next.click();
  await expectNames(page, keyNames(5, 1));
  assert(await next.isDisabled());
  await previous.click();
  await expectNames(page, keyNames(15, 6));
  await previous.click();
  await expectNames(page, keyNames(25, 16));

  await page.getByRole('textbox').fill('KEY 2');
  await expectNames(page, [...keyNames(25, 20), 'Key 2']);
  await page.getByRole('textbox').fill('100%');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr button').length === 0);
  await keepScreenshot(page, 'react_nothing_found');
  await page.context().close();
});

test("members' own keys: the manager of all sees whose they are", async () => {
  await asWidget('POST', '/UserApiKeys/api-keys', {
    name: 'Mine',
    permissions: [],
    expiresAt: null,
  });
  const page = await show({ scope: 'user' });
  await row(page, 'Mine').waitFor();
  await row(page, 'Ada Admin').waitFor();
  await keepScreenshot(page, 'react_user_keys');
  await choose(page, 'Mine', 'Revoke key');
  await button(page.getByRole('alertdialog'), 'Revoke key').click();
  await page.getByRole('heading', { name: 'No API keys yet' }).waitFor();
  await page.context().close();
});

// -- States of failure ----------------------------------------------------------------------------

// The token with other claims and the old signature: the widget reads it, the service refuses it.
function altered(change) {
  const [header, payload, signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url'));
  change(claims);
  // The widget decodes with atob(), which knows no '-' and '_'.
  const text = Buffer.from(JSON.stringify(claims)).toString('base64').replaceAll('=', '');
  return `${header}.${text}.${signature}`;
}

async function expectState(name, text, asked, prepare) {
  const page = await show(asked, prepare);
  await page.getByText(text).first().waitFor({ timeout: 45000 });
  await keepScreenshot(page, `react_${name}`);
  assert.equal(await page.getByText(/^Key \d+$/).count(), 0, 'nothing is shown');
  await page.context().close();
}

test('each failure is shown as the widget knows it', { concurrency: true }, async (t) => {
  serveToken(
    '/forged',
    altered((claims) => (claims.org_id = 'org_01EHWNCE74X7JSDV0X3SZ3KJNY')),
  );
  serveToken(
    '/expired',
    altered((claims) => (claims.exp = Math.floor(Date.now() / 1000) - 60)),
  );
  serveToken(
    '/scopeless',
    altered((claims) => (claims.permissions = [])),
  );
  serveToken(
    '/without-permissions',
    altered((claims) => delete claims.permissions),
  );
  const elsewhere = await servePages(pages.files);
  const failing = (page) =>
    page.route(/organization-api-keys/, (route) =>
      route.fulfill({
        status: 503,
        contentType: 'application/json',
        body: '{"message":"unavailable"}',
        headers: { 'access-control-allow-origin': '*' },
      }),
    );
  const states = [
    ['forged', 'Incorrect permissions', { token: '/forged' }],
    ['expired', 'Session expired', { token: '/expired' }],
    ['scopeless', 'Incorrect permissions', { token: '/scopeless' }],
    ['without_permissions', 'Authorization error', { token: '/without-permissions' }],
    ['nonsense', 'Error fetching data', { text: 'nonsense' }],
    ['unavailable', 'Error fetching data', {}, failing],
    ['origin_not_allowed', 'Error fetching data', { origin: elsewhere.origin }],
  ];
  await Promise.all(
    states.map(([name, text, asked, prepare]) =>
      t.test(name, () => expectState(name, text, asked, prepare)),
    ),
  );
  await elsewhere.close();
});

test('a token that the service no longer takes is fetched anew, once, and all goes on', async () => {
  const old = altered((claims) => (claims.iat -= 1));
  let asked = 0;
  Object.defineProperty(pages.files, '/renewed', {
    get: () => ({ type: 'text/plain', body: asked++ === 0 ? old : token }),
  });
  const page = await show({ token: '/renewed' });
  await row(page, 'Key 25').waitFor();
  assert(asked >= 2);
  await page.context().close();
});

test('an action that the service refuses leaves its dialog open, with what was typed', async () => {
  const page = await show();
  await button(page, 'Create API key').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Name' }).fill('x'.repeat(2000));
  await button(dialog, 'Create API key').click();
  await dialog.getByText(/error|characters|long|bytes/i).first().waitFor();
  assert.equal(await dialog.getByRole('textbox', { name: 'Name' }).inputValue(), 'x'.repeat(2000));
  await keepScreenshot(page, 'react_refused_create');
  await page.context().close();
});

test('a key that somebody else revoked meanwhile', async () => {
  const page = await show();
  await row(page, 'Key 25').waitFor();
  const { data } = await asWidget('GET', '/ApiKeys/organization-api-keys?limit=1');
  await asWidget('DELETE', `/ApiKeys/${data[0].id}`);
  await choose(page, 'Key 25', 'Revoke key');
  const revoke = page.getByRole('alertdialog');
  await button(revoke, 'Revoke key').click();
  await revoke.getByText(/error/i).waitFor();
  await keepScreenshot(page, 'react_refused_revoke');
  await page.context().close();
});
