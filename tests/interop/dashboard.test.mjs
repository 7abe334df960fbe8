// SPDX-License-Identifier: MIT
//
// The operator's dashboard in a browser: every page, what can be done on it, wide and narrow, light
// and dark, with axe finding nothing.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { axeViolations, keepScreenshot, openPage, startBrowser } from './browser.mjs';
import { startReceiver } from './receiver.mjs';
import { startServer } from './server.mjs';

const HOSTILE = '<img src=x onerror="document.title=1">"\'&amp; 🔑';

let server;
let browser;
let organization;
let receiver;
let endpoint;
let shared; // the signed-in page of all tests that look at it in the usual light

before(async () => {
  receiver = await startReceiver(() => 500);
  server = await startServer({ args: ['--webhook-allow-http', '--webhook-allow-private', '--webhook-first-retry', '0'] });
  browser = await startBrowser();
  organization = `/dashboard/organizations/${server.organizationId}`;
  for (const [name, permissions] of [['CI deploys', ['posts:read']], [HOSTILE, ['posts:read', 'posts:write']], ['Nightly export', []]]) {
    const { status, body } = await server.request('POST', `/organizations/${server.organizationId}/api_keys`, { body: { name, permissions } });
    assert.equal(status, 201);
    server.secrets.add(body.value);
  }
  const made = await server.request('POST', '/webhook_endpoints', { body: { endpoint_url: receiver.url, events: ['organization.created'] } });
  assert.equal(made.status, 201);
  server.secrets.add(made.body.secret);
  endpoint = `/dashboard/webhooks/${made.body.id}`;
  const { status } = await server.request('POST', '/organizations', { body: { name: HOSTILE } });
  assert.equal(status, 201);
});

after(async () => {
  await browser?.close();
  await server?.stop();
  receiver?.close();
});

async function signedIn(options) {
  const page = await openPage(browser, options);
  page.setDefaultTimeout(15_000);
  await page.goto(`${server.url}/dashboard/`);
  await page.getByLabel('Management key').fill(server.managementKey);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Organizations' }).waitFor();
  // Without a session the first question is answered with 401, which the console notes.
  page.complaints = page.complaints.filter((text) => !text.includes('401'));
  return page;
}

/** The shared page, at the beginning: to open one and to sign in takes longer than most tests do. */
async function start() {
  if (shared === undefined) shared = await signedIn();
  else await shared.goto(`${server.url}/dashboard/`);
  shared.complaints = [];
  return shared;
}

async function settled(page) {
  await page.locator('[aria-busy]').first().waitFor({ state: 'detached' });
}

/** Fields that reach beyond the dialog that they are in: the dialog would scroll sideways. */
const outOfDialog = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('dialog[open] :is(input, select, textarea, button)')]
      .filter((field) => field.getBoundingClientRect().right > field.closest('dialog').getBoundingClientRect().right - 8)
      .map((field) => field.outerHTML.slice(0, 80)),
  );

async function checkLook(page, name) {
  await settled(page);
  assert.deepEqual(await axeViolations(page), [], name);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, `${name} is wider than the screen`);
  assert.deepEqual(await outOfDialog(page), [], `${name}: beyond its dialog`);
  await keepScreenshot(page, `dashboard-${name}`, { fullPage: false });
}

/** A state of a page or a dialog: wide and light, then on a phone at night, and back. */
async function checkLooks(page, name) {
  await checkLook(page, name);
  const wide = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 720 });
  await page.emulateMedia({ colorScheme: 'dark' });
  await checkLook(page, `${name}-phone-dark`);
  await page.setViewportSize(wide);
  await page.emulateMedia({ colorScheme: 'light' });
}

async function check(page, name) {
  await checkLooks(page, name);
  assert.deepEqual(page.complaints, []);
}

/** A change behind the service's back: time that has passed, as the tests cannot wait for it. */
const edit = (sql) => execFileSync('sqlite3', ['-cmd', '.timeout 5000', join(server.directory, 'keys.db'), sql]);

