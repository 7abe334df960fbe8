// SPDX-License-Identifier: MIT
//
// Bundles the page with the official widget, and serves it on an origin of its own.
import esbuild from 'esbuild';
import { basename } from 'node:path';
import { servePages } from '../browser.mjs';

const PAGE = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>A customer's settings</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/page.css">
<main id="root" style="padding: 24px"></main><script src="/page.js"></script></html>`;

async function bundle() {
  const built = await esbuild.build({
    entryPoints: [new URL('page.jsx', import.meta.url).pathname],
    bundle: true,
    minify: true,
    write: false,
    outdir: 'out',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'warning',
  });
  return Object.fromEntries(
    built.outputFiles.map(({ path, contents }) => [
      `/${basename(path)}`,
      { type: path.endsWith('.css') ? 'text/css' : 'text/javascript', body: contents },
    ]),
  );
}

/** Pages with the widget; a token is served for each path of `files` that the test adds. */
export async function serveReactWidget() {
  return servePages({ '/': { type: 'text/html', body: PAGE }, ...(await bundle()) });
}
