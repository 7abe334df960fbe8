// SPDX-License-Identifier: MIT
//
// The official SDK: validation, and what each refusal looks like to a program that uses the SDK.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { faultyProxy } from './proxy.mjs';
import { DATE, refused, sdkFor, thrownBy, ulid } from './sdk.mjs';
import { startServer } from './server.mjs';

let server, workos, token;

before(async () => {
  server = await startServer();
  workos = sdkFor(server);
  token = await server.widgetToken();
});

after(() => server.stop());

async function createKey(path, fields = {}) {
  const { status, body, text } = await server.request('POST', `/_widgets/${path}`, {
    key: token,
    body: { name: 'CI', permissions: ['posts:read'], expiresAt: null, ...fields },
  });
  assert.equal(status, 201, text);
  server.secrets.add(body.value);
  return body;
}

const organizationKey = (fields) => createKey('ApiKeys/organization-api-keys', fields);
const validate = (value) => workos.apiKeys.createValidation({ value });

test('a good key: whose it is, and what it may do', async () => {
  const created = await organizationKey({ permissions: ['posts:write', 'posts:read'] });
  const { apiKey } = await validate(created.value);
  assert.deepEqual(
    { ...apiKey, createdAt: '', updatedAt: '', permissions: [...apiKey.permissions].sort() },
    {
      object: 'api_key',
      id: created.id,
      owner: { type: 'organization', id: server.organizationId },
      name: 'CI',
      obfuscatedValue: `sk_...${created.value.slice(-4)}`,
      lastUsedAt: null,
      permissions: ['posts:read', 'posts:write'],
      createdAt: '',
      updatedAt: '',
    },
  );
  assert.match(apiKey.id, ulid('api_key'));
  assert.match(apiKey.createdAt, DATE);
  assert.match(apiKey.updatedAt, DATE);
  // The second time there is a last time.
  const again = (await validate(created.value)).apiKey;
  assert.match(again.lastUsedAt, DATE);
  assert.equal(again.updatedAt, apiKey.updatedAt, 'a use is no change');
});

test("a member's own key names its user and the organization", async () => {
  const created = await createKey('UserApiKeys/api-keys');
  const { apiKey } = await validate(created.value);
  assert.equal(apiKey.owner.type, 'user');
  assert.equal(apiKey.owner.organizationId, server.organizationId);
  assert.match(apiKey.owner.id, /^user_/);
});

test('no good key is null, whatever the reason', async () => {
  const good = await organizationKey();
  const expired = await organizationKey();
  await server.request('POST', `/_widgets/ApiKeys/${expired.id}/expire`, { key: token, body: {} });
  const revoked = await organizationKey();
  await workos.apiKeys.deleteApiKey(revoked.id);
  const last = good.value.slice(-1) === 'A' ? 'B' : 'A';
  const values = {
    expired: expired.value,
    revoked: revoked.value,
    nonsense: 'nonsense',
    empty: '',
    'one character changed': good.value.slice(0, -1) + last,
    'one character too many': `${good.value}A`,
    'one character too few': good.value.slice(0, -1),
    'a blank behind': `${good.value} `,
    'a NUL behind': `${good.value}\0`,
    'capitals changed': good.value.toUpperCase(),
    'long': 'sk_'.padEnd(5000, 'A'),
    'not ASCII': 'sk_ключ🔑',
    'a management key': server.managementKey,
    'a widget token': token,
  };
  for (const [what, value] of Object.entries(values)) {
    const answer = await validate(value).catch((error) => error);
    // What is no text of any key may be refused as input; it is never a key.
    if (answer instanceof Error) assert([400, 422].includes(answer.status), `${what}: ${answer.stack}`);
    else assert.equal(answer.apiKey, null, what);
  }
  assert.notEqual((await validate(good.value)).apiKey, null);
});

test('a revoked key: deleted once, not found then', async () => {
  const { id, value } = await organizationKey();
  assert.notEqual((await validate(value)).apiKey, null);
  assert.equal(await workos.apiKeys.deleteApiKey(id), undefined);
  assert.equal((await validate(value)).apiKey, null);
  const error = await refused(
    workos.apiKeys.deleteApiKey(id),
    'NotFoundException',
    404,
    'entity_not_found',
  );
  assert.equal(error.message, `API Key not found: '${id}'.`);
});

// -- The table of errors --------------------------------------------------------------------------

