// SPDX-License-Identifier: MIT
//
// Starts apikeysd for a test, and stops it: it must end with status 0 and must not have logged a
// secret.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// A key's value and a signed token, by their shape; what else is secret is named by the test.
const SECRET_SHAPES = [
  /[a-z][a-z0-9_]*_[0-9A-Za-z]{54}(?![0-9A-Za-z])/,
  /eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}/,
];

// The promise of the content of a file that appears whole, or of the reason why it won't.
function whenWritten(directory, name, child) {
  const path = join(directory, name);
  return new Promise((resolve, reject) => {
    const watcher = watch(directory, look);
    const give_up = (why) => {
      watcher.close();
      reject(new Error(why));
    };
    const ended = (code, signal) => give_up(`apikeysd ended early: ${code ?? signal}`);
    child.once('exit', ended);
    child.once('error', (error) => give_up(error.message));
    function look() {
      if (!existsSync(path)) return;
      watcher.close();
      child.off('exit', ended);
      resolve(readFileSync(path, 'utf8'));
    }
    look();
  });
}

function whenEnded(child) {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });
}

/**
 * A running service. Options: `args`, further flags; `directory`, where its files are (to start
 * again on the same store; otherwise a fresh one that stop() removes).
 */
export async function startServer({ args = [], directory } = {}) {
  const program = process.env.APIKEYSD;
  assert(program, 'APIKEYSD names the program to test');
  const home = directory ?? mkdtempSync(join(tmpdir(), 'apikeysd-'));
  const readyFile = join(home, 'ready.json');
  rmSync(readyFile, { force: true });
  const child = spawn(
    program,
    [
      ...['--demo', '--listen', '127.0.0.1:0', '--database', join(home, 'keys.db')],
      ...['--ready-file', readyFile, '--failures-per-minute', '0', ...args],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], cwd: home },
  );
  let log = '';
  const streams = [child.stdout, child.stderr];
  for (const stream of streams) stream.setEncoding('utf8').on('data', (text) => (log += text));
  const drained = Promise.all(streams.map((s) => new Promise((done) => s.once('close', done))));

  let ready;
  try {
    ready = JSON.parse(await whenWritten(home, 'ready.json', child));
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`${error.message}\n${log}`);
  }

  const server = {
    ready,
    url: ready.url,
    port: Number(new URL(ready.url).port),
    managementKey: ready.management_key,
    organizationId: ready.organization_id,
    directory: home,
    pid: child.pid,
    log: () => log,
    // Everything that must never turn up in the log.
    secrets: new Set([ready.management_key]),

    /** A request as the given text sees it: status, headers, body (parsed if it is JSON). */
    async request(method, path, { body, key = ready.management_key, headers = {} } = {}) {
      const response = await fetch(ready.url + path, {
        method,
        headers: {
          ...(key === null ? {} : { authorization: `Bearer ${key}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
      });
      const text = await response.text();
      const isJson = (response.headers.get('content-type') ?? '').includes('application/json');
      return {
        status: response.status,
        headers: response.headers,
        text,
        body: isJson && text !== '' ? JSON.parse(text) : null,
      };
    },

    /** A widget token of the demo's admin. */
    async widgetToken() {
      const { status, body } = await this.request('GET', '/demo/widget-token', { key: null });
      assert.equal(status, 200);
      this.secrets.add(body.token);
      return body.token;
    },

    /** Ends the service, gracefully, and looks at what it left. */
    async stop({ keep = directory !== undefined } = {}) {
      child.kill('SIGTERM');
      await whenEnded(child);
      await drained;
      if (!keep) rmSync(home, { recursive: true, force: true });
      assert.equal(child.exitCode, 0, `exit status ${child.exitCode ?? child.signalCode}\n${log}`);
      for (const secret of this.secrets)
        assert(!log.includes(secret), 'a secret of the test is in the log');
      for (const shape of SECRET_SHAPES) assert.doesNotMatch(log, shape);
    },
  };
  // A test that failed before stop() leaves no service behind.
  process.once('exit', () => child.kill('SIGKILL'));
  return server;
}
