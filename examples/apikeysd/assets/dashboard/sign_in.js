// SPDX-License-Identifier: MIT
//
// Signing in: on a page of its own, or over the page whose session has ended.
import { signIn } from './api.js';
import { openDialog } from './dialogs.js';
import { form } from './forms.js';
import { el, icon } from './dom.js';

const REFUSALS = {
  401: 'This is not a management key, or it is no longer good.',
  422: 'This is not a management key.',
  429: 'Too many attempts from your address. Please wait a minute.',
};

const FIELD = { name: 'key', label: 'Management key', type: 'password', required: true, autocomplete: 'current-password' };

async function submit({ key }) {
  try {
    return await signIn(key.trim());
  } catch (error) {
    if (error.status in REFUSALS) error.message = REFUSALS[error.status];
    if (error.status === 401 || error.status === 422) error.fields = { key: error.message };
    throw error;
  }
}

/** True once the person has signed in. The page under the dialog is hidden and stays as it is. */
export function signInAgain() {
  const about = el('p', { class: 'muted' }, 'Sign in again to go on where you were. What you have typed is still there.');
  const build = (close) =>
    form([{ ...FIELD, autofocus: true }], { label: 'Sign in', about, submit, done: () => close(true), cancel: () => close(), cancelLabel: 'Leave the page' });
  return openDialog('Your session has ended', build, { mustChoose: true, covers: true });
}

export function showSignIn(done) {
  return el(
    'main',
    { class: 'sign-in' },
    el(
      'div',
      { class: 'card' },
      el('span', { class: 'mark' }, icon('key')),
      el('h1', {}, 'Sign in'),
      el('p', { class: 'muted' }, 'With your own management key. What you do here is recorded under its name.'),
      form([FIELD], { label: 'Sign in', done, submit }),
      el(
        'p',
        { class: 'hint' },
        'The first management key was written to a file beside the database when the service first started: ',
        el('code', {}, 'keys.db.management-key'),
        ', unless it was set otherwise.',
      ),
    ),
  );
}
