// SPDX-License-Identifier: MIT
//
// The samples of examples/node and examples/python, each as a server of its own.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startServer } from './server.mjs';

const examples = new URL('../../examples/', import.meta.url);
const nextCommand = createRequire(import.meta.url).resolve('next/dist/bin/next');

let service, token, reader, writer, stranger, mine;

before(async () => {
  service = await startServer();
  token = await service.widgetToken();
  reader = await createKey(['posts:read']);
  writer = await createKey(['posts:read', 'posts:write']);
  stranger = await createKey([]);
  mine = await createKey(['posts:read'], 'UserApiKeys/api-keys');
});

after(() => service.stop());

async function createKey(permissions, path = 'ApiKeys/organization-api-keys') {
  const { status, body } = await service.request('POST', `/_widgets/${path}`, {
    key: token,
    body: { name: 'sample', permissions, expiresAt: null },
  });
  assert.equal(status, 201);
  service.secrets.add(body.value);
  return body;
}

// Starts a sample; its URL is the first that it prints. Given that, stop() ends it.
function startSample(folder, command, args, environment = {}) {
  const child = spawn(command, args, {
    cwd: fileURLToPath(new URL(folder, examples)),
    env: {
      ...process.env,
      APIKEYS_URL: service.url,
      APIKEYS_MANAGEMENT_KEY: service.managementKey,
      PORT: '0',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a group of its own, for those that start others
  });
  const end = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  };
  process.once('exit', end);
  return new Promise((resolve, reject) => {
    let output = '';
    const read = (text) => {
      output += text;
      const url = output.match(/http:\/\/(?:127\.0\.0\.1|localhost):\d+/)?.[0];
      if (url) resolve({ url: url.replace('localhost', '127.0.0.1'), stop: end });
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', read);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${folder} ended with ${code}\n${output}`)));
  });
}

async function ask(url, method, value, body) {
  const response = await fetch(url, {
    method,
    headers: {
      ...(value && { authorization: `Bearer ${value}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    body: body && JSON.stringify(body),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

async function checkSample(url) {
  const nobody = await ask(url, 'GET');
  assert.equal(nobody.status, 401);
  assert.match(nobody.headers.get('www-authenticate'), /^Bearer/);
  // Something like a key; another's management key is no customer's key either.
  for (const value of ['nonsense', `${reader.value}x`, service.managementKey])
    assert.equal((await ask(url, 'GET', value)).status, 401);

  assert.equal((await ask(url, 'GET', stranger.value)).status, 403);
  assert.equal((await ask(url, 'POST', reader.value, { title: 'No' })).status, 403);
  assert.deepEqual((await ask(url, 'GET', reader.value)).body, []);
  assert.equal((await ask(url, 'POST', writer.value, { title: 'Hello' })).status, 201);
  const { status, body } = await ask(url, 'GET', reader.value);
  assert.equal(status, 200);
  assert.deepEqual(body, [{ title: 'Hello' }]);
  // A member's own key opens the same organization's.
  assert.deepEqual((await ask(url, 'GET', mine.value)).body, body);

  const leaving = await createKey(['posts:read']);
  assert.equal((await ask(url, 'GET', leaving.value)).status, 200);
  await service.request('DELETE', `/api_keys/${leaving.id}`);
  assert.equal((await ask(url, 'GET', leaving.value)).status, 401, 'refused at once');
}

async function checkWithoutService(start, path = '') {
  const sample = await start({ APIKEYS_MANAGEMENT_KEY: `${service.managementKey}x` });
  try {
    assert.equal((await ask(`${sample.url}${path}/posts`, 'GET', writer.value)).status, 503);
  } finally {
    sample.stop();
  }
}

async function check(start, path = '') {
  const sample = await start();
  try {
    await checkSample(`${sample.url}${path}/posts`);
  } finally {
    sample.stop();
  }
}

const express = (environment) =>
  startSample('node/express/', process.execPath, ['server.mjs'], environment);
const flask = (environment) => startSample('python/flask/', 'python3', ['-u', 'app.py'], environment);
const next = (environment) =>
  startSample('node/next/', process.execPath, [nextCommand, 'dev', '-H', '127.0.0.1'], environment);

test('Express', () => check(express));
test('Express, when the service refuses to answer', () => checkWithoutService(express));
test('Flask', () => check(flask));
test('Flask, when the service refuses to answer', () => checkWithoutService(flask));
// In development mode: a production build takes longer than all of this.
test('Next.js', () => check(next, '/api'));
