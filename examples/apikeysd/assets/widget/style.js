// SPDX-License-Identifier: MIT
//
// One style sheet for all widgets of a page, constructed by script, so that it works under a policy
// without 'unsafe-inline'. Public custom properties begin with --api-keys-,
// the widget's own with --_. Directions are logical throughout: right-to-left pages mirror.

const LIGHT = `
  color-scheme: light;
  --_surface: var(--api-keys-surface, #ffffff);
  --_raised: var(--api-keys-raised, #ffffff);
  --_subtle: var(--api-keys-subtle, #f6f6f4);
  --_text: var(--api-keys-text, #1b1b19);
  --_muted: var(--api-keys-muted, #63625d);
  --_line: var(--api-keys-line, #e5e4e0);
  --_edge: var(--api-keys-edge, #8a8983);
  --_accent: var(--api-keys-accent, #3451c6);
  --_on-accent: var(--api-keys-on-accent, #ffffff);
  --_danger: var(--api-keys-danger, #b3261e);
  --_on-danger: var(--api-keys-on-danger, #ffffff);
  --_warning: var(--api-keys-warning, #7a4d00);
  --_warning-ground: var(--api-keys-warning-ground, #fff6e0);
  --_danger-ground: var(--api-keys-danger-ground, #fdeeed);
  --_shade: rgb(20 20 18 / 45%);
  --_shadow: 0 1px 2px rgb(0 0 0 / 6%), 0 12px 32px -8px rgb(0 0 0 / 22%);`;

const DARK = `
  color-scheme: dark;
  --_surface: var(--api-keys-surface, #18191b);
  --_raised: var(--api-keys-raised, #1f2023);
  --_subtle: var(--api-keys-subtle, #232428);
  --_text: var(--api-keys-text, #eeeeec);
  --_muted: var(--api-keys-muted, #a8a7a1);
  --_line: var(--api-keys-line, #303237);
  --_edge: var(--api-keys-edge, #7b7d84);
  --_accent: var(--api-keys-accent, #a9baff);
  --_on-accent: var(--api-keys-on-accent, #10132a);
  --_danger: var(--api-keys-danger, #ff9d94);
  --_on-danger: var(--api-keys-on-danger, #2d0906);
  --_warning: var(--api-keys-warning, #ffd180);
  --_warning-ground: var(--api-keys-warning-ground, #33270f);
  --_danger-ground: var(--api-keys-danger-ground, #371a18);
  --_shade: rgb(0 0 0 / 60%);
  --_shadow: 0 0 0 1px rgb(255 255 255 / 6%), 0 16px 40px -8px rgb(0 0 0 / 70%);`;

