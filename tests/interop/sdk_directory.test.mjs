// SPDX-License-Identifier: MIT
//
// The official SDK: organizations, permissions and roles.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DATE, refused, sdkFor, ulid } from './sdk.mjs';
import { startServer } from './server.mjs';

let server, workos;

before(async () => {
  server = await startServer();
  workos = sdkFor(server);
});

after(() => server.stop());

let fresh = 0;
const freshOrganization = () =>
  workos.organizations.createOrganization({ name: `Organization ${++fresh}` });

// -- Organizations --------------------------------------------------------------------------------

test('an organization that is created again after a lost answer is the same one', async () => {
  const options = { idempotencyKey: 'organization-1' };
  const first = await workos.organizations.createOrganization({ name: 'Once' }, options);
  assert.deepEqual(await workos.organizations.createOrganization({ name: 'Once' }, options), first);
  await assert.rejects(workos.organizations.createOrganization({ name: 'Other' }, options), {
    name: 'UnprocessableEntityException',
    status: 422,
  });
  const { data } = await workos.organizations.listOrganizations({ search: 'Once' });
  assert.equal(data.length, 1);
  await workos.organizations.deleteOrganization(first.id);
});

test('an organization from its creation to its end', async () => {
  const created = await workos.organizations.createOrganization({
    name: 'Acme Europe',
    externalId: 'acme/eu',
    metadata: { tier: 'gold' },
    domainData: [{ domain: 'acme.example', state: 'verified' }],
  });
  assert.match(created.id, ulid('org'));
  assert.equal(created.object, 'organization');
  assert.equal(created.name, 'Acme Europe');
  assert.equal(created.externalId, 'acme/eu');
  assert.deepEqual(created.metadata, { tier: 'gold' });
  assert.equal(created.domains[0].domain, 'acme.example');
  assert.equal(created.domains[0].organizationId, created.id);
  assert.match(created.createdAt, DATE);

  assert.deepEqual(await workos.organizations.getOrganization(created.id), created);
  const { data } = await workos.organizations.listOrganizations({ domains: ['acme.example'] });
  assert.deepEqual(data, [created]);
  // The SDK sends the slash as %2F.
  assert.deepEqual(await workos.organizations.getOrganizationByExternalId('acme/eu'), created);
  const changed = await workos.organizations.updateOrganization({
    organization: created.id,
    name: 'Acme EMEA',
    metadata: { tier: 'platinum' },
  });
  assert.equal(changed.name, 'Acme EMEA');
  assert.equal(changed.externalId, 'acme/eu', 'what is not named stays');
  assert.deepEqual(changed.metadata, { tier: 'platinum' });

  await workos.organizations.deleteOrganization(created.id);
  const gone = workos.organizations.getOrganization(created.id);
  const error = await refused(gone, 'NotFoundException', 404);
  assert.equal(error.message, `Organization not found: '${created.id}'.`);
});

test('organizations: pages, and the same external id twice', async () => {
  for (let i = 0; i < 12; i++) await freshOrganization();
  const first = await workos.organizations.listOrganizations({ limit: 5 });
  assert.equal(first.data.length, 5);
  const second = await workos.organizations.listOrganizations({
    limit: 5,
    after: first.listMetadata.after,
  });
  assert.equal(new Set([...first.data, ...second.data].map(({ id }) => id)).size, 10);
  const all = await (await workos.organizations.listOrganizations()).autoPagination();
  assert(all.length >= 13);
  await workos.organizations.createOrganization({ name: 'One', externalId: 'twice' });
  const again = { name: 'Two', externalId: 'twice' };
  await refused(workos.organizations.createOrganization(again), 'ConflictException', 409);
  const nameless = workos.organizations.createOrganization({});
  await refused(nameless, 'UnprocessableEntityException', 422);
});

// -- Permissions ----------------------------------------------------------------------------------

