// SPDX-License-Identifier: MIT
//
// The official SDK: events, by their cursor and by what they are of.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DATE, sdkFor, thrownBy, ulid } from './sdk.mjs';
import { startServer } from './server.mjs';

let server, workos, organizationId;

before(async () => {
  server = await startServer();
  workos = sdkFor(server);
  ({ id: organizationId } = await workos.organizations.createOrganization({ name: 'Acme' }));
});

after(() => server.stop());

const KEY_EVENTS = ['api_key.created', 'api_key.revoked', 'api_key.updated'];

async function createKey(name = 'CI') {
  const key = await workos.apiKeys.createOrganizationApiKey({ organizationId, name });
  server.secrets.add(key.value);
  return key;
}

test('what happened to a key, oldest first', async () => {
  const { id } = await createKey();
  const later = new Date(Date.now() + 3600_000).toISOString();
  await workos.post(`/api_keys/${id}/expire`, { expires_at: later });
  await workos.apiKeys.deleteApiKey(id);
  const { data } = await workos.events.listEvents({ events: KEY_EVENTS, organizationId });
  const mine = data.filter((event) => event.data.id === id);
  assert.deepEqual(
    mine.map(({ event }) => event),
    ['api_key.created', 'api_key.updated', 'api_key.revoked'],
  );
  for (const event of mine) {
    assert.match(event.id, ulid('event'));
    assert.match(event.createdAt, DATE);
    assert.equal(event.context.actor.source, 'api');
    assert.match(event.context.actor.id, ulid('api_key'));
  }
  const [created, updated] = mine;
  assert.deepEqual(created.data.owner, { type: 'organization', id: organizationId });
  assert.equal(created.data.obfuscatedValue.slice(0, 6), 'sk_...');
  // A type that this SDK does not know is passed on as it came.
  assert.equal(updated.data.previous_attributes.expires_at, null);
  assert.equal(updated.data.expires_at, later);
});

test('events: a cursor, types in three spellings, times, organizations', async () => {
  const keys = [];
  for (let i = 0; i < 5; i++) keys.push((await createKey(`Key ${i}`)).id);
  const events = ['api_key.created'];
  const all = (await workos.events.listEvents({ events, organizationId, limit: 100 })).data;
  assert.deepEqual(
    all.slice(-5).map(({ data }) => data.id),
    keys,
  );
  const walked = [];
  for (let after; ; ) {
    const page = await workos.events.listEvents({ events, organizationId, limit: 2, after });
    walked.push(...page.data.map(({ id }) => id));
    after = page.listMetadata.after;
    if (!after || page.data.length === 0) break;
  }
  assert.deepEqual(
    walked,
    all.map(({ id }) => id),
  );
  const backwards = await workos.events.listEvents({ events, organizationId, order: 'desc' });
  assert.equal(backwards.data[0].id, all.at(-1).id);

  const spelled = async (query) => {
    const { body } = await server.request('GET', `/events?${query}&limit=100`);
    return body.data.filter(({ event }) => event.startsWith('api_key.')).length;
  };
  const both = await spelled('events=api_key.created%2Capi_key.revoked');
  assert(both > all.length);
  assert.equal(await spelled('events=api_key.created&events=api_key.revoked'), both);
  assert.equal(await spelled('events[]=api_key.created&events[]=api_key.revoked'), both);

  const rangeStart = all.at(-1).createdAt;
  const recent = await workos.events.listEvents({ events, organizationId, rangeStart });
  assert(recent.data.every(({ createdAt }) => createdAt >= rangeStart));
  const rangeEnd = '2020-01-01T00:00:00.000Z';
  const ancient = await workos.events.listEvents({ events, organizationId, rangeEnd });
  assert.deepEqual(ancient.data, []);
  const other = await workos.organizations.createOrganization({ name: 'Other' });
  const theirs = await workos.events.listEvents({ events, organizationId: other.id });
  assert.deepEqual(theirs.data, []);
});

test('events that are asked for wrongly', async () => {
  const ask = (options) => thrownBy(workos.events.listEvents({ events: KEY_EVENTS, ...options }));
  for (const options of [
    { after: 'event_01EHWNCE74X7JSDV0X3SZ3KJNY' },
    { after: 'nonsense' },
    { rangeStart: 'yesterday' },
    { limit: 0.5 },
    { limit: 101 },
  ]) {
    const { status } = await ask(options);
    assert([400, 404, 422].includes(status), `${JSON.stringify(options)}: ${status}`);
  }
});