async function makeOrganization(name) {
  const { status, body } = await server.request('POST', '/organizations', { body: { name } });
  assert.equal(status, 201);
  return body.id;
}

const PLACES = [
  ['organizations', '/dashboard/organizations'],
  ['keys', () => organization],
  ['members', () => `${organization}/members`],
  ['organization-roles', () => `${organization}/roles`],
  ['organization-settings', () => `${organization}/settings`],
  ['find', '/dashboard/find'],
  ['permissions', '/dashboard/permissions'],
  ['roles', '/dashboard/roles'],
  ['events', '/dashboard/events'],
  ['management-keys', '/dashboard/management-keys'],
  ['webhooks', '/dashboard/webhooks'],
  ['webhook', () => endpoint],
  ['settings', '/dashboard/settings'],
  ['nothing', '/dashboard/no/such/page/here'],
];

// Widths and colours do not depend on each other: two looks show both of each.
const LOOKS = [
  ['desktop', { viewport: { width: 1280, height: 860 }, colorScheme: 'light' }],
  ['phone-dark', { viewport: { width: 320, height: 720 }, colorScheme: 'dark' }],
];
const MORE_LOOKS = [
  ['dark', { viewport: { width: 1280, height: 860 }, colorScheme: 'dark' }],
  ['phone', { viewport: { width: 390, height: 800 }, colorScheme: 'light' }],
];

async function lookAt(page, name) {
  for (const [look, { viewport, colorScheme }] of process.env.APIKEYS_SOAK ? [...LOOKS, ...MORE_LOOKS] : LOOKS) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    await checkLook(page, `${name}-${look}`);
    assert.deepEqual(page.complaints, []);
  }
}

test('every page, in every look', async () => {
  const front = await openPage(browser);
  await front.goto(`${server.url}/dashboard/`);
  await front.getByLabel('Management key').waitFor();
  front.complaints = front.complaints.filter((text) => !text.includes('401')); // nobody is signed in
  await lookAt(front, 'sign-in');
  await front.context().close();
  const page = await signedIn();
  for (const [place, path] of PLACES) {
    await page.goto(server.url + (typeof path === 'string' ? path : path()));
    await page.locator('main h1, main h2').first().waitFor();
    await lookAt(page, place);
  }
  await page.context().close();
});

