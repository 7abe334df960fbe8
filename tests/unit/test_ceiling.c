/* SPDX-License-Identifier: MIT */
/*
 * No sequence of calls gives a key more than the rules allow, or lets a member act outside their
 * organization: random sequences against a small model, which knows permissions as bits.
 *
 * The seed is printed; APIKEYS_SEED runs one again, APIKEYS_SOAK runs many more steps.
 */
#include "support/suite.h"
#include "support/world.h"

#include <stdio.h>
#include <stdlib.h>

enum { PERMISSIONS = 5, ROLES = 3, ORGANIZATIONS = 2, USERS = 3, KEYS_MAX = 20000 };

/* The bits of the three system permissions, behind the environment's own. */
enum { MANAGE = 1 << PERMISSIONS, MANAGE_OWN = 2 << PERMISSIONS, MANAGE_ALL = 4 << PERMISSIONS };
enum { BITS = PERMISSIONS + 3 };

static const char *const slugs[BITS] = {"a:read",
                                        "a:write",
                                        "b:read",
                                        "b:*",
                                        "c.admin",
                                        "widgets:api-keys:manage",
                                        "widgets:user-api-keys:manage-self",
                                        "widgets:user-api-keys:manage-all"};
static const char *const users[USERS] = {"ada", "bob", "eve"};

struct model_key {
  struct made_key made;
  int organization;
  int user; /* -1: the organization's */
  unsigned granted;
  int revoked;
};

struct model {
  struct world world;
  uint64_t seed;
  char organizations[ORGANIZATIONS][64];
  unsigned exists, for_organizations, for_users;
  unsigned role[ROLES];
  int member_role[ORGANIZATIONS][USERS];
  int member_active[ORGANIZATIONS][USERS];
  struct model_key keys[KEYS_MAX];
  int key_count;
};

static unsigned draw(struct model *model, unsigned below) {
  model->seed ^= model->seed << 13;
  model->seed ^= model->seed >> 7;
  model->seed ^= model->seed << 17;
  return (unsigned)(model->seed >> 33) % below;
}

static void set_text(char out[256], unsigned bits) {
  out[0] = '\0';
  for (int i = 0; i < BITS; i++)
    if ((bits >> i & 1) != 0) {
      strncat(out, out[0] != '\0' ? " " : "", 255 - strlen(out));
      strncat(out, slugs[i], 255 - strlen(out));
    }
}

static const char *role_slug(int role) {
  static const char *const names[ROLES] = {"role-one", "role-two", "role-three"};
  return names[role];
}

static unsigned held(const struct model *model, int organization, int user) {
  if (!model->member_active[organization][user])
    return 0;
  return model->role[model->member_role[organization][user]];
}

/* -- Steps: each does something in the environment and in the model ---------------------------- */

static void toggle_permission(struct model *model) {
  struct world *world = &model->world;
  int i = (int)draw(model, PERMISSIONS);
  unsigned bit = 1u << i;
  if ((model->exists & bit) != 0 && draw(model, 16) != 0)
    return; /* deletions empty the keys: seldom, or little is left to hold against the ceiling */
  if ((model->exists & bit) != 0) {
    ck_assert_int_eq(apikeys_permission_delete(world->env, world->system, S(slugs[i]), world->err),
                     0);
    for (int role = 0; role < ROLES; role++)
      model->role[role] &= ~bit;
    for (int key = 0; key < model->key_count; key++)
      if (!model->keys[key].revoked)
        model->keys[key].granted &= ~bit;
    model->exists &= ~bit;
    return;
  }
  int for_organizations = (int)draw(model, 2), for_users = (int)draw(model, 2);
  make_permission(world, slugs[i], for_organizations, for_users);
  model->exists |= bit;
  model->for_organizations =
      for_organizations ? model->for_organizations | bit : model->for_organizations & ~bit;
  model->for_users = for_users ? model->for_users | bit : model->for_users & ~bit;
}

static void toggle_availability(struct model *model) {
  struct world *world = &model->world;
  int i = (int)draw(model, PERMISSIONS);
  unsigned bit = 1u << i;
  apikeys_permission *permission = apikeys_permission_new();
  apikeys_permission_set_slug(permission, S(slugs[i]));
  model->for_organizations ^= bit;
  model->for_users ^= bit;
  apikeys_permission_set_available_to_organization_keys(permission,
                                                        (model->for_organizations & bit) != 0);
  apikeys_permission_set_available_to_user_keys(permission, (model->for_users & bit) != 0);
  int rc = apikeys_permission_update(world->env, world->system, permission, world->err);
  ck_assert_int_eq(rc, (model->exists & bit) != 0 ? APIKEYS_OK : APIKEYS_ERROR_NOT_FOUND);
  apikeys_permission_free(permission);
}

