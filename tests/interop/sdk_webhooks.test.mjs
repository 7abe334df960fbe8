// SPDX-License-Identifier: MIT
//
// The official SDK: webhook endpoints, and deliveries that the SDK's own verifier accepts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startReceiver } from './receiver.mjs';
import { refused, sdkFor, thrownBy } from './sdk.mjs';
import { startServer } from './server.mjs';

const KEY_EVENTS = ['api_key.created', 'api_key.revoked', 'api_key.updated'];
let server, workos, organizationId;

before(async () => {
  server = await startServer({ args: ['--webhook-allow-http', '--webhook-allow-private', '--webhook-first-retry', '1'] });
  workos = sdkFor(server);
  ({ id: organizationId } = await workos.organizations.createOrganization({ name: 'Acme' }));
});

after(() => server.stop());

async function createKey(name) {
  const key = await workos.apiKeys.createOrganizationApiKey({ organizationId, name });
  server.secrets.add(key.value);
  return key;
}

test('a webhook endpoint from its creation to its end', async () => {
  const created = await workos.webhooks.createWebhookEndpoint({
    endpointUrl: 'https://hooks.acme.example/keys',
    events: ['api_key.created'],
  });
  server.secrets.add(created.secret);
  assert.match(created.id, /^we_/);
  assert.equal(created.status, 'enabled');
  assert(created.secret.length >= 32);
  assert(created.createdAt instanceof Date);
  const { data } = await workos.webhooks.listWebhookEndpoints();
  assert(data.some(({ id }) => id === created.id));
  const changed = await workos.webhooks.updateWebhookEndpoint({
    id: created.id,
    status: 'disabled',
    events: KEY_EVENTS,
  });
  assert.equal(changed.status, 'disabled');
  assert.deepEqual([...changed.events].sort(), KEY_EVENTS);
  await refused(
    workos.webhooks.createWebhookEndpoint({
      endpointUrl: 'https://hooks.acme.example/keys',
      events: ['api_key.created'],
    }),
    'ConflictException',
    409,
    'duplicate_endpoint',
  );
  for (const endpointUrl of ['nonsense', 'ftp://acme.example/', 'file:///etc/passwd', ''])
    await refused(
      workos.webhooks.createWebhookEndpoint({ endpointUrl, events: ['api_key.created'] }),
      'UnprocessableEntityException',
      422,
    );
  await refused(
    workos.webhooks.createWebhookEndpoint({
      endpointUrl: 'https://hooks.acme.example/other',
      events: ['no.such.event'],
    }),
    'UnprocessableEntityException',
    422,
  );
  await workos.webhooks.deleteWebhookEndpoint({ id: created.id });
  await refused(
    workos.webhooks.deleteWebhookEndpoint({ id: created.id }),
    'NotFoundException',
    404,
    'entity_not_found',
  );
});

test("deliveries that the SDK's verifier accepts, tried again until they arrive", async () => {
  const receiver = await startReceiver((n) => (n === 1 ? 500 : 200));
  const endpoint = await workos.webhooks.createWebhookEndpoint({
    endpointUrl: receiver.url,
    events: KEY_EVENTS,
  });
  server.secrets.add(endpoint.secret);
  const key = await createKey('Delivered');
  await receiver.received(2); // the first was refused
  const ids = new Set();
  for (const { payload, signature } of receiver.deliveries) {
    const event = await workos.webhooks.constructEvent({
      payload,
      sigHeader: signature,
      secret: endpoint.secret,
    });
    assert.equal(event.event, 'api_key.created');
    assert.equal(event.data.id, key.id);
    assert(!payload.includes(key.value));
    ids.add(event.id);
    const forged = workos.webhooks.constructEvent({
      payload: payload.replace('Delivered', 'delivered'),
      sigHeader: signature,
      secret: endpoint.secret,
    });
    assert.equal((await thrownBy(forged)).name, 'SignatureVerificationException');
  }
  assert.equal(ids.size, 1);
  const { data } = await workos.events.listEvents({ events: ['api_key.created'], organizationId });
  assert(data.some(({ id }) => ids.has(id)), 'the same id as in the list of events');
  await workos.webhooks.deleteWebhookEndpoint({ id: endpoint.id });
  receiver.close();
});

test('without the flags, no endpoint inside our own network', async () => {
  const careful = await startServer();
  const client = sdkFor(careful);
  for (const endpointUrl of [
    'http://hooks.acme.example/',
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://169.254.169.254/latest/meta-data/',
    'https://10.0.0.1/',
    'https://localhost/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://[::ffff:127.0.0.1]/',
  ])
    await refused(
      client.webhooks.createWebhookEndpoint({ endpointUrl, events: ['api_key.created'] }),
      'UnprocessableEntityException',
      422,
    );
  await careful.stop();
});