const CSS = `
:host { display: block; ${LIGHT} }
:host([hidden]) { display: none; }
@media (prefers-color-scheme: dark) { :host(:not([theme="light"])) { ${DARK} } }
:host([theme="dark"]) { ${DARK} }

/* The list is laid out by the room that it gets, so it asks for none itself (size containment). The
   strut asks instead: 760px where the widget's width follows from its content, 240px at least. */
.strut { display: grid; grid-template-columns: minmax(240px, 760px); block-size: 0; overflow: hidden; }
/* Inherited properties of the page end here. These go on: whether the widget is there and can be
   used, colours that the system asks for, the language; text direction is none of "all". */
.root { all: initial; display: block; visibility: inherit; pointer-events: inherit;
  color-scheme: inherit; forced-color-adjust: inherit; -webkit-locale: inherit; }
.root, dialog, .menu {
  font: var(--api-keys-font-size, 14px)/1.5 var(--api-keys-font, system-ui, -apple-system,
    "Segoe UI", Roboto, "Noto Sans", sans-serif);
  color: var(--_text);
  text-align: start;
  --_radius: var(--api-keys-radius, 10px);
  --_mono: var(--api-keys-font-mono, ui-monospace, "SF Mono", Menlo, Consolas, monospace);
}
.root { container-type: inline-size; }
*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
p, h2, dl, dd, fieldset { margin: 0; padding: 0; border: 0; min-width: 0; }
/* Texts may be of another direction than the page, as ours are until they are replaced. */
p, h2, .hint, .note span { unicode-bidi: plaintext; text-align: -webkit-match-parent;
  text-align: match-parent; }
bdi { overflow-wrap: anywhere; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
.icon { inline-size: 1.25em; block-size: 1.25em; flex: none; fill: none; stroke: currentColor;
  stroke-width: 1.5; stroke-linecap: round; stroke-linejoin: round; }
.icon-more { stroke-width: 2.6; }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }
.root:focus { outline: none; }

/* Buttons and fields */
button { font: inherit; color: inherit; }
.button { display: inline-flex; align-items: center; justify-content: center; gap: 6px;
  min-block-size: 36px; padding: 6px 14px; border: 1px solid var(--_line);
  border-radius: calc(var(--_radius) - 2px); background: var(--_raised); font-weight: 550;
  cursor: pointer; transition: background-color .12s, border-color .12s, filter .12s; }
.button:hover { background: var(--_subtle); }
.button.primary { border-color: transparent; background: var(--_accent); color: var(--_on-accent); }
.button.danger { border-color: transparent; background: var(--_danger); color: var(--_on-danger); }
.button.primary:hover, .button.danger:hover { filter: brightness(1.08); }
.button:active { transform: translateY(.5px); }
.button:disabled { opacity: .5; cursor: default; }
.button[aria-disabled="true"] { cursor: progress; }
.quiet { display: inline-grid; place-items: center; inline-size: 32px; block-size: 32px; padding: 0;
  border: 0; border-radius: 8px; background: none; color: var(--_muted); cursor: pointer; }
.quiet:hover, .quiet[aria-expanded="true"] { background: var(--_subtle); color: var(--_text); }
.link { padding: 4px 0; border: 0; background: none; color: var(--_accent); font-weight: 550;
  cursor: pointer; }
.link:hover { text-decoration: underline; }
input, select { font: inherit; color: inherit; }
.field, select { inline-size: 100%; min-block-size: 38px; padding: 7px 12px;
  border: 1px solid var(--_edge); border-radius: calc(var(--_radius) - 2px);
  background: var(--_surface); }
.field::placeholder { color: var(--_muted); opacity: 1; }
.field:focus-visible, select:focus-visible { outline-offset: -1px; border-color: var(--_accent); }
.field[aria-invalid="true"] { border-color: var(--_danger); }
.search { position: relative; flex: 1 1 200px; max-inline-size: 320px; color: var(--_muted); }
.search .icon { position: absolute; inset-block: 0; inset-inline-start: 11px; margin-block: auto;
  pointer-events: none; }
.search .field { padding-inline-start: 36px; border-color: var(--_line); color: var(--_text); }
.spinner { inline-size: 14px; block-size: 14px; border: 2px solid currentColor;
  border-block-start-color: transparent; border-radius: 50%; animation: turn .7s linear infinite; }
@keyframes turn { to { transform: rotate(1turn); } }

/* The list */
.bar { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 10px;
  margin-block-end: 14px; }
.panel { border: 1px solid var(--_line); border-radius: var(--_radius);
  background: var(--_surface); overflow: hidden; }
table { inline-size: 100%; border-collapse: collapse; }
th { padding: 10px 16px; background: var(--_subtle); color: var(--_muted); font-size: .87em;
  font-weight: 550; text-align: start; white-space: nowrap; }
td { padding: 11px 16px; border-block-start: 1px solid var(--_line); vertical-align: middle; }
th:last-child, td:last-child { padding-inline-start: 0; text-align: end; inline-size: 56px; }
tbody tr:hover { background: color-mix(in srgb, var(--_subtle) 55%, transparent); }
[aria-busy="true"] tbody { opacity: .55; transition: opacity .15s .15s; }
.name { font-weight: 550; }
.clamp { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
.mono { font-family: var(--_mono); font-size: .92em; overflow-wrap: anywhere; unicode-bidi: isolate; }
.muted, .mono.muted { color: var(--_muted); }
.small { font-size: .9em; }
time, td .mono { white-space: nowrap; }
legend { margin-block-end: 6px; }
.badge { display: inline-block; padding: 1px 8px; border-radius: 99px; background: var(--_danger-ground);
  color: var(--_danger); font-size: .87em; font-weight: 550; white-space: nowrap; }
.badge.soon { background: var(--_warning-ground); color: var(--_warning); }
.pager { display: flex; justify-content: flex-end; gap: 8px; margin-block-start: 14px; }
.bone { display: block; block-size: 11px; border-radius: 6px; background: var(--_line);
  animation: breathe 1.4s ease-in-out infinite alternate; }
.bone.w1 { inline-size: 55%; } .bone.w2 { inline-size: 72%; } .bone.w3 { inline-size: 40%; }
@keyframes breathe { to { opacity: .4; } }

.state { display: grid; justify-items: center; gap: 6px; padding: 52px 24px; text-align: center; }
.state .medal { display: grid; place-items: center; inline-size: 48px; block-size: 48px;
  margin-block-end: 8px; border: 1px solid var(--_line); border-radius: 14px;
  background: var(--_subtle); color: var(--_muted); font-size: 17px; }
.state .title { font-size: 1.12em; font-weight: 600; }
.state .text { max-inline-size: 42ch; color: var(--_muted); text-wrap: balance; }
.state .button { margin-block-start: 14px; }
.note { display: flex; gap: 10px; align-items: flex-start; padding: 10px 12px;
  border-radius: calc(var(--_radius) - 2px); background: var(--_warning-ground);
  color: var(--_warning); }
.note .icon { margin-block-start: 1px; }
.note .link { color: inherit; text-decoration: underline; padding: 0; }
.note.problem { background: var(--_danger-ground); color: var(--_danger); }
.bar + .note { margin-block-end: 14px; }

.toast { position: fixed; inset-block-end: 20px; inset-inline: 16px; z-index: 1000; margin-inline: auto;
  inline-size: fit-content; max-inline-size: 460px; padding: 10px 16px; border-radius: 10px;
  background: var(--_text); color: var(--_surface); box-shadow: var(--_shadow); font-weight: 500;
  pointer-events: none; }
.toast:empty { display: none; }

/* The menu of a row: a popover, so that nothing cuts it off */
.menu { position: fixed; inset: auto; margin: 0; padding: 5px; min-inline-size: 180px;
  border: 1px solid var(--_line); border-radius: var(--_radius); background: var(--_raised);
  box-shadow: var(--_shadow); }
.menu button { display: flex; inline-size: 100%; min-block-size: 34px; padding: 6px 10px; border: 0;
  border-radius: 7px; background: none; align-items: center; text-align: start; cursor: pointer; }
.menu button:hover, .menu button:focus-visible { background: var(--_subtle); }
.menu .danger { color: var(--_danger); }

/* Dialogs */
dialog { inline-size: min(520px, calc(100vw - 32px)); max-block-size: min(760px, calc(100dvh - 32px));
  margin: auto; padding: 0; border: 1px solid var(--_line);
  border-radius: calc(var(--_radius) + 6px); background: var(--_raised); box-shadow: var(--_shadow);
  overflow: hidden; }
dialog[open] { display: flex; animation: rise .16s ease-out; }
dialog::backdrop { background: rgb(10 10 12 / 50%); }
@keyframes rise { from { opacity: 0; transform: translateY(8px) scale(.985); } }
dialog form { display: flex; flex-direction: column; inline-size: 100%; min-block-size: 0; }
.head { display: flex; justify-content: space-between; align-items: flex-start; gap: 12px;
  padding: 20px 16px 4px 24px; padding-inline: 24px 16px; }
h2 { font-size: 1.25em; line-height: 1.3; font-weight: 650; letter-spacing: -.01em; padding-block: 4px; }
.body { display: grid; grid-template-columns: minmax(0, 1fr); gap: 18px; padding: 6px 24px 20px;
  overflow-y: auto; overscroll-behavior: contain; }
.foot { display: flex; flex-wrap: wrap; justify-content: flex-end; gap: 8px; padding: 14px 24px;
  border-block-start: 1px solid var(--_line); }
.group { display: grid; gap: 6px; grid-template-columns: minmax(0, 1fr); }
label, legend { font-weight: 550; padding: 0; }
.hint { color: var(--_muted); font-size: .92em; }
.wrong { color: var(--_danger); font-size: .92em; font-weight: 500; }
.wrong:empty, .alert:empty { display: none; }
.alert { padding: 0 24px 14px; }
.between { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline;
  gap: 4px 12px; }
.choices { max-block-size: 236px; overflow-y: auto; border: 1px solid var(--_line);
  border-radius: calc(var(--_radius) - 2px); background: var(--_surface); }
.choice { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0 11px; padding: 9px 12px;
  font-weight: 400; cursor: pointer; }
.choice + .choice { border-block-start: 1px solid var(--_line); }
.choice:hover { background: var(--_subtle); }
.choice input { inline-size: 16px; block-size: 16px; margin: 3px 0 0; accent-color: var(--_accent); }
.choice .name { overflow-wrap: anywhere; }
.choice .mono { margin-inline-start: 8px; }
.choice .text { grid-column: 2; color: var(--_muted); font-size: .92em; overflow-wrap: anywhere; }
.blank { padding: 18px 12px; color: var(--_muted); text-align: center; }
.secret { display: grid; gap: 8px; }
.secret .field { min-inline-size: 0; font-size: .89em; font-family: var(--_mono); background: var(--_subtle);
  direction: ltr; }
.facts { display: grid; grid-template-columns: minmax(92px, auto) minmax(0, 1fr); gap: 12px 20px; }
.facts dt { color: var(--_muted); }
.facts dd { overflow-wrap: anywhere; }
.facts dd.inline { display: flex; align-items: center; gap: 6px; }
.facts .quiet { inline-size: 26px; block-size: 26px; flex: none; }
.tags { display: flex; flex-wrap: wrap; gap: 6px; padding: 0; margin: 0; list-style: none; }
.tags li { padding: 1px 8px; border: 1px solid var(--_line); border-radius: 7px;
  background: var(--_subtle); }

/* Narrow: each key is a card; the roles in the markup keep it a table for those who listen */
@container (max-width: 640px) {
  .search { max-inline-size: none; flex-basis: 100%; }
  .bar .button { flex: 1; }
  table, tbody { display: block; }
  thead { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden;
    clip-path: inset(50%); }
  tbody tr { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 2px 12px; padding: 13px 14px;
    border-block-start: 1px solid var(--_line); }
  tbody tr:first-child { border-block-start: 0; }
  td, td:last-child { padding: 0; border: 0; inline-size: auto; }
  td { grid-column: 1 / -1; }
  td:first-child { grid-column: 1; grid-row: 1; align-self: center; }
  td:last-child { grid-column: 2; grid-row: 1; }
  td[data-label] { display: flex; justify-content: space-between; gap: 12px; }
  td[data-label]::before { content: attr(data-label); color: var(--_muted); flex: none; }
  td[data-label] > * { text-align: end; }
  .pager .button { flex: 1; }
}
@media (max-width: 480px) {
  dialog { inline-size: 100vw; max-inline-size: 100vw; margin-block-end: 0; max-block-size: 94dvh;
    border-end-start-radius: 0; border-end-end-radius: 0; border-inline: 0; border-block-end: 0; }
  .head { padding-inline: 18px 10px; } .body { padding-inline: 18px; } .foot { padding-inline: 18px; }
  .foot .button { flex: 1 1 auto; }
  .facts { grid-template-columns: minmax(0, 1fr); gap: 2px; }
  .facts dd { margin-block-end: 10px; }
}
@media (prefers-reduced-motion: reduce) {
  *, ::before, ::after { animation: none !important; transition: none !important; }
}
@media (forced-colors: active) {
  .button, .menu button:focus-visible { border: 1px solid; }
}
`;

let shared = null;

export function styleSheet() {
  if (shared === null) {
    shared = new CSSStyleSheet();
    shared.replaceSync(CSS);
  }
  return shared;
}
