// SPDX-License-Identifier: MIT
//
// Dialogs for an existing key: details, expiration, revocation.
import { Dialog } from './dialog.js';
import { copyText, foreign, h, icon } from './dom.js';
import { expirationField } from './expiration.js';
import { absoluteTime } from './times.js';

function copyButton(texts, text, label) {
  const said = h('span', { class: 'unseen', role: 'status' });
  const button = h('button', { type: 'button', class: 'quiet', 'aria-label': label });
  button.append(icon('copy'));
  button.addEventListener('click', async () => {
    if (!(await copyText(text))) return;
    button.replaceChildren(icon('check'));
    said.textContent = texts.text('copied');
  });
  return [button, said];
}

export function openDetails(widget, key) {
  const { texts } = widget;
  const when = (date, none) => (date ? absoluteTime(date, texts.locale) : texts.text(none));
  const facts = h('dl', { class: 'facts' });
  const add = (name, value, attributes) =>
    facts.append(h('dt', {}, texts.text(name)), h('dd', attributes ?? {}, value));
  add('name', h('span', { class: 'name' }, foreign(key.name)));
  add('key', h('span', { class: 'mono' }, key.obfuscated));
  add('keyId', [
    h('span', { class: 'mono' }, key.id),
    copyButton(texts, key.id, `${texts.text('copy')}: ${texts.text('keyId')}`),
  ], { class: 'inline' });
  if (key.owner) add('createdBy', foreign(key.owner.name));
  add('created', when(key.created, 'none'));
  add('lastUsed', when(key.lastUsed, 'never'));
  add('expires', when(key.expires, 'never'));
  const tags = key.permissions.map((slug) => h('li', { class: 'mono' }, slug));
  add('permissions', tags.length ? h('ul', { class: 'tags' }, tags) : texts.text('none'));
  new Dialog(widget, {
    title: texts.text('detailsTitle'),
    body: facts,
    cancel: texts.text('close'),
    onClosed: () => widget.focusOn(`actions ${key.id}`),
  });
}

export function openExpiration(widget, key) {
  const { texts, client } = widget;
  const expiration = expirationField(texts, key.expires);
  new Dialog(widget, {
    title: texts.text('editExpiration'),
    body: [h('p', { class: 'name clamp' }, foreign(key.name)), expiration.node],
    initial: expiration.field,
    action: {
      label: texts.text('save'),
      async run() {
        const at = expiration.read();
        if (at === undefined) return false;
        await client.expire(key.id, at);
        widget.report('updated', key);
        return true;
      },
    },
    explain(failure) {
      if (failure.kind === 'invalid') return 'expirationRefused';
      return failure.kind === 'conflict' ? 'alreadyExpired' : undefined;
    },
    onClosed: () => widget.focusOn(`actions ${key.id}`),
  });
}

export function openRevoke(widget, key) {
  const { texts, client } = widget;
  new Dialog(widget, {
    role: 'alertdialog',
    title: texts.text('revokeTitle'),
    body: h('p', {}, texts.nodes('revokeText', { name: h('strong', {}, foreign(key.name)) })),
    action: {
      label: texts.text('revokeKey'),
      danger: true,
      async run() {
        let gone = false;
        try {
          await client.revoke(key.id);
        } catch (failure) {
          if (failure.kind !== 'gone') throw failure;
          gone = true;
        }
        widget.report(gone ? 'gone' : 'revoked', key);
        return true;
      },
    },
    onClosed: () => widget.focusOn(`actions ${key.id}`),
  });
}
