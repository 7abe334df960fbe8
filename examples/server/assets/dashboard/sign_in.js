// SPDX-License-Identifier: MIT
import { signIn } from './api.js';
import { form } from './forms.js';
import { el, icon } from './dom.js';

const REFUSALS = {
  401: 'This is not a management key, or it is no longer good.',
  422: 'This is not a management key.',
  429: 'Too many attempts from your address. Please wait a minute.',
};

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
      form([{ name: 'key', label: 'Management key', type: 'password', required: true, autocomplete: 'current-password' }], {
        label: 'Sign in',
        done,
        submit: async ({ key }) => {
          try {
            await signIn(key.trim());
          } catch (error) {
            if (error.status in REFUSALS) error.message = REFUSALS[error.status];
            if (error.status === 401 || error.status === 422) error.fields = { key: error.message };
            throw error;
          }
        },
      }),
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
