// SPDX-License-Identifier: MIT
//
// Modal dialogs.
import { el, uniqueId } from './dom.js';
import { form } from './forms.js';
import { button, copyButton, iconButton, note, placeToasts } from './ui.js';

/**
 * `build(close)` returns the dialog's content. The promise resolves when it closes, to what close()
 * was given. `mustChoose`: only its own buttons close it. `covers`: it hides the page.
 */
export function openDialog(title, build, { wide = false, mustChoose = false, covers = false } = {}) {
  return new Promise((resolve) => {
    const id = uniqueId('dialog');
    let result;
    const close = (value) => {
      result = value;
      dialog.close();
    };
    const dialog = el('dialog', { 'aria-labelledby': id, class: covers ? 'covers' : wide ? 'wide' : null });
    const closer = mustChoose ? null : iconButton('Close', 'close', { onclick: () => close() });
    dialog.append(el('header', {}, el('h2', { id }, title), closer ?? ''), ...[build(close)].flat());
    if (mustChoose) dialog.addEventListener('cancel', (event) => event.preventDefault());
    dialog.addEventListener('close', () => {
      placeToasts();
      dialog.remove();
      dialog.replaceChildren();
      resolve(result);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Closes all dialogs, because the page under them changes. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
}

/** A form in a dialog. Its result, or undefined if it was closed. */
export function formDialog(title, fields, options) {
  const build = (close) => form(fields, { ...options, done: (result) => close(result ?? true), cancel: () => close() });
  return openDialog(title, build, options);
}

/** Asks before an action that cannot be undone. True once the action was done. */
export function confirmDialog(title, text, { label, run, typed = null }) {
  const fields = typed === null ? [] : [{ name: 'typed', label: `To go on, type ${typed}`, required: true, autofocus: true }];
  return formDialog(title, fields, {
    label,
    danger: true,
    about: el('div', { class: 'prose' }, [text].flat().map((part) => el('p', {}, part))),
    submit: async (values) => {
      if (typed !== null && values.typed.trim() !== typed)
        throw Object.assign(new Error('That is not it.'), { fields: { typed: `Please type ${typed}.` } });
      await run();
      return true;
    },
  });
}

/** Shows a secret once, and removes it from the page when the dialog closes. */
export function secretDialog(title, secret, text) {
  const id = uniqueId('secret');
  const build = (close) =>
    el(
      'div',
      { class: 'secret' },
      note(text, 'warning'),
      el('label', { for: id }, 'Value'),
      el(
        'div',
        { class: 'secret-line' },
        el('input', { id, readonly: true, value: secret, spellcheck: 'false', autocomplete: 'off', onfocus: (event) => event.target.select() }),
        copyButton(secret, 'Copy the value', { autofocus: true, class: 'button primary square' }),
      ),
      el('footer', {}, button('I have stored it', { class: 'button primary', onclick: () => close(true) })),
    );
  return openDialog(title, build, { mustChoose: true });
}

/** A description list: names and values. */
export function facts(pairs) {
  return el('dl', { class: 'facts' }, pairs.filter(Boolean).map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))));
}
