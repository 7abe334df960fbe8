// SPDX-License-Identifier: MIT
//
// A menu under a button, after the ARIA pattern: arrows, Home, End, first letters, Escape, Tab.
import { h } from './dom.js';

const GAP = 4;

// A style sheet's rule positions the menu, because the page's policy may forbid style attributes.
function placeBelow(button, menu, sheet) {
  const anchor = button.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const rightToLeft = getComputedStyle(button).direction === 'rtl';
  const left = rightToLeft ? anchor.left : anchor.right - width;
  const fits = anchor.bottom + GAP + height <= innerHeight;
  const top = fits ? anchor.bottom + GAP : Math.max(GAP, anchor.top - GAP - height);
  const inside = Math.max(GAP, Math.min(left, innerWidth - width - GAP));
  sheet.replaceSync(`.menu { left: ${inside}px; top: ${top}px; }`);
}

/** Opens it; `items` are [{ label, danger, run }]. `sheet` is the style sheet for its place. */
export function openMenu(button, label, items, sheet) {
  const buttons = items.map(({ label: text, danger, run }) =>
    h(
      'button',
      {
        type: 'button',
        role: 'menuitem',
        tabindex: '-1',
        class: danger ? 'danger' : undefined,
        onclick: () => {
          close();
          button.focus();
          run();
        },
      },
      text,
    ),
  );
  const menu = h('div', { class: 'menu', role: 'menu', 'aria-label': label, popover: 'manual' }, buttons);
  const ends = new AbortController();

  function close() {
    if (ends.signal.aborted) return;
    ends.abort();
    menu.remove();
    button.setAttribute('aria-expanded', 'false');
  }
  function focusAt(index) {
    buttons[(index + buttons.length) % buttons.length].focus();
  }
  function onKey(event) {
    const at = buttons.indexOf(event.target);
    const letter = event.key.length === 1 ? event.key.toLowerCase() : null;
    if (event.key === 'ArrowDown') focusAt(at + 1);
    else if (event.key === 'ArrowUp') focusAt(at - 1);
    else if (event.key === 'Home') focusAt(0);
    else if (event.key === 'End') focusAt(-1);
    else if (event.key === 'Escape' || event.key === 'Tab') {
      close();
      button.focus();
      if (event.key === 'Tab') return;
    } else if (letter && letter !== ' ') {
      const order = [...buttons.slice(at + 1), ...buttons.slice(0, at + 1)];
      order.find((item) => item.textContent.toLowerCase().startsWith(letter))?.focus();
      return;
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  button.after(menu);
  button.setAttribute('aria-expanded', 'true');
  menu.showPopover?.();
  placeBelow(button, menu, sheet);
  const { signal } = ends;
  menu.addEventListener('keydown', onKey, { signal });
  const onOutside = (event) => {
    if (!event.composedPath().some((node) => node === menu || node === button)) close();
  };
  document.addEventListener('pointerdown', onOutside, { signal, capture: true });
  addEventListener('scroll', close, { signal, capture: true, passive: true });
  addEventListener('resize', close, { signal });
  focusAt(0);
  return close;
}
