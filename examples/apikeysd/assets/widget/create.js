// SPDX-License-Identifier: MIT
//
// Creating a key, and the only time that it is shown.
import { IN_FLIGHT } from './client.js';
import { Dialog } from './dialog.js';
import { copyText, h, icon, newId } from './dom.js';
import { expirationField } from './expiration.js';
import { permissionField } from './permissions.js';

const NAME_BYTES_MAX = 255;

function nameField(texts) {
  const ids = { field: newId('name'), hint: newId('hint'), wrong: newId('wrong') };
  const wrong = h('p', { class: 'wrong', id: ids.wrong, 'aria-live': 'polite' });
  const field = h('input', {
    class: 'field',
    id: ids.field,
    type: 'text',
    dir: 'auto',
    required: true,
    autocomplete: 'off',
    'data-1p-ignore': true,
    'aria-describedby': `${ids.hint} ${ids.wrong}`,
    oninput: () => refuse(null),
  });
  function refuse(name) {
    wrong.textContent = name === null ? '' : texts.text(name);
    field.setAttribute('aria-invalid', String(name !== null));
    if (name !== null) field.focus();
  }
  return {
    field,
    refuse,
    node: h(
      'div',
      { class: 'group' },
      h('label', { for: ids.field }, texts.text('name')),
      field,
      h('p', { class: 'hint', id: ids.hint }, texts.text('nameHint')),
      wrong,
    ),
    /** The name; null, with a message, if it is invalid. */
    read() {
      const name = field.value.trim();
      const problem =
        name === ''
          ? 'nameMissing'
          : new TextEncoder().encode(name).length > NAME_BYTES_MAX
            ? 'nameTooLong'
            : null;
      refuse(problem);
      return problem === null ? name : null;
    },
  };
}

/**
 * The idempotency of a form: sent again unchanged, it asks for the same key with the same expiry,
 * so that a lost answer leaves no second key. A changed form is another key.
 */
class Attempts {
  #form = '';
  #wanted = null;
  #idempotencyKey = '';

  /** `choice` says how the expiration was chosen. */
  next(wanted, choice) {
    const form = JSON.stringify([wanted.name, wanted.permissions, choice]);
    if (form !== this.#form) {
      this.#form = form;
      this.#wanted = wanted;
      this.#idempotencyKey = newIdempotencyKey();
    }
    return [this.#wanted, this.#idempotencyKey];
  }

  forget() {
    this.#form = '';
  }
}

function newIdempotencyKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `widget-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

export function openCreate(widget) {
  const { texts, client } = widget;
  const ends = new AbortController();
  const name = nameField(texts);
  const expiration = expirationField(texts, null);
  const permissions = permissionField(texts, () => client.permissions(ends.signal));
  const attempts = new Attempts();
  const dialog = new Dialog(widget, {
    title: texts.text('createTitle'),
    body: [name.node, expiration.node, permissions.node],
    initial: name.field,
    action: {
      label: texts.text('create'),
      async run() {
        const [text, expires] = [name.read(), expiration.read()];
        if (text === null || expires === undefined) return false;
        const wanted = { name: text, permissions: permissions.selected(), expires };
        const attempt = attempts.next(wanted, expiration.choice());
        const created = await client.create(...attempt, () => dialog.tell('createWaiting'));
        dialog.close();
        openReveal(widget, created);
        widget.report('created', created.key);
        return false;
      },
    },
    explain(failure) {
      if (failure.leavesDoubt || failure.code === IN_FLIGHT) return 'createUnknown';
      if (failure.code === 'api_key_limit_reached') return 'limitReached';
      const used = failure.code === 'idempotency_key_used';
      if (!used && failure.kind !== 'invalid') return undefined;
      attempts.forget(); // its idempotency key is used up
      if (used) return 'createUsed';
      if (failure.fields.some((field) => field.startsWith('permissions'))) return 'permissionsRefused';
      if (failure.fields.some((field) => field.startsWith('expires'))) return 'expirationRefused';
      if (!failure.fields.includes('name')) return undefined;
      name.refuse('nameRefused');
      return null;
    },
    onClosed() {
      ends.abort();
      widget.focusOn('create');
    },
  });
}

/** The value lives in one field's state, which is emptied when the dialog closes. */
function openReveal(widget, created) {
  const { texts } = widget;
  const fieldId = newId('value');
  let saved = false;
  let warned = false;
  const noteSaved = () => {
    saved = true;
    dialog.alert.replaceChildren();
    done.textContent = texts.text('done');
  };
  const said = h('p', { class: 'hint', role: 'status' });
  const field = h('input', {
    class: 'field',
    id: fieldId,
    type: 'text',
    readOnly: true,
    spellcheck: 'false',
    autocomplete: 'off',
    'data-1p-ignore': true,
    value: created.value,
    onfocus: () => field.select(),
    oncopy: noteSaved,
  });
  created.value = null;

  const label = h('span', {}, texts.text('copyKey'));
  const copy = h('button', { type: 'button', class: 'button primary' }, icon('copy'), label);
  copy.addEventListener('click', async () => {
    const copied = await copyText(field.value, field);
    if (copied) noteSaved();
    else field.select();
    label.textContent = texts.text(copied ? 'copied' : 'copyKey');
    copy.querySelector('.icon').replaceWith(icon(copied ? 'check' : 'copy'));
    said.textContent = texts.text(copied ? 'copied' : 'copyFailed');
    said.classList.toggle('unseen', copied);
  });

  const done = h(
    'button',
    { type: 'button', class: 'button', onclick: () => dialog.ask() },
    texts.text('done'),
  );
  const dialog = new Dialog(widget, {
    title: texts.text('revealTitle'),
    body: [
      h('div', { class: 'note' }, icon('alert'), h('span', {}, texts.text('revealText'))),
      h(
        'div',
        { class: 'group' },
        h('label', { for: fieldId }, texts.text('keyValue')),
        h('div', { class: 'secret' }, field, copy),
        said,
      ),
    ],
    cancel: null,
    initial: copy,
    mayClose() {
      if (saved || warned) return true;
      warned = true;
      dialog.complain('notCopied');
      done.textContent = texts.text('closeAnyway');
      copy.focus();
      return false;
    },
    onClosed() {
      field.value = '';
      widget.focusOn('create');
    },
  });
  dialog.foot.append(done);
}
