// SPDX-License-Identifier: MIT
//
// Creates elements. All strings become text nodes, never markup; the page's policy (Trusted Types)
// would refuse markup, too.

/** el('a', { class: 'x', href: '/', onclick: f }, 'text', child, null) */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') node.addEventListener(name.slice(2), value);
    else if (name === 'value' || name === 'checked') node[name] = value;
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...present(children));
  return node;
}

const present = (children) =>
  children.flat(9).filter((child) => child !== null && child !== undefined && child !== false);

/** Replaces the children of `node`. */
export function fill(node, ...children) {
  node.replaceChildren(...present(children));
  return node;
}

const ICONS = {
  organizations: 'M4 21V6l8-3v18M12 9l8 2.5V21M2.5 21h19M8 9v0M8 13v0M8 17v0M16 14.5v0M16 18v0',
  key: 'M8 19a4 4 0 1 0 0-8 4 4 0 0 0 0 8M11 12.5 20 3.5M16.5 7l3 3',
  permissions: 'M12 3l8 3v6c0 4.6-3.3 7.8-8 9-4.7-1.2-8-4.4-8-9V6zM8.8 12l2.3 2.3 4.3-4.6',
  roles: 'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M2.5 20c.4-3.9 3-6 6.5-6s6.1 2.1 6.5 6M16 4.4a3.5 3.5 0 0 1 0 6.2M18 14.6c2 .9 3.2 2.7 3.5 5.4',
  events: 'M3 12h4l3-8 4 16 3-8h4',
  webhooks: 'M4 12h9M9.5 8 13.5 12 9.5 16M17 5.5h3v13h-3',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13M15.5 15.5 21 21',
  settings: 'M4 7h7M19 7h1M4 17h1M13 17h7M15 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5M9 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5',
  plus: 'M12 5v14M5 12h14',
  more: 'M5 12v0M12 12v0M19 12v0',
  close: 'M6 6l12 12M18 6 6 18',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  check: 'M4.5 12.5 10 18 20 7',
  menu: 'M4 7h16M4 12h16M4 17h16',
  out: 'M14 4h5v16h-5M4 12h10M10.5 8.5 14 12l-3.5 3.5',
  warning: 'M12 4 2.5 20h19zM12 10v4.5M12 17.3v0',
  left: 'M14.5 6 8.5 12l6 6',
  right: 'M9.5 6l6 6-6 6',
};

/** A decorative icon: beside text, or in a button that has a label. */
export function icon(name) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  const path = document.createElementNS(space, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', `icon icon-${name}`);
  svg.setAttribute('aria-hidden', 'true');
  svg.append(path);
  return svg;
}

let ids = 0;
/** For labels and descriptions. */
export const uniqueId = (start) => `${start}-${++ids}`;
