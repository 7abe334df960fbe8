// SPDX-License-Identifier: MIT
//
// One organization: its keys, members, roles and settings.
import { can, get, path, put, remove } from './api.js';
import { confirmDialog } from './dialogs.js';
import { el } from './dom.js';
import { form } from './forms.js';
import { keysTab } from './keys.js';
import { membersTab } from './members.js';
import { organizationUrl } from './organizations.js';
import { go, url } from './places.js';
import { rolesTable } from './roles.js';
import { button, heading, idText, note, say, tabs } from './ui.js';

const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/i;

/** The service's rule for domains: two labels or more, and no IP address. */
function isDomain(text) {
  const labels = text.split('.');
  return text.length <= 253 && labels.length >= 2 && labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1));
}

/** One domain a line. Stored ones may stay, even if this rule would refuse them. */
function parseDomains(text, before) {
  const domains = text.split(/[\s,]+/).filter(Boolean);
  const wrong = domains.find((domain) => !isDomain(domain) && !before.includes(domain));
  if (wrong) throw Object.assign(new Error('Domains'), { fields: { domain_data: `“${wrong}” is not a domain name such as acme.example.` } });
  return domains;
}

/** "name: value", one a line. */
function parseMetadata(text) {
  const pairs = {};
  for (const line of text.split('\n').map((l) => l.trim()).filter(Boolean)) {
    const colon = line.indexOf(':');
    if (colon < 1) throw Object.assign(new Error('Metadata'), { fields: { metadata: `“${line}” has no “name: value” form.` } });
    pairs[line.slice(0, colon).trim()] = line.slice(colon + 1).trim();
  }
  return pairs;
}

function settingsTab(organization, { reload }) {
  const writable = can('apikeys:organizations:write');
  const metadata = organization.metadata ?? {};
  const domains = organization.domains.map(({ domain }) => domain);
  const submit = async (values) => {
    const wanted = parseMetadata(values.metadata);
    const named = parseDomains(values.domain_data, domains);
    const gone = Object.fromEntries(Object.keys(metadata).filter((key) => !(key in wanted)).map((key) => [key, null]));
    await put(path`/organizations/${organization.id}`, {
      name: values.name.trim(),
      external_id: values.external_id.trim() || null,
      ...(named.join() === domains.join() ? {} : { domain_data: named.map((domain) => ({ domain, state: 'verified' })) }),
      metadata: { ...wanted, ...gone },
    });
  };
  const erase = async () => {
    const done = await confirmDialog(
      'Delete organization',
      [`${organization.name} will be deleted with its members and roles. All its keys, and its members' own keys, are refused from that moment on.`, 'This cannot be undone.'],
      { label: 'Delete organization', typed: organization.name, run: () => remove(path`/organizations/${organization.id}`) },
    );
    if (!done) return;
    say(`${organization.name} was deleted`);
    go(url('/organizations'));
  };
  if (!writable) return note('Your key may not change organizations.');
  return el(
    'div',
    { class: 'stack' },
    el(
      'section',
      { class: 'panel', 'aria-label': 'Organization settings' },
      form(
        [
          { name: 'name', label: 'Name', value: organization.name, required: true, maxlength: 255 },
          { name: 'external_id', label: 'External id', value: organization.external_id ?? '', maxlength: 128, hint: 'What your own system calls it.' },
          { name: 'domain_data', label: 'Domains', value: domains.join('\n'), type: 'textarea', hint: 'One a line, such as acme.example.' },
          { name: 'metadata', label: 'Metadata', value: Object.entries(metadata).map(([key, value]) => `${key}: ${value}`).join('\n'), type: 'textarea', hint: 'One “name: value” a line.' },
        ],
        { label: 'Save changes', submit, done: () => { say('Saved'); reload(); } },
      ),
    ),
    el(
      'section',
      { class: 'panel danger-zone' },
      el('h2', {}, 'Delete this organization'),
      el('p', { class: 'muted' }, 'Its keys stop working at once.'),
      button('Delete organization', { class: 'button danger', onclick: erase }),
    ),
  );
}

const TABS = {
  '': ['API keys', keysTab],
  members: ['Members', membersTab],
  roles: ['Roles', (organization, context) => rolesTable(context, organization)],
  settings: ['Settings', settingsTab],
};

export async function showOrganization({ id, tab = '' }, { signal }) {
  const organization = await get(path`/organizations/${id}`, { signal });
  const [label, build] = TABS[tab] ?? TABS[''];
  const reload = () => go(location.href, { replace: true });
  const context = { signal, reload, actions: [] };
  const body = build(organization, context);
  return {
    title: `${label} · ${organization.name}`,
    node: [
      heading(organization.name, {
        trail: [['Organizations', url('/organizations')]],
        about: idText(organization.id, 'Copy the organization’s id'),
        actions: context.actions,
      }),
      tabs('Organization', Object.entries(TABS).map(([name, [text]]) => [name, organizationUrl(id, name), text]), tab in TABS ? tab : ''),
      body,
    ],
    shown: context.shown,
  };
}
