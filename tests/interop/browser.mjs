// SPDX-License-Identifier: MIT
//
// A headless Chromium, pages to show in it, and what tests want to know about a page.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Debian's Chromium with a profile of its own. */
export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });
}

/**
 * A server of pages on a port, so an origin, of its own. `files` maps a path to
 * `{ type, body, headers }`; it may be changed while it serves.
 */
export async function servePages(files) {
  const server = http.createServer((request, response) => {
    const file = files[new URL(request.url, 'http://page').pathname];
    response.writeHead(file ? 200 : 404, {
      'content-type': file?.type ?? 'text/plain',
      ...file?.headers,
    });
    response.end(file?.body ?? 'nothing here');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    origin,
    files,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

/**
 * A fresh page (its own context: no cookies, no storage of others). What it complains of is in
 * `page.complaints`: uncaught errors, errors on the console, violations of its policy. It moves
 * nothing unless asked to: half-faded text is what axe takes for text of little contrast.
 */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1100, height: 800 },
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  page.complaints = [];
  page.on('pageerror', (error) => page.complaints.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') page.complaints.push(message.text());
  });
  return page;
}

/** Keeps a picture for people: WORK_DIR/screenshots/NAME.png. */
export async function keepScreenshot(page, name, options = {}) {
  const path = join(process.env.SCREENSHOTS ?? '.', `${name}.png`);
  await page.screenshot({ path, animations: 'disabled', ...options });
}

/** What axe finds: one line a violation, with the elements concerned. */
export async function axeViolations(page, options = {}) {
  // evaluate() goes past the page's Content-Security-Policy, a script element would not. To load axe
  // takes longer than to run it: once is enough for a document.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axeSource);
  const violations = await page.evaluate(async (given) => {
    const result = await globalThis.axe.run(document, { resultTypes: ['violations'], ...given });
    return result.violations.map((v) => ({
      id: v.id,
      targets: v.nodes.map((node) => node.target.flat(9).join(' ')),
    }));
  }, options);
  return violations.map((v) => `${v.id}: ${v.targets.join(', ')}`);
}