static void change_role(struct model *model) {
  struct world *world = &model->world;
  int i = (int)draw(model, ROLES);
  unsigned bits = draw(model, 1u << BITS);
  unsigned unknown = bits & ~model->exists & ((1u << PERMISSIONS) - 1);
  apikeys_role *role = apikeys_role_new();
  apikeys_role_set_slug(role, S(role_slug(i)));
  apikeys_role_clear_permissions(role);
  for (int bit = 0; bit < BITS; bit++)
    if ((bits >> bit & 1) != 0)
      apikeys_role_add_permission(role, S(slugs[bit]));
  int rc = apikeys_role_update(world->env, world->system, role, world->err);
  ck_assert_int_eq(rc, unknown != 0 ? APIKEYS_ERROR_UNKNOWN_PERMISSION : APIKEYS_OK);
  if (rc == APIKEYS_OK)
    model->role[i] = bits;
  apikeys_role_free(role);
}

static void change_member(struct model *model) {
  struct world *world = &model->world;
  int organization = (int)draw(model, ORGANIZATIONS), user = (int)draw(model, USERS);
  int role = (int)draw(model, ROLES), active = draw(model, 4) != 0;
  apikeys_member *member = apikeys_member_new();
  apikeys_member_set_organization_id(member, S(model->organizations[organization]));
  apikeys_member_set_user_id(member, S(users[user]));
  apikeys_member_clear_roles(member);
  apikeys_member_add_role(member, S(role_slug(role)));
  apikeys_member_set_status(member, active ? APIKEYS_MEMBER_ACTIVE : APIKEYS_MEMBER_INACTIVE);
  ck_assert_int_eq(apikeys_member_update(world->env, world->system, member, world->err), 0);
  model->member_role[organization][user] = role;
  model->member_active[organization][user] = active;
  apikeys_member_free(member);
}

/* Who acts: user -1 is the system. */
struct acting {
  int organization;
  int user;
};

static apikeys_actor *act(struct model *model, struct acting *acting) {
  acting->organization = (int)draw(model, ORGANIZATIONS);
  acting->user = (int)draw(model, USERS + 1) - 1;
  if (acting->user < 0) {
    apikeys_actor *system = apikeys_actor_new();
    apikeys_actor_set_system(system, S("the model"));
    return system;
  }
  return member_actor(model->organizations[acting->organization], users[acting->user]);
}

static int may_create(const struct model *model, const struct acting *acting, int organization,
                      int user) {
  if (acting->user < 0)
    return 1;
  unsigned holds = held(model, acting->organization, acting->user);
  if (acting->organization != organization)
    return 0;
  if (user < 0)
    return (holds & MANAGE) != 0;
  return user == acting->user && (holds & (MANAGE_OWN | MANAGE_ALL)) != 0;
}

static int may_be_granted(const struct model *model, int organization, int user, unsigned bits) {
  unsigned available = model->exists & (user < 0 ? model->for_organizations : model->for_users);
  if ((bits & ~available) != 0)
    return 0;
  if (user < 0)
    return 1;
  return model->member_active[organization][user] && (bits & ~held(model, organization, user)) == 0;
}

/* Few bits, so that many requests are right: a ceiling that nothing reaches shows nothing. */
static unsigned draw_grants(struct model *model) {
  return draw(model, 1u << BITS) & draw(model, 1u << BITS) & draw(model, 1u << BITS);
}

static void create_key(struct model *model) {
  struct acting acting;
  apikeys_actor *actor = act(model, &acting);
  int organization = (int)draw(model, ORGANIZATIONS), user = (int)draw(model, USERS + 1) - 1;
  unsigned bits = draw_grants(model);
  char permissions[256];
  set_text(permissions, bits);
  const char *owner = model->organizations[organization];
  apikeys_key_spec *spec = user < 0 ? key_spec(owner, "k", permissions)
                                    : member_key_spec(owner, users[user], "k", permissions);
  struct model_key *key = &model->keys[model->key_count];
  int rc = try_key(&model->world, actor, spec, &key->made);
  int expected = may_create(model, &acting, organization, user) &&
                 may_be_granted(model, organization, user, bits);
  ck_assert_msg((rc == APIKEYS_OK) == (expected != 0), "create gave %s, expected %s",
                apikeys_result_name(rc), expected ? "success" : "refusal");
  if (rc == APIKEYS_OK && model->key_count < KEYS_MAX - 1) {
    key->organization = organization;
    key->user = user;
    key->granted = bits;
    key->revoked = 0;
    model->key_count++;
  }
  apikeys_actor_free(actor);
}

/* Mostly one of the last few, whose permissions are still there. */
static struct model_key *any_key(struct model *model) {
  if (model->key_count == 0)
    return NULL;
  int among = model->key_count > 50 && draw(model, 4) != 0 ? 50 : model->key_count;
  return &model->keys[model->key_count - 1 - (int)draw(model, (unsigned)among)];
}

