// SPDX-License-Identifier: MIT
//
// Forms: labels, hints and errors, each beside its field.
import { el, fill, uniqueId } from './dom.js';
import { button, note } from './ui.js';

function textField(field, id, describedBy) {
  const attributes = {
    id,
    name: field.name,
    value: field.value ?? '',
    required: field.required,
    maxlength: field.maxlength,
    placeholder: field.placeholder,
    autocomplete: field.autocomplete ?? 'off',
    spellcheck: 'false',
    autofocus: field.autofocus,
    min: field.min,
    'aria-describedby': describedBy,
  };
  return field.type === 'textarea' ? el('textarea', { ...attributes, rows: 3 }) : el('input', { ...attributes, type: field.type ?? 'text' });
}

function choiceField(field, id, describedBy) {
  const option = ([value, label]) => el('option', { value, selected: value === (field.value ?? '') }, label);
  return el('select', { id, name: field.name, 'aria-describedby': describedBy }, field.options.map(option));
}

const switchField = (field, id, describedBy) =>
  el('input', { id, name: field.name, type: 'checkbox', role: 'switch', class: 'switch', checked: Boolean(field.value), 'aria-describedby': describedBy });

function checkbox(field, option, recount) {
  const chosen = (field.value ?? []).includes(option.value);
  const box = el('input', { type: 'checkbox', name: field.name, value: option.value, checked: chosen, onchange: recount });
  const about = option.label ? el('span', { class: 'muted' }, ` ${option.label}`) : null;
  const node = el('label', { class: 'check' }, box, el('span', {}, el('code', {}, option.value), about));
  return { box, node, text: `${option.value} ${option.label ?? ''}`.toLowerCase() };
}

/** A list of checkboxes, with a search if it is long: options [{ value, label }]. */
function checklist(field, id, describedBy) {
  const counter = el('span', { class: 'muted counter', 'aria-live': 'polite' });
  const recount = () => fill(counter, `${boxes.filter(({ box }) => box.checked).length} of ${boxes.length} selected`);
  const boxes = field.options.map((option) => checkbox(field, option, () => recount()));
  const narrow = () => {
    for (const { node, text } of boxes) node.hidden = !text.includes(filter.value.trim().toLowerCase());
  };
  const filter = el('input', {
    type: 'search',
    placeholder: 'Search',
    'aria-label': `Search in ${field.label.toLowerCase()}`,
    oninput: narrow,
    onkeydown: (event) => event.key === 'Enter' && event.preventDefault(),
  });
  const setAll = (checked) => () => {
    for (const { box, node } of boxes) if (!node.hidden) box.checked = checked;
    recount();
  };
  recount();
  const top = el(
    'div',
    { class: 'checklist-top' },
    boxes.length > 6 ? filter : null,
    counter,
    el('button', { type: 'button', class: 'link', onclick: setAll(true) }, 'All'),
    el('button', { type: 'button', class: 'link', onclick: setAll(false) }, 'None'),
  );
  return el(
    'div',
    { class: 'checklist', id, role: 'group', 'aria-label': field.label, 'aria-describedby': describedBy },
    boxes.length === 0
      ? el('p', { class: 'muted nothing' }, field.nothing ?? 'There is nothing to choose from.')
      : [top, el('div', { class: 'checklist-items' }, boxes.map(({ node }) => node))],
  );
}

const MAKERS = { select: choiceField, checklist, switch: switchField };

function read(field, control) {
  if (field.read) return field.read(control);
  if (field.type === 'checklist') return [...control.querySelectorAll('input[name]:checked')].map((box) => box.value);
  if (control.validity?.badInput) return 'unreadable'; // an unreadable value would look empty
  return field.type === 'switch' ? control.checked : control.value;
}

function makeField(field) {
  const id = uniqueId('field');
  const hintId = `${id}-hint`;
  const errorId = `${id}-error`;
  const control = (field.make ?? MAKERS[field.type] ?? textField)(field, id, field.hint ? `${hintId} ${errorId}` : errorId);
  const error = el('p', { id: errorId, class: 'field-error' });
  const label = field.type === 'checklist' ? el('span', { class: 'label' }, field.label) : el('label', { for: id }, field.label);
  const hint = field.hint ? el('p', { id: hintId, class: 'hint' }, field.hint) : null;
  const node =
    field.type === 'switch'
      ? el('div', { class: 'field switch-field' }, el('div', {}, label, hint, error), control)
      : el('div', { class: 'field' }, label, control, hint, error);
  const complain = (text) => {
    fill(error, text ?? '');
    if (text) control.setAttribute('aria-invalid', 'true');
    else control.removeAttribute('aria-invalid');
  };
  return { ...field, node, control, complain, read: () => read(field, control) };
}

/** Shows errors beside the fields that they name; all others at the form's end. */
function complain(fields, problem, error) {
  const wrong = error.fields ?? {};
  const named = fields.filter((field) => wrong[field.name]);
  for (const field of named) field.complain(wrong[field.name]);
  named[0]?.control.focus();
  const others = Object.entries(wrong).filter(([name]) => !fields.some((field) => field.name === name));
  if (others.length > 0) fill(problem, note(others.map(([name, text]) => `${name}: ${text}`).join(' '), 'danger'));
  else if (named.length === 0) fill(problem, note(error.message, 'danger'));
}

function complainOfMissing(fields) {
  const missing = fields.filter((field) => field.required && String(field.read()).trim() === '');
  for (const field of missing) field.complain('This is needed.');
  missing[0]?.control.focus();
  return missing.length > 0;
}

/**
 * `submit(values)` runs the action; its errors are shown beside the fields that they name.
 * `done(result)` follows. While it runs, the form cannot be sent again.
 */
export function form(given, { submit, done, label, cancel = null, cancelLabel = 'Cancel', danger = false, about = null, className = null }) {
  const fields = given.filter(Boolean).map(makeField);
  const problem = el('div', { role: 'alert', class: 'form-error' });
  const action = button(label, { type: 'submit', class: `button ${danger ? 'danger' : 'primary'}` });
  const onsubmit = async (event) => {
    event.preventDefault();
    fill(problem);
    for (const field of fields) field.complain(null);
    if (complainOfMissing(fields) || action.disabled) return;
    action.disabled = true;
    try {
      const result = await submit(Object.fromEntries(fields.map((field) => [field.name, field.read()])));
      done?.(result);
    } catch (error) {
      if (error.name !== 'AbortError') complain(fields, problem, error);
    } finally {
      action.disabled = false;
    }
  };
  return el(
    'form',
    { novalidate: true, class: className, onsubmit },
    about,
    el('div', { class: 'fields' }, fields.map((field) => field.node)),
    problem,
    el('footer', {}, cancel ? button(cancelLabel, { onclick: () => cancel() }) : null, action),
  );
}
