// SPDX-License-Identifier: MIT
//
// The official SDK: organizations' keys, and idempotent creation.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { faultyProxy } from './proxy.mjs';
import { DATE, refused, sdkFor, thrownBy, ulid } from './sdk.mjs';
import { startServer } from './server.mjs';

let server, workos, organizationId;

before(async () => {
  server = await startServer();
  workos = sdkFor(server);
});

after(() => server.stop());

async function freshOrganization() {
  const { id } = await workos.organizations.createOrganization({ name: 'Fresh' });
  organizationId = id;
}

async function create(fields, options) {
  const key = await workos.apiKeys.createOrganizationApiKey(
    { organizationId, name: 'CI', ...fields },
    options,
  );
  server.secrets.add(key.value);
  return key;
}

const validate = async (value) => (await workos.apiKeys.createValidation({ value })).apiKey;
const list = (options) => workos.apiKeys.listOrganizationApiKeys({ organizationId, ...options });
const names = ({ data }) => data.map(({ name }) => name);
const expire = (id, body) => workos.post(`/api_keys/${id}/expire`, body);

test('an organization key from its creation to its end', async () => {
  await freshOrganization();
  const created = await create({ permissions: ['posts:read'] });
  assert.match(created.id, ulid('api_key'));
  assert.match(created.value, /^sk_[0-9A-Za-z]{54}$/);
  assert.deepEqual(created.owner, { type: 'organization', id: organizationId });
  assert.equal(created.obfuscatedValue, `sk_...${created.value.slice(-4)}`);
  assert.deepEqual(created.permissions, ['posts:read']);
  assert.match(created.createdAt, DATE);

  const { value, ...shown } = created;
  assert.deepEqual((await list()).data, [shown]);
  assert.deepEqual(await validate(value), shown);
  await workos.apiKeys.deleteApiKey(created.id);
  assert.equal(await validate(value), null);
  assert.deepEqual((await list()).data, []);
});

test('25 keys: pages, both ways, and all of them', async () => {
  await freshOrganization();
  for (let i = 1; i <= 25; i++) await create({ name: `Key ${i}` });
  const all = Array.from({ length: 25 }, (_, i) => `Key ${25 - i}`);

  const first = await list();
  assert.deepEqual(names(first), all.slice(0, 10));
  assert.equal(first.listMetadata.before ?? null, null);
  const second = await list({ after: first.listMetadata.after });
  assert.deepEqual(names(second), all.slice(10, 20));
  const third = await list({ after: second.listMetadata.after });
  assert.deepEqual(names(third), all.slice(20));
  assert.equal(third.listMetadata.after ?? null, null);
  assert.deepEqual(names(await list({ before: third.listMetadata.before })), all.slice(10, 20));

  assert.deepEqual(names(await list({ order: 'asc', limit: 3 })), all.slice(-3).reverse());
  assert.deepEqual(names(await list({ limit: 100 })), all);
  const everything = await (await list()).autoPagination();
  assert.deepEqual(names({ data: everything }), all);

  // A cursor whose key has vanished still marks its place.
  await workos.apiKeys.deleteApiKey(first.listMetadata.after);
  assert.deepEqual(names(await list({ after: first.listMetadata.after })), all.slice(10, 20));
  for (const limit of ['0', '101', '-1', 'x', '1e3', '99999999999999999999'])
    await refused(list({ limit }), 'UnprocessableEntityException', 422);
});

test('what makes no key', async () => {
  await freshOrganization();
  const unprocessable = (fields) =>
    refused(create(fields), 'UnprocessableEntityException', 422);
  await unprocessable({ name: '' });
  await unprocessable({ name: undefined });
  await unprocessable({ name: 'x'.repeat(1000) });
  await unprocessable({ permissions: ['no:such'] });
  await unprocessable({ permissions: ['posts:delete'] }); // not available to keys
  await unprocessable({ permissions: ['widgets:api-keys:manage'] });
  await unprocessable({ permissions: ['apikeys:keys:write'] });
  await unprocessable({ permissions: 'posts:read' });
  await unprocessable({ permissions: [1] });
  const missing = await server.request('POST', `/organizations/${organizationId}/api_keys`, {
    body: {},
  });
  assert.equal(missing.status, 422);
  assert.deepEqual(missing.body, {
    message: 'Validation failed.',
    errors: [{ code: 'required', field: 'name' }],
  });
  assert.deepEqual((await list()).data, []);
  organizationId = 'org_01EHWNCE74X7JSDV0X3SZ3KJNY';
  const error = await refused(create({}), 'NotFoundException', 404);
  assert.equal(error.message, `Organization not found: '${organizationId}'.`);
  await refused(list(), 'NotFoundException', 404);
});