static void regrant_key(struct model *model) {
  struct model_key *key = any_key(model);
  if (key == NULL)
    return;
  struct acting acting;
  apikeys_actor *actor = act(model, &acting);
  unsigned bits = draw_grants(model);
  apikeys_key_spec *spec = apikeys_key_spec_new();
  apikeys_key_spec_clear_permissions(spec);
  for (int bit = 0; bit < BITS; bit++)
    if ((bits >> bit & 1) != 0)
      apikeys_key_spec_add_permission(spec, S(slugs[bit]));
  int rc =
      apikeys_key_update(model->world.env, actor, S(key->made.id), spec, NULL, model->world.err);
  int expected =
      !key->revoked && may_create(model, &acting, key->organization, key->user) &&
      (bits == key->granted || may_be_granted(model, key->organization, key->user, bits));
  if (rc == APIKEYS_OK)
    ck_assert_msg(expected, "an update was let through that exceeds the ceiling");
  if (expected && may_be_granted(model, key->organization, key->user, bits))
    ck_assert_msg(rc == APIKEYS_OK, "update gave %s", apikeys_result_name(rc));
  if (rc == APIKEYS_OK)
    key->granted = bits;
  apikeys_key_spec_free(spec);
  apikeys_actor_free(actor);
}

static void revoke_key(struct model *model) {
  struct model_key *key = any_key(model);
  if (key == NULL)
    return;
  struct acting acting;
  apikeys_actor *actor = act(model, &acting);
  unsigned holds = acting.user < 0 ? 0 : held(model, acting.organization, acting.user);
  int may =
      may_create(model, &acting, key->organization, key->user) ||
      (acting.organization == key->organization && key->user >= 0 && (holds & MANAGE_ALL) != 0);
  int rc =
      apikeys_key_revoke(model->world.env, actor, S(key->made.id), NULL, 0, NULL, model->world.err);
  ck_assert_msg((rc == APIKEYS_OK) == (may && !key->revoked), "revoke gave %s",
                apikeys_result_name(rc));
  if (rc == APIKEYS_OK)
    key->revoked = 1;
  apikeys_actor_free(actor);
}

/* -- The ceiling ------------------------------------------------------------------------------- */

static int expected_result(const struct model *model, const struct model_key *key, int bit) {
  if (key->revoked)
    return APIKEYS_REVOKED;
  if (key->user >= 0 && !model->member_active[key->organization][key->user])
    return APIKEYS_OWNER_INACTIVE;
  unsigned may = key->granted;
  if (key->user >= 0)
    may &= held(model, key->organization, key->user);
  return (may >> bit & 1) != 0 ? APIKEYS_OK : APIKEYS_NOT_PERMITTED;
}

static void check_some_keys(struct model *model) {
  for (int i = 0; i < 4; i++) {
    struct model_key *key = any_key(model);
    if (key == NULL)
      return;
    int bit = (int)draw(model, BITS);
    for (int try = 0; try < BITS && (key->granted >> bit & 1) == 0; try++)
      bit = (int)draw(model, BITS); /* rather one that it was given */
    int rc = validate(&model->world, key->made.value, slugs[bit]);
    int expected = expected_result(model, key, bit);
    ck_assert_msg(rc == expected, "%s with %s: %s, expected %s", key->made.id, slugs[bit],
                  apikeys_result_name(rc), apikeys_result_name(expected));
  }
}

static void found(struct model *model, int backend) {
  struct world *world = &model->world;
  world_open(world, (enum backend)backend);
  for (int role = 0; role < ROLES; role++)
    make_role(world, "", role_slug(role), "");
  for (int i = 0; i < ORGANIZATIONS; i++) {
    make_organization(world, i == 0 ? "One" : "Two", model->organizations[i]);
    for (int user = 0; user < USERS; user++) {
      make_member(world, model->organizations[i], users[user], role_slug(0));
      model->member_active[i][user] = 1;
    }
  }
}

START_TEST(no_sequence_of_calls_exceeds_the_ceiling) {
  static void (*const steps[])(struct model *) = {
      toggle_permission, toggle_availability, change_role, change_member, create_key,
      create_key,        create_key,          regrant_key, regrant_key,   revoke_key};
  const char *given = getenv("APIKEYS_SEED");
  struct model *model = calloc(1, sizeof *model);
  ck_assert_ptr_nonnull(model);
  model->seed = UINT64_C(88172645463325252) + (unsigned)_i;
  if (given != NULL)
    model->seed = strtoull(given, NULL, 10);
  printf("seed %llu\n", (unsigned long long)model->seed);
  found(model, _i);
  int soak = getenv("APIKEYS_SOAK") != NULL;
  int count = soak ? 50000 : _i == BACKEND_SQLITE ? 2000 : rounds_of(20000);
  for (int step = 0; step < count; step++) {
    steps[draw(model, sizeof steps / sizeof steps[0])](model);
    check_some_keys(model);
  }
  ck_assert_int_gt(model->key_count, 20); /* or the sequences showed nothing */
  world_close(&model->world);
  free(model);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("ceiling");
  TCase *tcase = tcase_create("random sequences");
  tcase_add_loop_test(tcase, no_sequence_of_calls_exceeds_the_ceiling, 0, BACKEND_COUNT);
  tcase_set_timeout(tcase, 600);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
