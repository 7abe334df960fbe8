// SPDX-License-Identifier: MIT
//
// The base of all dialogs: a native <dialog> with one action and one place for errors. A dialog
// whose action failed stays as it is.
import { h, icon, newId } from './dom.js';

const FAILURE_TEXTS = {
  offline: 'failedOffline',
  network: 'failedUnknown',
  server: 'failedUnknown',
  token: 'failedSession',
  session: 'failedSession',
  forbidden: 'failedForbidden',
  gone: 'failedGone',
  throttled: 'failedThrottled',
  malformed: 'failedMalformed',
};

/**
 * `action`: { label, danger, run } runs on submit; the dialog closes when its promise resolves.
 * `explain(failure)` may turn a failure into the name of a text, or null if it showed it itself.
 * `mayClose()` may refuse. `onClosed` runs once, whichever way it ends.
 */
export class Dialog {
  #widget;
  #busy = false;
  #ended = false;
  #submit = null;

  constructor(widget, { title, body, role, action, cancel, explain, mayClose, onClosed, initial }) {
    const { texts } = widget;
    this.#widget = widget;
    const titleId = newId('title');
    const textId = newId('text');
    this.explain = explain ?? (() => undefined);
    this.mayClose = mayClose ?? (() => true);
    this.alert = h('div', { class: 'alert', role: 'alert' });
    const cancelButton =
      cancel === null
        ? null
        : h('button', { type: 'button', class: 'button', onclick: () => this.ask() }, cancel ?? texts.text('cancel'));
    if (action) {
      const kind = action.danger ? 'danger' : 'primary';
      this.#submit = h('button', { type: 'submit', class: `button ${kind}` }, action.label);
    }
    this.foot = h('div', { class: 'foot' }, cancelButton, this.#submit);
    const closeButton = h(
      'button',
      { type: 'button', class: 'quiet', 'aria-label': texts.text('close'), onclick: () => this.ask() },
      icon('close'),
    );
    const form = h(
      'form',
      { method: 'dialog', novalidate: true, onsubmit: (event) => this.#run(event, action) },
      h('div', { class: 'head' }, h('h2', { id: titleId }, title), closeButton),
      h('div', { class: 'body', id: role === 'alertdialog' ? textId : undefined }, body),
      this.alert,
      this.foot,
    );
    this.node = h(
      'dialog',
      {
        role,
        'aria-labelledby': titleId,
        'aria-describedby': role === 'alertdialog' ? textId : undefined,
        oncancel: (event) => {
          event.preventDefault();
          this.ask();
        },
        onclose: () => this.#end(),
      },
      form,
    );
    this.onClosed = onClosed;
    widget.root.append(this.node);
    this.node.showModal();
    (initial ?? cancelButton ?? closeButton).focus();
  }

  /** Closes the dialog, unless its action runs or mayClose() refuses. */
  ask() {
    if (!this.#busy && this.mayClose()) this.close();
  }

  /** Browsers report the close a frame later; by then the list may have been drawn again. */
  close() {
    this.node.close();
    this.#end();
  }

  #end() {
    if (this.#ended) return;
    this.#ended = true;
    this.node.remove();
    this.onClosed?.();
  }

  complain(name) {
    this.#say(name, 'note problem');
  }

  /** Shows what the action is doing if it takes a while. */
  tell(name) {
    this.#say(name, 'note');
  }

  #say(name, kind) {
    const text = h('span', {}, this.#widget.texts.text(name));
    this.alert.replaceChildren(h('div', { class: kind }, icon('alert'), text));
    this.alert.scrollIntoView({ block: 'nearest' });
  }

  async #run(event, action) {
    event.preventDefault();
    if (this.#busy || !action) return;
    this.alert.replaceChildren();
    this.#setBusy(true);
    try {
      if ((await action.run()) !== false) this.close();
    } catch (failure) {
      if (failure.leavesDoubt) this.#widget.refresh(); // the list knows
      const name = this.explain(failure);
      if (name !== null) this.complain(name ?? FAILURE_TEXTS[failure.kind] ?? 'failedAction');
    } finally {
      this.#setBusy(false);
    }
  }

  #setBusy(busy) {
    this.#busy = busy;
    this.#submit?.setAttribute('aria-disabled', String(busy));
    this.#submit?.querySelector('.spinner')?.remove();
    if (busy) this.#submit?.prepend(h('span', { class: 'spinner', 'aria-hidden': 'true' }));
  }
}
