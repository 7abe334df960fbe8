// SPDX-License-Identifier: MIT
//
// The official SDK: users, their memberships, their own keys, and the widget tokens of both.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { refused, sdkFor, ulid } from './sdk.mjs';
import { startServer } from './server.mjs';

const NOWHERE = 'org_01EHWNCE74X7JSDV0X3SZ3KJNY';
let server, workos, organizationId;

before(async () => {
  server = await startServer();
  workos = sdkFor(server);
});

after(() => server.stop());

async function freshOrganization() {
  const organization = await workos.organizations.createOrganization({ name: 'Fresh' });
  organizationId = organization.id;
  return organization;
}

const validate = async (value) => (await workos.apiKeys.createValidation({ value })).apiKey;

// -- Users and their memberships ------------------------------------------------------------------

test('a user and a membership', async () => {
  const { userManagement } = workos;
  const organization = await freshOrganization();
  const user = await userManagement.createUser({
    email: 'kim@acme.example',
    firstName: 'Kim',
    lastName: 'Kay',
  });
  assert.match(user.id, ulid('user'));
  assert.equal(user.email, 'kim@acme.example');
  assert.equal((await userManagement.getUser(user.id)).firstName, 'Kim');
  await refused(
    userManagement.getUser('user_01EHWNCE74X7JSDV0X3SZ3KJNY'),
    'NotFoundException',
    404,
  );

  const membership = await userManagement.createOrganizationMembership({
    organizationId: organization.id,
    userId: user.id,
  });
  assert.match(membership.id, ulid('om'));
  assert.equal(membership.status, 'active');
  assert.equal(membership.role.slug, 'member', 'the default role');
  const admin = await userManagement.updateOrganizationMembership(membership.id, {
    roleSlug: 'admin',
  });
  assert.equal(admin.role.slug, 'admin');
  const { data } = await userManagement.listOrganizationMemberships({
    organizationId: organization.id,
  });
  assert.deepEqual(
    data.map(({ id }) => id),
    [membership.id],
  );
  await refused(
    userManagement.createOrganizationMembership({ organizationId: NOWHERE, userId: user.id }),
    'NotFoundException',
    404,
  );
  await userManagement.deactivateOrganizationMembership(membership.id);
  const statuses = async (...wanted) =>
    (await userManagement.listOrganizationMemberships({ organizationId: organization.id, statuses: wanted })).data.length;
  assert.deepEqual([await statuses('active'), await statuses('active', 'inactive')], [0, 1]);
  const again = await userManagement.createOrganizationMembership({ organizationId: organization.id, userId: user.id });
  assert.deepEqual([again.id, again.status], [membership.id, 'active']);
  const users = await userManagement.listUsers({ organizationId: organization.id });
  assert.deepEqual(
    users.data.map(({ id }) => id),
    [user.id],
  );
  await userManagement.deleteOrganizationMembership(membership.id);
  await refused(
    userManagement.getOrganizationMembership(membership.id),
    'NotFoundException',
    404,
  );
});

// -- Members' own keys ----------------------------------------------------------------------------

async function freshMember(roleSlug) {
  await freshOrganization();
  const user = await workos.userManagement.createUser({
    email: 'kim@acme.example',
    firstName: 'Kim',
  });
  const membership = await workos.userManagement.createOrganizationMembership({
    organizationId,
    userId: user.id,
    roleSlug,
  });
  return { user, membership };
}

test("a member's own key: made, listed, validated, and gone with the membership", async () => {
  const { user, membership } = await freshMember();
  const expiresAt = new Date(Date.now() + 3600_000);
  const created = await workos.userManagement.createUserApiKey(user.id, {
    name: 'Mine',
    organizationId,
    expiresAt,
  });
  server.secrets.add(created.value);
  assert.deepEqual(created.owner, { type: 'user', id: user.id, organizationId });
  assert.equal(created.expiresAt, expiresAt.toISOString());
  const { value, ...shown } = created;
  const { data } = await workos.userManagement.listUserApiKeys(user.id, { organizationId });
  assert.deepEqual(data, [shown]);
  assert.equal((await workos.userManagement.listUserApiKeys(user.id)).data.length, 1);
  assert.deepEqual((await workos.apiKeys.listOrganizationApiKeys({ organizationId })).data, [], "the organization's list has its own keys only");
  assert.equal((await validate(value)).owner.id, user.id);
  await workos.userManagement.deleteOrganizationMembership(membership.id);
  assert.equal(await validate(value), null);
});