test('an end may be set, moved, taken back, and is final once it has come', async () => {
  await freshOrganization();
  const { id, value } = await create({});
  const later = new Date(Date.now() + 3600_000).toISOString();
  const { data: scheduled } = await expire(id, { expires_at: later });
  assert.equal(scheduled.object, 'api_key');
  assert.equal(scheduled.expires_at, later);
  assert.notEqual(await validate(value), null);
  assert.equal((await expire(id, { expires_at: null })).data.expires_at, null);
  const { data: over } = await expire(id, {});
  assert.match(over.expires_at, DATE);
  assert.equal(await validate(value), null);
  await refused(expire(id, {}), 'ConflictException', 409, 'api_key_already_expired');
  await refused(
    expire(id, { expires_at: later }),
    'ConflictException',
    409,
    'api_key_already_expired',
  );
  await refused(
    expire('api_key_01EHWNCE74X7JSDV0X3SZ3KJNY', {}),
    'NotFoundException',
    404,
  );
  const other = await create({});
  await refused(expire(other.id, { expires_at: 'soon' }), 'UnprocessableEntityException', 422);
  const withoutBody = await server.request('POST', `/api_keys/${other.id}/expire`);
  assert.equal(withoutBody.status, 200);
  assert.equal(await validate(other.value), null);
  const created = await server.request('POST', `/organizations/${organizationId}/api_keys`, {
    body: { name: 'Short', expires_at: later },
  });
  server.secrets.add(created.body.value);
  assert.equal(created.body.expires_at, later);
});

// -- Idempotency ----------------------------------------------------------------------------------

/** Ten seconds pass for what is kept of creations. */
function growOld() {
  execFileSync('sqlite3', [
    join(server.directory, 'keys.db'),
    'UPDATE idempotency_keys SET created_at = created_at - 10000',
  ]);
}

test('the same request under the same idempotency key makes one key', async () => {
  await freshOrganization();
  const options = { idempotencyKey: 'deploy-1' };
  const first = await create({ permissions: ['posts:read'] }, options);
  await refused(create({ permissions: ['posts:read'] }, options), 'ConflictException', 409);
  growOld();
  const second = await create({ permissions: ['posts:read'] }, options);
  assert.equal(second.id, first.id);
  assert.notEqual(second.value, first.value, 'a value is shown once; the lost one dies');
  assert.equal(await validate(first.value), null);
  assert.equal((await validate(second.value)).id, first.id);
  growOld();
  // It is in use now, so its value stays, and whoever repeats the request learns the id alone.
  const error = await refused(
    create({ permissions: ['posts:read'] }, options),
    'ConflictException',
    409,
  );
  assert(error.message.includes(first.id), error.message);
  assert.notEqual(await validate(second.value), null);
  assert.equal((await list()).data.length, 1);
});

test('another request under it is refused', async () => {
  await freshOrganization();
  const options = { idempotencyKey: 'deploy-2' };
  await create({ name: 'One' }, options);
  await refused(create({ name: 'Two' }, options), 'UnprocessableEntityException', 422);
  assert.deepEqual(names(await list()), ['One']);
});

test('many at once under it make one key', async () => {
  await freshOrganization();
  const answers = await Promise.allSettled(
    Array.from({ length: 12 }, () => create({}, { idempotencyKey: 'deploy-3' })),
  );
  const made = answers.filter(({ status }) => status === 'fulfilled');
  for (const { reason } of answers.filter(({ status }) => status === 'rejected'))
    assert.equal(reason.status, 409, reason.stack);
  assert.equal(made.length, 1);
  assert.equal((await validate(made[0].value.value)).id, made[0].value.id);
  assert.equal((await list()).data.length, 1);
});

test('the SDK repeats a creation whose answer was lost: too early, then it gets the one key', async () => {
  await freshOrganization();
  const proxy = await faultyProxy(server.url, { lose: (n) => n === 1 });
  const patient = sdkFor({ ...server, port: proxy.port }, { maxRetries: 2 });
  const request = { organizationId, name: 'Once' };
  const options = { idempotencyKey: 'deploy-4' };
  const error = await thrownBy(patient.apiKeys.createOrganizationApiKey(request, options));
  assert.equal(error.code, 'idempotency_key_in_flight', error.stack);
  assert.equal(proxy.seen.length, 2);
  growOld();
  const key = await patient.apiKeys.createOrganizationApiKey(request, options);
  server.secrets.add(key.value);
  assert.deepEqual(names(await list()), ['Once']);
  assert.equal((await validate(key.value)).id, key.id);
  proxy.close();
});