test('401: a secret that is none', async () => {
  const { value } = await organizationKey();
  for (const secret of ['sk_nonsense', `${server.managementKey}A`, value, token]) {
    const stranger = sdkFor({ managementKey: secret, port: server.port });
    await refused(
      stranger.apiKeys.createValidation({ value }),
      'UnauthorizedException',
      401,
      undefined,
    );
  }
  const bare = await server.request('POST', '/api_keys/validations', { key: null, body: {} });
  assert.equal(bare.status, 401);
  assert.deepEqual(bare.body, { message: 'Unauthorized', code: 'unauthorized' });
});

test('404: paths and ids that are none', async () => {
  for (const id of ['api_key_01EHWNCE74X7JSDV0X3SZ3KJNY', 'x', '%', 'a b', 'ä', "'; --", 'org_x'])
    await refused(workos.apiKeys.deleteApiKey(id), 'NotFoundException', 404);
  await refused(workos.get('/no/such/path'), 'NotFoundException', 404);
  await refused(workos.post('/no/such/path', {}), 'NotFoundException', 404);
});

test('405: a method that the path does not know is JSON too', async () => {
  const error = await refused(
    workos.put('/api_keys/validations', {}),
    'GenericServerException',
    405,
  );
  assert.equal(typeof error.rawData.message, 'string');
});

test('422: what is missing or of the wrong type is named', async () => {
  for (const body of [{}, { value: null }, { value: 1 }, { value: ['x'] }, { value: {} }]) {
    const error = await refused(
      workos.post('/api_keys/validations', body),
      'UnprocessableEntityException',
      422,
    );
    assert.match(error.message, /^The following requirement must be met:\n\t\w+/);
  }
  const { status, body } = await server.request('POST', '/api_keys/validations', { body: {} });
  assert.equal(status, 422);
  assert.equal(body.message, 'Validation failed.');
  assert.equal(body.errors[0].field, 'value');
  assert.equal(body.errors[0].code, 'required');
});

test('400: a body that is no JSON object', async () => {
  for (const body of ['{', 'null', '[]', '"x"', '{"value":"a","value":"b"}', '{"value":"\\ud800"}']) {
    const answer = await server.request('POST', '/api_keys/validations', { body });
    assert.equal(answer.status, 400, body);
    assert.equal(typeof answer.body.message, 'string');
    assert.equal(answer.body.error, undefined, 'an `error` would make it an OauthException');
  }
});

test('every answer, good or bad, is JSON with an id of its own', async () => {
  const seen = new Set();
  for (const [method, path, key] of [
    ['GET', '/healthz', null],
    ['GET', '/nowhere', null],
    ['DELETE', '/api_keys/x', 'nonsense'],
    ['GET', '/_widgets/ApiKeys/permissions', null],
    ['POST', '/api_keys/validations', server.managementKey],
  ]) {
    const { headers, body } = await server.request(method, path, { key });
    assert.match(headers.get('content-type'), /^application\/json/, path);
    assert.equal(typeof body, 'object');
    seen.add(headers.get('x-request-id'));
  }
  assert.equal(seen.size, 5);
  assert(!seen.has(null));
});

test('429: an address that keeps guessing must wait, and the SDK knows how long', async () => {
  const strict = await startServer({ args: ['--failures-per-minute', '3'] });
  const guesser = sdkFor({ managementKey: 'sk_nonsense', port: strict.port });
  let error;
  for (let i = 0; i < 5; i++)
    error = await thrownBy(guesser.apiKeys.createValidation({ value: 'x' }));
  assert.equal(error.name, 'RateLimitExceededException', error.stack);
  assert.equal(error.status, 429);
  assert(error.retryAfter >= 1 && error.retryAfter <= 60, String(error.retryAfter));
  await strict.stop();
});

// -- Retries --------------------------------------------------------------------------------------

test('the SDK tries again after a 503 and a broken connection', async () => {
  const { value, id } = await organizationKey();
  for (const fault of ['drop', { status: 503, headers: { 'retry-after': '0' } }]) {
    const proxy = await faultyProxy(server.url, { fault: (n) => (n === 1 ? fault : undefined) });
    const patient = sdkFor({ ...server, port: proxy.port }, { maxRetries: 2 });
    assert.equal((await patient.apiKeys.createValidation({ value })).apiKey.id, id);
    const [first, second] = proxy.seen.map(({ headers }) => headers['idempotency-key']);
    assert.equal(proxy.seen.length, 2);
    assert.match(first, /^retry-/);
    assert.equal(first, second);
    proxy.close();
  }
});
