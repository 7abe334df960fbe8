// SPDX-License-Identifier: MIT
//
// <api-keys-widget> in pages that make it hard: where its width follows from its content, and where
// everything has styles that are not meant for it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { keepScreenshot, openPage, servePages, startBrowser } from './browser.mjs';
import { startServer } from './server.mjs';

const WIDE = { width: 1100, height: 800 };
const PHONE = { width: 375, height: 720 };
const WIDGET = '<api-keys-widget></api-keys-widget>';

// Name, styles, body, and the least width on a wide screen.
const HOSTS = [
  ['flex-row', '.row { display: flex; gap: 16px } nav { flex: none; width: 96px }', `<div class="row"><nav>Menu</nav>${WIDGET}</div>`, 640],
  ['centred-column', '.column { display: flex; flex-direction: column; align-items: center }', `<div class="column"><h1>Keys</h1>${WIDGET}</div>`, 640],
  ['grid-start', '.grid { display: grid; justify-items: start }', `<div class="grid">${WIDGET}</div>`, 640],
  ['inline-block', 'api-keys-widget { display: inline-block }', `<p>Here: </p>${WIDGET}`, 640],
  ['dialog', 'dialog { padding: 8px }', `<dialog>${WIDGET}</dialog>`, 640],
  ['float', 'api-keys-widget { float: left }', WIDGET, 640],
  ['absolute', 'api-keys-widget { position: absolute; inset-inline-start: 8px }', WIDGET, 640],
  ['table-cell', '', `<table><tr><td>Keys</td><td>${WIDGET}</td></tr></table>`, 640],
  ['min-content', '.tight { inline-size: min-content }', `<div class="tight">${WIDGET}</div>`, 240],
  [
    'loud-text',
    `* { text-transform: uppercase; letter-spacing: .3em; word-spacing: 1em; white-space: nowrap;
         text-indent: 3em; font: italic 900 30px/3 serif; text-align: right; color: hotpink;
         text-shadow: 2px 2px red; word-break: break-all; cursor: wait; list-style: square;
         -webkit-text-fill-color: lime; user-select: none; border-spacing: 9px; hyphens: auto }`,
    WIDGET,
    640,
  ],
];

// What must be the same in every page, wherever in the widget one looks.
const INHERITED = [
  ...['text-transform', 'letter-spacing', 'word-spacing', 'white-space', 'text-indent', 'font-style'],
  ...['font-family', 'font-size', 'line-height', 'text-align', 'color', 'text-shadow', 'word-break'],
  ...['cursor', 'list-style-type', '-webkit-text-fill-color', 'user-select', 'hyphens'],
];
const PLACES = ['.state .title', '.state .button', '.root'];

let server, pages, browser, page;

before(async () => {
  pages = await servePages({});
  server = await startServer({ args: ['--allow-origin', pages.origin] });
  browser = await startBrowser();
  pages.files['/favicon.ico'] = { type: 'image/x-icon', body: '' };
  for (const [name, style, body] of [['plain', '', WIDGET, 0], ...HOSTS])
    pages.files[`/${name}`] = {
      type: 'text/html; charset=utf-8',
      body:
        '<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">' +
        `<title>${name}</title><style>${style}</style>` +
        `<script type="module" src="${server.url}/widget/v1/api-keys-widget.js"></script>${body}</html>`,
    };
  page = await openPage(browser);
  page.setDefaultTimeout(10_000);
});

after(async () => {
  await browser?.close();
  await pages?.close();
  await server?.stop();
});

async function show(name) {
  await page.setViewportSize(WIDE);
  await page.goto(`${pages.origin}/${name}`);
  await page.evaluate(() => document.querySelector('dialog')?.showModal());
  const widget = page.locator('api-keys-widget');
  await widget.evaluate((element, token) => (element.token = token), await server.widgetToken());
  await widget.locator('.state').waitFor();
  return widget;
}

const stylesIn = (widget) =>
  widget.evaluate(
    ({ shadowRoot }, [places, names]) =>
      places.flatMap((place) => {
        const style = getComputedStyle(shadowRoot.querySelector(place));
        return names.map((name) => `${place} ${name}: ${style.getPropertyValue(name)}`);
      }),
    [PLACES, INHERITED],
  );

/** The width of what is in the widget, and how far the page sticks out of the screen. */
const measure = (widget) =>
  widget.evaluate(({ shadowRoot }) => ({
    width: shadowRoot.querySelector('.root').getBoundingClientRect().width,
    out: document.documentElement.scrollWidth - innerWidth,
  }));

let usual; // how texts look in a page that asks for nothing

for (const [name, , , least] of HOSTS)
  test(`a host page with ${name}`, async () => {
    usual ??= await stylesIn(await show('plain'));
    const widget = await show(name);
    const wide = await measure(widget);
    assert(wide.width >= least, `${wide.width}px wide`);
    assert(wide.out <= 0, `sticks out by ${wide.out}px`);
    assert.deepEqual(await stylesIn(widget), usual);
    await keepScreenshot(page, `host-${name}`);
    await page.setViewportSize(PHONE);
    const narrow = await measure(widget);
    assert(narrow.width >= 240, `${narrow.width}px wide on a phone`);
    assert(narrow.out <= 0, `sticks out by ${narrow.out}px on a phone`);
    await keepScreenshot(page, `host-${name}-phone`);
  });

test('what a page hides stays hidden', async () => {
  const widget = await show('plain');
  const seen = () => widget.locator('.state .title').evaluate((title) => title.checkVisibility({ visibilityProperty: true }));
  assert.equal(await seen(), true);
  await page.evaluate(() => (document.body.style.visibility = 'hidden'));
  assert.equal(await seen(), false);
});
