// SPDX-License-Identifier: MIT
//
// The helpers of these tests: a check that cannot fail proves nothing.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { axeViolations, openPage, servePages, startBrowser } from './browser.mjs';
import { startServer } from './server.mjs';

test('the service starts, answers, stops with status 0, and leaves nothing', async () => {
  const server = await startServer();
  const { status, body } = await server.request('GET', '/healthz', { key: null });
  assert.equal(status, 200);
  assert.ok(body);
  assert.match(server.managementKey, /^sk_/);
  assert.match(server.organizationId, /^org_/);
  await server.stop();
  assert(!existsSync(server.directory));
});

test('a secret in the log is noticed', async () => {
  const server = await startServer({ args: ['--access-log'] });
  await server.request('GET', '/nowhere-in-particular');
  server.secrets.add('nowhere-in-particular');
  await assert.rejects(server.stop(), /a secret of the test is in the log/);
});

test('a service that cannot start says why', async () => {
  await assert.rejects(startServer({ args: ['--no-such-flag'] }), /ended early: 2\n.*no-such-flag/s);
});

test('what a page complains of is seen, and axe sees what is not accessible', async () => {
  const pages = await servePages({
    '/': {
      type: 'text/html',
      body: '<!doctype html><title>t</title><img src="/none.png"><script>throw Error("x")</script>',
      headers: { 'content-security-policy': "default-src 'self'; script-src 'unsafe-inline'" },
    },
  });
  const browser = await startBrowser();
  try {
    const page = await openPage(browser);
    await page.goto(pages.origin);
    assert(page.complaints.some((text) => text === 'uncaught: x'));
    const found = await axeViolations(page);
    assert(found.some((line) => line.startsWith('image-alt: ')), found.join('\n'));
  } finally {
    await browser.close();
    await pages.close();
  }
});