test('a wrong key is refused beside its field', async () => {
  const page = await openPage(browser);
  await page.goto(`${server.url}/dashboard/`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('This is needed.').waitFor();
  await page.getByLabel('Management key').fill('nonsense');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('This is not a management key').waitFor();
  assert.equal(await page.getByLabel('Management key').getAttribute('aria-invalid'), 'true');
  await page.context().close();
});

test('names are text, wherever they are shown', async () => {
  const page = await start();
  await page.getByRole('link', { name: HOSTILE }).waitFor();
  await page.goto(server.url + organization);
  await page.getByRole('button', { name: HOSTILE, exact: true }).click();
  await page.getByRole('dialog').getByRole('heading', { name: HOSTILE }).waitFor();
  assert.equal(await page.locator('main img, dialog img').count(), 0);
  await page.goto(`${server.url}/dashboard/events`);
  await page.getByText(HOSTILE).first().waitFor();
  assert.equal(await page.locator('img').count(), 0);
  assert.deepEqual(page.complaints, []);
});

test('a key: made, shown once, found, revoked', async () => {
  const page = await start();
  await page.goto(server.url + organization);
  await page.getByRole('button', { name: 'Create key' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Made here');
  await dialog.getByRole('checkbox', { name: /posts:read/ }).check();
  assert.equal(await dialog.getByRole('checkbox', { name: /posts:delete/ }).count(), 0);
  await check(page, 'create-key');
  await dialog.getByRole('button', { name: 'Create key' }).click();
  const value = await dialog.getByLabel('Value', { exact: true }).inputValue();
  assert.match(value, /^sk_[0-9A-Za-z]{54}$/);
  server.secrets.add(value);
  await check(page, 'secret');
  await page.keyboard.press('Escape'); // not by accident
  await dialog.getByRole('button', { name: 'I have stored it' }).click();
  await page.getByRole('button', { name: 'Made here', exact: true }).waitFor();
  assert.equal((await page.content()).includes(value), false);

  await page.getByRole('button', { name: 'Made here', exact: true }).click();
  await page.getByRole('dialog').getByText('First management key').waitFor();
  assert.match(page.url(), /\?key=api_key_/);
  await check(page, 'key');
  await page.getByRole('dialog').getByRole('button', { name: 'Change expiry' }).click();
  const expiry = page.getByRole('dialog', { name: 'Change the expiry' });
  await expiry.getByLabel(/expires/).selectOption('At a time of your choice');
  await expiry.getByLabel('Date and time').fill('2020-01-01T10:00');
  await expiry.getByRole('button', { name: 'Save' }).click();
  await expiry.getByText('Choose a time that is still to come.').waitFor();
  await check(page, 'expiry');
  await expiry.getByLabel('Date and time').fill('2090-01-01T10:00');
  await expiry.getByRole('button', { name: 'Save' }).click();
  await page.getByText('The expiry was changed').waitFor();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  const before = (await server.request('POST', '/api_keys/validations', { body: { value } })).body;
  const local = await page.evaluate(() => new Date('2090-01-01T10:00').toISOString());
  assert.equal(before.api_key.expires_at, local);

  await page.goto(`${server.url}/dashboard/find`);
  let sent = '';
  page.on('request', (request) => (sent += request.url() + (request.postData() ?? '')));
  const secret = value.slice(-38, -18); // of the value's middle: also what was cut short has it
  const forms = [value, `"${value}",`, `API_KEY=${value}`, value.slice(0, -10), `${value}\\n`, `key: '${value}'`, `"sk_...${value.slice(-4)}"`, `sk_…${value.slice(-4)}`];
  for (const pasted of forms) {
    const answered = page.waitForResponse((response) => response.url().endsWith('/api_keys/lookups'));
    await page.getByLabel('The key, or its beginning').fill(pasted);
    await page.getByRole('button', { name: 'Find' }).click();
    assert.equal((await (await answered).json()).data.length, 1, pasted.replace(value, 'VALUE'));
  }
  await page.getByText('Made here').waitFor();
  await page.getByLabel('The key, or its beginning').fill(`K${value.split('_').at(-1)}`);
  await page.getByRole('button', { name: 'Find' }).click();
  await page.getByText('It was not sent anywhere').waitFor();
  await page.getByLabel('The key, or its beginning').fill(value);
  await page.getByRole('button', { name: 'Find' }).click();
  await page.waitForFunction(() => document.querySelector('.panel input').value === '');
  assert.equal(sent.includes(secret), false);
  assert.equal(sent.includes(value.slice(0, 19)), true);
  assert.equal(await page.getByLabel('The key, or its beginning').inputValue(), '');
  await check(page, 'found');
  await page.getByRole('button', { name: 'Actions for Made here' }).click();
  await page.getByRole('menuitem', { name: 'Revoke' }).click();
  await check(page, 'revoke');
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke key' }).click();
  await page.getByText('Revoked', { exact: true }).waitFor();
  const { body } = await server.request('POST', '/api_keys/validations', { body: { value } });
  assert.equal(body.api_key, null);

  await page.goto(server.url + organization);
  await settled(page);
  assert.equal(await page.getByRole('button', { name: 'Made here', exact: true }).count(), 0);
  await page.getByLabel('Show revoked').check();
  await page.getByRole('button', { name: 'Made here', exact: true }).waitFor();
  assert.deepEqual(page.complaints, []);
});

test('a permission is made, switched on, and what an organization is is changed', async () => {
  const page = await start();
  await page.goto(`${server.url}/dashboard/permissions`);
  await page.getByRole('button', { name: 'New permission' }).click();
  await page.getByLabel('Slug').fill('Not A Slug');
  await page.getByLabel('Name').fill('Publish');
  await page.getByRole('button', { name: 'Create permission' }).click();
  await page.locator('.field-error:not(:empty), .form-error:not(:empty)').first().waitFor();
  await page.getByLabel('Slug').fill('posts:publish');
  await page.getByRole('button', { name: 'Create permission' }).click();
  const toggle = page.getByRole('switch', { name: 'posts:publish: available to organizations’ keys' });
  assert.equal(await toggle.isChecked(), false);
  await toggle.click();
  await page.getByText('posts:publish is now available').waitFor();
  const { body } = await server.request('GET', '/authorization/permissions/posts:publish/availability');
  assert.equal(body.organization_keys, true);

  await page.goto(`${server.url}${organization}/settings`);
  await page.getByLabel('Domains').fill('acme.example\nhttp://acme.example');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.getByText('“http://acme.example” is not a domain name').waitFor();
  await checkLooks(page, 'no-domain');
  await page.getByLabel('Domains').fill('acme.example');
  await page.getByLabel('Metadata').fill('plan: gold');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.getByText('Saved').waitFor();
  const acme = (await server.request('GET', `/organizations/${server.organizationId}`)).body;
  assert.deepEqual(acme.metadata, { plan: 'gold' });
  assert.equal(acme.domains[0].domain, 'acme.example');

  // One that was stored before it would be refused stays until somebody changes it.
  edit(`UPDATE organizations SET domains = 'http://old/' WHERE id = '${server.organizationId}'`);
  await page.goto(`${server.url}${organization}/settings`);
  await page.getByLabel('Metadata').fill('plan: silver');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.getByText('Saved').waitFor();
  const old = (await server.request('GET', `/organizations/${server.organizationId}`)).body;
  assert.deepEqual([old.metadata, old.domains[0].domain], [{ plan: 'silver' }, 'http://old/']);
});

test('who made a key is known, however many were made at once', async () => {
  const id = await makeOrganization('Bulk');
  const make = async (_, i) => {
    const { body } = await server.request('POST', `/organizations/${id}/api_keys`, { body: { name: `Imported ${i}` } });
    server.secrets.add(body.value);
  };
  await Promise.all(Array.from({ length: 101 }, make));
  await make(null, 101);
  // More of the same millisecond than a page holds.
  edit(`UPDATE api_keys SET created_at = 1768478400000 WHERE organization_id = '${id}';
        UPDATE events SET created_at = 1768478400000 WHERE organization_id = '${id}' AND type = 'api_key.created'`);
  const page = await start();
  await page.goto(`${server.url}/dashboard/organizations/${id}?search=Imported+101`);
  await page.getByRole('button', { name: 'Imported 101', exact: true }).click();
  await page.getByRole('dialog').getByText('First management key').waitFor();
  assert.deepEqual(page.complaints, []);
});

test('a creation whose answer was lost can be sent again, and makes one key', async () => {
  const id = await makeOrganization('Lossy');
  const page = await start();
  await page.goto(`${server.url}/dashboard/organizations/${id}`);
  await page.getByRole('button', { name: 'Create key' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Made all the same');
  await dialog.getByLabel('Expires').selectOption('In 7 days');
  const keys = [];
  await page.route('**/api_keys', async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    keys.push(route.request().headers()['idempotency-key']);
    if (keys.length > 1) return route.continue();
    server.secrets.add((await (await route.fetch()).json()).value);
    return route.fulfill({ status: 504, body: '<html>' });
  });
  await dialog.getByRole('button', { name: 'Create key' }).click();
  await dialog.getByText('it is not known whether this was done').waitFor();
  await checkLooks(page, 'lost-answer');
  edit('UPDATE idempotency_keys SET created_at = created_at - 10000');
  await dialog.getByRole('button', { name: 'Create key' }).click();
  const value = await dialog.getByLabel('Value', { exact: true }).inputValue();
  server.secrets.add(value);
  await dialog.getByRole('button', { name: 'I have stored it' }).click();
  await page.unrouteAll();
  assert.equal(new Set(keys).size, 1);
  assert.equal((await server.request('GET', `/organizations/${id}/api_keys`)).body.data.length, 1);
});

test('a session that ends costs nobody what they typed', async () => {
  const page = await signedIn();
  await page.goto(server.url + organization);
  await page.getByRole('button', { name: 'Create key' }).click();
  const create = page.getByRole('dialog', { name: 'Create an API key' });
  await create.getByLabel('Name').fill('Typed with care');
  await page.context().clearCookies();
  await create.getByRole('button', { name: 'Create key' }).click();
  const again = page.getByRole('dialog', { name: 'Your session has ended' });
  await again.getByLabel('Management key').fill('nonsense');
  await again.getByRole('button', { name: 'Sign in' }).click();
  await again.getByText('This is not a management key').waitFor();
  assert.deepEqual(await axeViolations(page), []);
  await checkLooks(page, 'session-ended');
  await page.keyboard.press('Escape');
  await again.getByLabel('Management key').fill(server.managementKey);
  await again.getByRole('button', { name: 'Sign in' }).click();
  const secret = page.getByRole('dialog', { name: 'Store this key now' });
  server.secrets.add(await secret.getByLabel('Value', { exact: true }).inputValue());
  await secret.getByText('Typed with care').waitFor();
  await secret.getByRole('button', { name: 'I have stored it' }).click();

  // Somebody else sends it themselves.
  const { body } = await server.request('POST', '/management_keys', { body: { name: 'Colleague', permissions: ['apikeys:organizations:read', 'apikeys:keys:read'] } });
  server.secrets.add(body.value);
  await page.getByRole('button', { name: 'Create key' }).click();
  await create.getByLabel('Name').fill('Not in my name');
  await page.context().clearCookies();
  await create.getByRole('button', { name: 'Create key' }).click();
  await again.getByLabel('Management key').fill(body.value);
  await again.getByRole('button', { name: 'Sign in' }).click();
  await create.getByText('You have signed in with another key').waitFor();
  await page.locator('.account', { hasText: 'Colleague' }).waitFor();
  assert.equal(await create.getByLabel('Name').inputValue(), 'Not in my name');
  await create.getByRole('button', { name: 'Cancel' }).click();

  await page.context().clearCookies();
  await page.getByLabel('Search keys by name').fill('x');
  await again.getByRole('button', { name: 'Leave the page' }).click();
  await page.getByRole('heading', { name: 'Sign in', level: 1 }).waitFor();
  assert.equal(await page.getByRole('dialog').count(), 0);
  await page.context().close();
});

test('an organization from its creation to its end, with a member and a role of its own', async () => {
  const page = await start();
  const dialog = page.getByRole('dialog');
  await page.getByRole('button', { name: 'New organization' }).click();
  await dialog.getByLabel('Name').fill('Short-lived');
  await dialog.getByRole('button', { name: 'Create organization' }).click();
  await page.getByRole('heading', { name: 'Short-lived', level: 1 }).waitFor();

  await page.getByRole('link', { name: 'Roles', exact: true }).last().click();
  await page.getByRole('button', { name: 'New role' }).first().click();
  await dialog.getByLabel('Name').fill('Auditor');
  await dialog.getByLabel('Slug').fill('org-auditor');
  await dialog.getByRole('checkbox', { name: /posts:read/ }).check();
  await dialog.getByRole('button', { name: 'Create role' }).click();
  await page.getByText('The role was created').waitFor();
  await page.getByRole('button', { name: 'Actions for Auditor' }).click();
  await page.getByRole('menuitem', { name: 'Edit' }).click();
  await dialog.getByLabel('Description').fill('Looks, and does not touch');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Looks, and does not touch').waitFor();

  await page.getByRole('link', { name: 'Members' }).click();
  await page.getByRole('button', { name: 'Add member' }).first().click();
  await dialog.getByLabel('User id').fill('user_eve');
  await dialog.getByRole('checkbox', { name: /org-auditor/ }).check();
  await check(page, 'add-member');
  await dialog.getByRole('button', { name: 'Add member' }).click();
  await page.getByText('user_eve').first().waitFor();
  const organizationId = page.url().split('/organizations/')[1].split('/')[0];
  const members = async () => (await server.request('GET', `/user_management/organization_memberships?organization_id=${organizationId}`)).body.data;
  assert.deepEqual((await members())[0].roles.map(({ slug }) => slug).sort(), ['member', 'org-auditor']);
  await page.getByRole('button', { name: /Actions for user_eve/ }).click();
  await page.getByRole('menuitem', { name: 'Deactivate' }).click();
  await dialog.getByRole('button', { name: 'Deactivate' }).click();
  await dialog.waitFor({ state: 'detached' });
  assert.equal((await members())[0].status, 'inactive');

  await page.getByRole('link', { name: 'Settings', exact: true }).last().click();
  await page.getByRole('button', { name: 'Delete organization' }).click();
  await dialog.getByLabel(/To go on, type/).fill('Something else');
  await dialog.getByRole('button', { name: 'Delete organization' }).click();
  await dialog.getByText('Please type Short-lived.').waitFor();
  await dialog.getByLabel(/To go on, type/).fill('Short-lived');
  await dialog.getByRole('button', { name: 'Delete organization' }).click();
  await page.getByRole('heading', { name: 'Organizations', level: 1 }).waitFor();
  assert.equal((await server.request('GET', `/organizations/${organizationId}`)).status, 404);
  assert.deepEqual(page.complaints, []);
});

test('settings hold, and a colleague gets a key with less', async () => {
  const page = await start();
  const dialog = page.getByRole('dialog');
  await page.goto(`${server.url}/dashboard/settings`);
  await page.getByLabel('Longest lifetime, in days').fill('-1');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.getByText('A number, or nothing for “no limit”.').waitFor();
  await page.getByLabel('Longest lifetime, in days').fill('400');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.getByText('Saved').waitFor();
  assert.equal((await server.request('GET', '/environment')).body.max_lifetime_ms, 400 * 86400_000);
  await server.request('PATCH', '/environment', { body: { max_lifetime_ms: 0 } });

  // What ends keys or events at once is not done by a slip.
  await page.reload();
  const environment = async () => (await server.request('GET', '/environment')).body;
  const before = await environment();
  await page.getByLabel('Revoke keys unused for, in days').fill('0.0001');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.getByText('At least 1 day').waitFor();
  await page.getByLabel('Revoke keys unused for, in days').fill('4000');
  await page.getByLabel('Keep events for, in days').fill('4000');
  await page.getByLabel('Accepted prefixes').fill('other');
  await page.getByLabel('Prefix of new keys').fill('other');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await dialog.getByText('has not been used for 4,000 days').waitFor();
  await dialog.getByText('Events older than 4,000 days').waitFor();
  await dialog.getByText('Keys that begin with “sk_”').waitFor();
  await check(page, 'settings-confirm');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  assert.deepEqual(await environment(), before);
  await page.getByLabel('Accepted prefixes').fill(before.accepted_prefixes.join(' '));
  await page.getByLabel('Prefix of new keys').fill(before.prefix);
  await page.getByRole('button', { name: 'Save changes' }).click();
  await dialog.getByRole('button', { name: 'Save them' }).click();
  await page.getByText('Saved').waitFor();
  assert.equal((await environment()).idle_lifetime_ms, 4000 * 86400_000);
  await server.request('PATCH', '/environment', { body: { idle_lifetime_ms: 0, event_retention_ms: 0 } });

  await page.goto(`${server.url}/dashboard/management-keys`);
  await page.getByRole('button', { name: 'Create key' }).click();
  await dialog.getByLabel('Name').fill('Reader');
  await dialog.getByRole('checkbox', { name: /apikeys:organizations:read/ }).check();
  await dialog.getByRole('button', { name: 'Create management key' }).click();
  const value = await dialog.getByLabel('Value', { exact: true }).inputValue();
  server.secrets.add(value);
  await dialog.getByRole('button', { name: 'I have stored it' }).click();
  await page.getByText('Reader').first().waitFor();
  assert.equal((await server.request('GET', '/organizations', { key: value })).status, 200);
  assert.equal((await server.request('GET', '/events', { key: value })).status, 403);
  assert.deepEqual(page.complaints, []);
});

test('events come by themselves, and can be read', async () => {
  const page = await start();
  await page.goto(`${server.url}/dashboard/events`);
  await settled(page);
  const { body } = await server.request('POST', '/organizations', { body: { name: 'Arrived meanwhile' } });
  await page.getByText('Arrived meanwhile').waitFor();
  await server.request('PUT', `/organizations/${body.id}`, { body: { name: 'Renamed' } });
  await page.getByRole('button', { name: /Organization changed Renamed/ }).click();
  await page.getByRole('rowheader', { name: 'name' }).waitFor();
  assert.match(page.url(), /\?event=event_/);
  await page.getByText('As JSON').click();
  await check(page, 'event');
});

test('events: none is left out, the time that was asked for holds, and what fails says so', async () => {
  const page = await signedIn();
  await page.clock.install();
  edit('UPDATE events SET created_at = created_at - 7200000');
  const id = await makeOrganization('Busy');
  const rename = (name) => server.request('PUT', `/organizations/${id}`, { body: { name } });
  await rename('Recent');
  await page.goto(`${server.url}/dashboard/events?range=3600000&type=organization.updated`);
  const shown = () => page.locator('.event-subject').allTextContents();
  await page.getByText('Recent').waitFor();
  await settled(page);
  assert.deepEqual(await shown(), ['Recent']);

  await page.context().setOffline(true);
  await page.clock.runFor(3000);
  await page.getByText('Not connected').waitFor();
  await Promise.all(Array.from({ length: 104 }, (_, i) => rename(`Bulk ${i}`)));
  await rename('Last');
  const { data } = (await server.request('GET', '/events?events=organization.updated&order=desc&limit=100')).body;
  const newest = data.map((event) => event.data.name);
  await page.context().setOffline(false);
  await page.clock.runFor(3000);
  await page.getByText('Live', { exact: true }).waitFor();
  assert.deepEqual((await shown()).slice(0, 100), newest);
  assert.equal((await shown()).length, 106);
  assert.equal((await shown()).at(-1), 'Recent');

  await page.reload();
  await page.getByText('Last', { exact: true }).waitFor();
  await settled(page);
  assert.deepEqual(await shown(), newest.slice(0, 30));
  await page.context().setOffline(true);
  await page.getByRole('button', { name: 'Show older' }).click();
  await page.getByRole('alert').getByText('The service cannot be reached').waitFor();
  await checkLooks(page, 'older-failed');
  await page.context().setOffline(false);
  await page.getByRole('button', { name: 'Try again' }).click();
  const older = page.getByRole('button', { name: 'Show older' });
  for (const last of [newest[59], newest[89]]) {
    await page.getByText(last, { exact: true }).waitFor();
    await older.click();
  }
  await page.getByText('Recent').waitFor();
  assert.equal(await older.count(), 0);
  assert.equal((await shown()).length, 106);
  await page.context().close();
});

test('a webhook endpoint: made, its failures seen and sent again, ended', async () => {
  const good = await startReceiver();
  const page = await start();
  await page.goto(`${server.url}/dashboard/webhooks`);
  await page.getByRole('button', { name: 'New endpoint' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('URL').fill('nonsense');
  await dialog.getByRole('button', { name: 'Create endpoint' }).click();
  await dialog.getByText('The URL is malformed.').waitFor();
  page.complaints = page.complaints.filter((text) => !text.includes('422')); // what the console says of it
  await check(page, 'new-webhook');
  await dialog.getByLabel('URL').fill(good.url);
  await dialog.getByRole('button', { name: 'None' }).click();
  await dialog.getByRole('checkbox', { name: /organization.created/ }).check();
  await dialog.getByRole('button', { name: 'Create endpoint' }).click();
  await page.getByRole('heading', { name: good.url }).waitFor();
  await page.getByText('Nothing has failed').waitFor();
  const secret = async () => page.getByText(/^whsec_/).textContent();
  assert.match(await secret(), /^whsec_•+$/);
  await page.getByRole('button', { name: 'Show' }).click();
  assert.match(await secret(), /^whsec_[0-9a-f]{64}$/);
  const first = await secret();
  server.secrets.add(first);
  await page.getByRole('button', { name: `Actions for ${good.url}` }).click();
  await page.getByRole('menuitem', { name: 'New secret' }).click();
  await check(page, 'new-webhook-secret');
  await page.getByRole('dialog').getByRole('button', { name: 'New secret' }).click();
  await page.getByText('The endpoint has a new secret').waitFor();
  await page.getByRole('button', { name: 'Show' }).click();
  const second = await secret();
  assert.match(second, /^whsec_[0-9a-f]{64}$/);
  assert.notEqual(second, first);
  server.secrets.add(second);

  await server.request('POST', '/organizations', { body: { name: 'Told' } });
  await good.received(1);
  await page.getByRole('link', { name: 'Delivered' }).click();
  await page.getByRole('button', { name: /Actions for event_/ }).click();
  await page.getByRole('menuitem', { name: 'Send again' }).click();
  await good.received(2);
  await page.getByRole('button', { name: `Actions for ${good.url}` }).click();
  await page.getByRole('menuitem', { name: 'Disable' }).click();
  await page.getByText('Disabled', { exact: true }).waitFor();
  await page.getByRole('button', { name: `Actions for ${good.url}` }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Delete endpoint' }).click();
  await page.getByRole('link', { name: receiver.url }).waitFor();
  assert.equal(await page.getByRole('link', { name: good.url }).count(), 0);

  await page.goto(server.url + endpoint);
  await page.getByText('The target answered with an error.').first().waitFor();
  const before = receiver.deliveries.length;
  await page.getByRole('button', { name: 'Send all again' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Send all again' }).click();
  await receiver.received(before + 1);
  assert.deepEqual(page.complaints.filter((text) => !text.includes('422')), []);
  good.close();
});

test('the back button goes back, links can be opened, a search is in the URL', async () => {
  const page = await start();
  await page.getByRole('link', { name: 'Acme' }).click();
  await page.getByRole('heading', { name: 'Acme', level: 1 }).waitFor();
  await page.getByRole('link', { name: 'Members' }).click();
  await page.getByText('Ada Admin').waitFor();
  await page.goBack();
  await page.getByRole('button', { name: 'CI deploys', exact: true }).waitFor();
  await page.getByLabel('Search keys by name').fill('nightly');
  await page.getByRole('button', { name: 'CI deploys', exact: true }).waitFor({ state: 'detached' });
  await page.reload();
  await page.getByRole('button', { name: 'Nightly export', exact: true }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'CI deploys', exact: true }).count(), 0);
});

test('signing out ends it, also in another tab', async () => {
  const page = await signedIn();
  const other = await page.context().newPage();
  await other.goto(`${server.url}/dashboard/roles`);
  await other.getByRole('heading', { name: 'Roles' }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Management key').waitFor();
  await other.getByRole('link', { name: 'Events' }).click();
  await other.getByLabel('Management key').waitFor();
  await page.context().close();
});
