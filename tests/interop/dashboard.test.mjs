// SPDX-License-Identifier: MIT
//
// The operator's dashboard in a browser: every page, what can be done on it, wide and narrow, light
// and dark, with axe finding nothing.
import assert from 'node:assert/strict';
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

async function check(page, name) {
  await settled(page);
  assert.deepEqual(await axeViolations(page), [], name);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, `${name} is wider than the screen`);
  await keepScreenshot(page, `dashboard-${name}`, { fullPage: false });
  assert.deepEqual(page.complaints, []);
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
    await check(page, `${name}-${look}`);
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
  await page.getByLabel('The key, or its beginning').fill(value);
  await page.getByRole('button', { name: 'Find' }).click();
  await page.getByText('Made here').waitFor();
  assert.equal(sent.includes(value), false);
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
  await page.getByLabel('Domains').fill('acme.example');
  await page.getByLabel('Metadata').fill('plan: gold');
  await page.getByRole('button', { name: 'Save changes' }).click();
  await page.getByText('Saved').waitFor();
  const acme = (await server.request('GET', `/organizations/${server.organizationId}`)).body;
  assert.deepEqual(acme.metadata, { plan: 'gold' });
  assert.equal(acme.domains[0].domain, 'acme.example');
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
