// SPDX-License-Identifier: MIT
//
// The permissions field: a searchable list of checkboxes. If it cannot be loaded, a key can be
// created without permissions.
import { foreign, h, icon, newId } from './dom.js';

const SEARCH_FROM = 6; // fewer are seen at a glance

function choice(permission, onchange) {
  const box = h('input', { type: 'checkbox', value: permission.slug, onchange });
  const text = permission.text === '' ? null : h('span', { class: 'text' }, foreign(permission.text));
  const slug = h('span', { class: 'mono muted' }, permission.slug);
  const title = h('span', { class: 'title' }, h('span', { class: 'name' }, foreign(permission.name)), slug);
  const haystack = `${permission.name}\n${permission.slug}\n${permission.text}`.toLowerCase();
  return { box, haystack, node: h('label', { class: 'choice' }, box, title, text) };
}

export function permissionField(texts, load) {
  const ids = { legend: newId('legend') };
  const content = h('div', { class: 'group' });
  const count = h('span', { class: 'hint', role: 'status' });
  let choices = [];

  const shown = () => choices.filter(({ node }) => !node.hidden);
  const all = h('button', { type: 'button', class: 'link' });
  all.addEventListener('click', () => {
    const tick = !shown().every(({ box }) => box.checked);
    for (const { box } of shown()) box.checked = tick;
    summarize();
  });

  function summarize() {
    const selected = choices.filter(({ box }) => box.checked).length;
    count.textContent = texts.text('selected', { count: selected, total: choices.length });
    const full = shown().length > 0 && shown().every(({ box }) => box.checked);
    all.textContent = texts.text(full ? 'deselectAll' : 'selectAll');
    all.disabled = shown().length === 0;
  }

  function showChoices(permissions) {
    choices = permissions.map((permission) => choice(permission, summarize));
    if (choices.length === 0) {
      content.replaceChildren(h('p', { class: 'hint' }, texts.text('noPermissions')));
      return;
    }
    const blank = h('p', { class: 'blank', hidden: true }, texts.text('noPermissionMatches'));
    const find = h('input', {
      class: 'field',
      type: 'search',
      autocomplete: 'off',
      placeholder: texts.text('searchPermissions'),
      'aria-label': texts.text('searchPermissions'),
      onkeydown: (event) => event.key === 'Enter' && event.preventDefault(),
      oninput() {
        const wanted = find.value.trim().toLowerCase();
        for (const { node, haystack } of choices) node.hidden = !haystack.includes(wanted);
        blank.hidden = shown().length > 0;
        summarize();
      },
    });
    content.replaceChildren(
      choices.length >= SEARCH_FROM ? find : '',
      h('div', { class: 'choices' }, choices.map(({ node }) => node), blank),
      h('div', { class: 'between' }, count, all),
    );
    summarize();
  }

  function showFailure() {
    const again = h('button', { type: 'button', class: 'link', onclick: start }, texts.text('retry'));
    content.replaceChildren(
      h(
        'div',
        { class: 'note', role: 'alert' },
        icon('alert'),
        h('span', {}, texts.text('permissionsFailed'), ' ', again),
      ),
    );
  }

  async function start() {
    content.replaceChildren(
      h(
        'div',
        { class: 'choices', role: 'status' },
        h('span', { class: 'unseen' }, texts.text('loadingPermissions')),
        h('div', { class: 'choice' }, h('span'), h('span', { class: 'bone w2' })),
        h('div', { class: 'choice' }, h('span'), h('span', { class: 'bone w1' })),
      ),
    );
    try {
      showChoices(await load());
    } catch (failure) {
      if (failure.kind !== 'aborted') showFailure();
    }
  }

  start();
  return {
    node: h(
      'fieldset',
      { class: 'group', 'aria-labelledby': ids.legend },
      h('legend', { id: ids.legend }, texts.text('permissions')),
      content,
    ),
    selected: () => choices.filter(({ box }) => box.checked).map(({ box }) => box.value),
  };
}