test('a permission from its creation to its end', async () => {
  const { authorization } = workos;
  const created = await authorization.createPermission({
    slug: 'invoices:read',
    name: 'Read invoices',
    description: 'All of them',
  });
  assert.match(created.id, ulid('perm'));
  assert.equal(created.system, false);
  assert.equal(created.description, 'All of them');
  assert.deepEqual(await authorization.getPermission('invoices:read'), created);
  const changed = await authorization.updatePermission('invoices:read', { name: 'See invoices' });
  assert.equal(changed.name, 'See invoices');
  assert.equal(changed.description, 'All of them');
  const slugs = (await (await authorization.listPermissions()).autoPagination()).map((p) => p.slug);
  assert(slugs.includes('invoices:read') && slugs.includes('posts:delete'), slugs.join());
  await refused(
    authorization.createPermission({ slug: 'invoices:read', name: 'Again' }),
    'ConflictException',
    409,
    'permission_slug_conflict',
  );
  await authorization.deletePermission('invoices:read');
  await refused(authorization.getPermission('invoices:read'), 'NotFoundException', 404);
  await refused(authorization.deletePermission('invoices:read'), 'NotFoundException', 404);
});

test('permissions that are refused', async () => {
  const { authorization } = workos;
  for (const slug of ['', 'Capital', 'a b', 'x'.repeat(49), 'apikeys:keys:write', 'ä'])
    await refused(
      authorization.createPermission({ slug, name: 'x' }),
      'UnprocessableEntityException',
      422,
    );
  await refused(
    authorization.deletePermission('widgets:api-keys:manage'),
    'GenericServerException',
    403,
  );
});

test('a permission that vanishes leaves every key at once', async () => {
  await workos.authorization.deletePermission('posts:write');
  const { body } = await server.request('GET', '/_widgets/ApiKeys/permissions?limit=100', {
    key: await server.widgetToken(),
  });
  assert.deepEqual(
    body.data.map(({ slug }) => slug),
    ['posts:read'],
  );
});

// -- Roles ----------------------------------------------------------------------------------------

test('a role of the environment', async () => {
  const { authorization } = workos;
  const created = await authorization.createEnvironmentRole({ slug: 'auditor', name: 'Auditor' });
  assert.match(created.id, ulid('role'));
  assert.equal(created.type, 'EnvironmentRole');
  assert.equal(created.resourceTypeSlug, 'organization');
  assert.deepEqual(created.permissions, []);
  const set = await authorization.setEnvironmentRolePermissions('auditor', {
    permissions: ['posts:read'],
  });
  assert.deepEqual(set.permissions, ['posts:read']);
  const added = await authorization.addEnvironmentRolePermission('auditor', {
    permissionSlug: 'posts:delete',
  });
  assert.deepEqual(added.permissions.sort(), ['posts:delete', 'posts:read']);
  const renamed = await authorization.updateEnvironmentRole('auditor', { name: 'Checker' });
  assert.equal(renamed.name, 'Checker');
  assert.equal((await authorization.getEnvironmentRole('auditor')).name, 'Checker');
  const { data } = await authorization.listEnvironmentRoles();
  assert(['admin', 'member', 'auditor'].every((slug) => data.some((role) => role.slug === slug)));
  await refused(
    authorization.createEnvironmentRole({ slug: 'auditor', name: 'Again' }),
    'ConflictException',
    409,
    'role_slug_conflict',
  );
  await refused(authorization.getEnvironmentRole('nobody'), 'NotFoundException', 404);
});

test('a role of one organization', async () => {
  const { authorization } = workos;
  const { id } = await freshOrganization();
  const created = await authorization.createOrganizationRole(id, {
    slug: 'org-editor',
    name: 'Editor',
  });
  assert.equal(created.type, 'OrganizationRole');
  await authorization.setOrganizationRolePermissions(id, 'org-editor', {
    permissions: ['posts:read'],
  });
  const added = await authorization.addOrganizationRolePermission(id, 'org-editor', {
    permissionSlug: 'posts:delete',
  });
  assert.equal(added.permissions.length, 2);
  await authorization.removeOrganizationRolePermission(id, 'org-editor', {
    permissionSlug: 'posts:read',
  });
  const role = await authorization.getOrganizationRole(id, 'org-editor');
  assert.deepEqual(role.permissions, ['posts:delete']);
  const { data } = await authorization.listOrganizationRoles(id);
  assert(data.some(({ slug }) => slug === 'org-editor'));
  const other = await freshOrganization();
  await refused(
    authorization.getOrganizationRole(other.id, 'org-editor'),
    'NotFoundException',
    404,
  );
  await refused(
    authorization.createOrganizationRole(id, { slug: 'org-editor', name: 'Again' }),
    'ConflictException',
    409,
    'organization_role_slug_conflict',
  );
  await authorization.deleteOrganizationRole(id, 'org-editor');
  await refused(authorization.getOrganizationRole(id, 'org-editor'), 'NotFoundException', 404);
});