test("a member's own key holds no more than the member, now", async () => {
  const { user, membership } = await freshMember();
  const give = (permissions) =>
    workos.userManagement.createUserApiKey(user.id, {
      name: 'Mine',
      organizationId,
      permissions,
    });
  const unheld = await give(['posts:read']).catch((error) => error);
  assert([400, 403, 422].includes(unheld.status), unheld.stack);
  await workos.authorization.createEnvironmentRole({ slug: 'reader', name: 'Reader' });
  await workos.authorization.setEnvironmentRolePermissions('reader', {
    permissions: ['posts:read'],
  });
  await workos.userManagement.updateOrganizationMembership(membership.id, { roleSlug: 'reader' });
  const { value } = await give(['posts:read']);
  server.secrets.add(value);
  assert.deepEqual((await validate(value)).permissions, ['posts:read']);
  await workos.authorization.setEnvironmentRolePermissions('reader', { permissions: [] });
  const left = await validate(value);
  assert(left === null || left.permissions.length === 0, JSON.stringify(left));
});

test("no member's own key without an active membership", async () => {
  const { user } = await freshMember();
  await freshOrganization();
  const error = await workos.userManagement
    .createUserApiKey(user.id, { name: 'Mine', organizationId })
    .catch((thrown) => thrown);
  assert([400, 403, 404, 422].includes(error.status), error.stack);
  const nobody = workos.userManagement.listUserApiKeys('user_01EHWNCE74X7JSDV0X3SZ3KJNY');
  await refused(nobody, 'NotFoundException', 404);
});

// -- Widget tokens --------------------------------------------------------------------------------

test('a widget token does what its scopes and the member allow', async () => {
  const organization = await freshOrganization();
  const user = await workos.userManagement.createUser({ email: 'lee@acme.example' });
  const membership = await workos.userManagement.createOrganizationMembership({
    organizationId: organization.id,
    userId: user.id,
    roleSlug: 'admin',
  });
  const tokenFor = async (options) => {
    const { token } = await workos.widgets.createToken({
      organizationId: organization.id,
      userId: user.id,
      ...options,
    });
    server.secrets.add(token);
    return token;
  };
  const allowed = async (key) =>
    (await server.request('GET', '/_widgets/ApiKeys/organization-api-keys', { key })).status;

  const token = await tokenFor({ scopes: ['widgets:api-keys:manage'] });
  // The official widget reads it with atob(), which knows neither '-' nor '_'.
  const claims = JSON.parse(atob(token.split('.')[1]));
  assert.deepEqual(claims.permissions, ['widgets:api-keys:manage']);
  assert(claims.exp > Date.now() / 1000 && claims.exp <= Date.now() / 1000 + 3600);
  assert.equal(await allowed(token), 200);
  // Nobody gets a token for what they do not hold themselves.
  await refused(
    tokenFor({ scopes: ['widgets:sso:manage'] }),
    'GenericServerException',
    403,
    'permission_not_held',
  );
  assert.equal(
    await allowed(await tokenFor({ userId: undefined, scopes: ['widgets:api-keys:manage'] })),
    200,
  );
  assert.equal(await allowed(await tokenFor({ userId: undefined })), 403);

  // Who is no admin any more has no more of it, at once.
  await workos.userManagement.updateOrganizationMembership(membership.id, { roleSlug: 'member' });
  assert.equal(await allowed(token), 403);
  const nowhere = workos.widgets.createToken({ organizationId: NOWHERE, scopes: [] });
  await refused(nowhere, 'NotFoundException', 404);
});
