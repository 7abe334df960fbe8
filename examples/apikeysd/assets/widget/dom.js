// SPDX-License-Identifier: MIT
//
// Creates elements. Strings become text nodes, never markup, so nothing has to be escaped, and
// pages that require Trusted Types need no policy for the widget.

const PROPERTIES = new Set(['value', 'checked', 'disabled', 'hidden', 'readOnly', 'indeterminate']);

/** `h('button', { class: 'primary', onclick: go }, 'Go')` */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (PROPERTIES.has(name)) node[name] = value;
    else if (value !== false) node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined));
  return node;
}

/** Text that people wrote, such as a name: isolated, because its direction may differ. */
export const foreign = (text) => h('bdi', {}, text);

const PATHS = {
  key: 'M6.5 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM9 10.5l7.5-7.5M13.6 5.9l2.6 2.6',
  plus: 'M10 4.5v11M4.5 10h11',
  search: 'M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM13 13l3.5 3.5',
  more: 'M5 10h.01M10 10h.01M15 10h.01',
  close: 'M5.5 5.5l9 9M14.5 5.5l-9 9',
  check: 'M4.5 10.5l3.5 3.5 7.5-8',
  copy: 'M7.5 7.5h8v8h-8zM4.5 12.5v-8h8',
  alert: 'M10 6.5v4M10 13.5h.01M10 2.8 2.5 16.2h15L10 2.8Z',
  lock: 'M5 9.5h10v7H5zM7 9.5V7a3 3 0 0 1 6 0v2.5',
  clock: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM10 6v4l2.5 2',
  offline: 'M3 3l14 14M5 12.5a7 7 0 0 1 3-1.8M10 15.5h.01M2.8 9a11 11 0 0 1 3.7-2.3M17.2 9A11 11 0 0 0 9.6 5.9',
};

/** A decorative icon. */
export function icon(name) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  const path = document.createElementNS(space, 'path');
  svg.setAttribute('viewBox', '0 0 20 20');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', `icon icon-${name}`);
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}

let lastId = 0;
/** An id for aria-labelledby and its like. */
export const newId = (word) => `${word}-${++lastId}`;

/** Copies to the clipboard, also where a page's policy forbids the newer API. True if it worked. */
export async function copyText(text, field) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    field?.select();
    return field !== undefined && document.execCommand('copy');
  }
}
