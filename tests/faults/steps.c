/* SPDX-License-Identifier: MIT */
#include "steps.h"

#include <apikeys/document.h>

#include <stdio.h>

/* ------------------------------------------------------------------------ common furniture ---- */

void stage_furnish(struct stage *stage) {
  struct world *world = &stage->world;
  make_permission(world, "posts:read", 1, 1);
  make_role(world, "", "developer", "widgets:api-keys:manage posts:read");
  make_organization(world, "Acme", stage->organization);
  make_member(world, stage->organization, "user_ada", "developer");
  make_key(world, key_spec(stage->organization, "good", "posts:read"), &stage->good);
}

static void fresh_key(struct stage *stage) {
  make_key(&stage->world, key_spec(stage->organization, "victim", "posts:read"), &stage->victim);
}

static void fresh_management_key(struct stage *stage) {
  make_key(&stage->world, management_key_spec("victim", "apikeys:keys:read"), &stage->victim);
}

static void fresh_organization(struct stage *stage) {
  make_organization(&stage->world, "Victim", stage->victim_organization);
  make_member(&stage->world, stage->victim_organization, "user_eve", "developer");
  make_key(&stage->world, key_spec(stage->victim_organization, "victim", "posts:read"),
           &stage->victim);
}

/* What `rc` is good for: go on, unless an earlier part of the step failed. */
#define THEN(rc, call) ((rc) == APIKEYS_OK ? (call) : (rc))
#define MADE(object) ((object) != NULL ? APIKEYS_OK : APIKEYS_ERROR_NO_MEMORY)
/* Asserted when the fault is over: asserting needs memory. */
#define EXPECT(stage, condition) ((condition) ? (void)0 : (void)((stage)->wrong = #condition))
#define SYSTEM(stage) (stage)->world.env, (stage)->world.system
#define ERR(stage) (stage)->world.err

/* ------------------------------------------------------------------------------------ keys ---- */

static int create_key(struct stage *stage) {
  char value[APIKEYS_VALUE_MAX] = "untouched";
  size_t length = 4711;
  apikeys_key_spec *spec = apikeys_key_spec_new();
  int rc = MADE(spec);
  rc = THEN(rc, apikeys_key_spec_set_organization(spec, S(stage->organization)));
  rc = THEN(rc, apikeys_key_spec_set_name(spec, S(stage->text)));
  rc = THEN(rc, apikeys_key_spec_add_permission(spec, S("posts:read")));
  rc = THEN(rc, apikeys_key_spec_set_idempotency_key(spec, S(stage->text)));
  rc = THEN(
      rc, apikeys_key_create(SYSTEM(stage), spec, NULL, value, sizeof value, &length, ERR(stage)));
  apikeys_key_spec_free(spec);
  if (rc != APIKEYS_OK) {
    EXPECT(stage, strcmp(value, "untouched") == 0);
    EXPECT(stage, length == 4711);
  }
  return rc;
}

static int key_is_listed(struct stage *stage) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  apikeys_filter_set_organization_id(filter, S(stage->organization));
  apikeys_filter_set_search(filter, S(stage->text));
  ck_assert_int_eq(apikeys_key_list(SYSTEM(stage), filter, page, ERR(stage)), APIKEYS_OK);
  int seen = apikeys_page_count(page) > 0;
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  return seen;
}

static int rename_key(struct stage *stage) {
  apikeys_key_spec *spec = apikeys_key_spec_new();
  int rc = MADE(spec);
  rc = THEN(rc, apikeys_key_spec_set_name(spec, S(stage->text)));
  rc = THEN(rc, apikeys_key_update(SYSTEM(stage), S(stage->victim.id), spec, NULL, ERR(stage)));
  apikeys_key_spec_free(spec);
  return rc;
}

static int revoke_key(struct stage *stage) {
  return apikeys_key_revoke(SYSTEM(stage), S(stage->victim.id), S("because"), NULL, ERR(stage));
}

static int key_is_revoked(struct stage *stage) {
  int rc = validate(&stage->world, stage->victim.value, NULL);
  ck_assert(rc == APIKEYS_OK || rc == APIKEYS_REVOKED || rc == APIKEYS_OWNER_INACTIVE);
  return rc != APIKEYS_OK;
}

/* --------------------------------------------------------------- what keys are made of -------- */

static int create_organization(struct stage *stage) {
  apikeys_organization *organization = apikeys_organization_new();
  int rc = MADE(organization);
  rc = THEN(rc, apikeys_organization_set_name(organization, S("Acme")));
  rc = THEN(rc, apikeys_organization_set_external_id(organization, S(stage->text)));
  rc = THEN(rc, apikeys_organization_add_domain(organization, S("example.com")));
  rc = THEN(rc, apikeys_organization_set_metadata(organization, S("plan"), S("large")));
  rc = THEN(rc, apikeys_organization_create(SYSTEM(stage), organization, ERR(stage)));
  apikeys_organization_free(organization);
  return rc;
}

static int organization_is_there(struct stage *stage) {
  apikeys_organization *organization = apikeys_organization_new();
  int rc = apikeys_organization_get_by_external_id(SYSTEM(stage), S(stage->text), organization,
                                                   ERR(stage));
  ck_assert(rc == APIKEYS_OK || rc == APIKEYS_ERROR_NOT_FOUND);
  apikeys_organization_free(organization);
  return rc == APIKEYS_OK;
}

/* Its keys are refused from its own commit on: key_is_revoked tells. They are revoked behind it. */
static int delete_organization(struct stage *stage) {
  return apikeys_organization_delete(SYSTEM(stage), S(stage->victim_organization), ERR(stage));
}

static int create_permission(struct stage *stage) {
  apikeys_permission *permission = apikeys_permission_new();
  int rc = MADE(permission);
  rc = THEN(rc, apikeys_permission_set_slug(permission, S(stage->text)));
  rc = THEN(rc, apikeys_permission_set_name(permission, S("A permission")));
  rc = THEN(rc, apikeys_permission_create(SYSTEM(stage), permission, ERR(stage)));
  apikeys_permission_free(permission);
  return rc;
}

static int permission_is_there(struct stage *stage) {
  apikeys_permission *permission = apikeys_permission_new();
  int rc = apikeys_permission_get(SYSTEM(stage), S(stage->text), permission, ERR(stage));
  ck_assert(rc == APIKEYS_OK || rc == APIKEYS_ERROR_NOT_FOUND);
  apikeys_permission_free(permission);
  return rc == APIKEYS_OK;
}

static void fresh_permission(struct stage *stage) {
  make_permission(&stage->world, stage->text, 1, 1);
}

static int delete_permission(struct stage *stage) {
  return apikeys_permission_delete(SYSTEM(stage), S(stage->text), ERR(stage));
}

static int permission_is_gone(struct stage *stage) {
  return !permission_is_there(stage);
}

static int create_role(struct stage *stage) {
  apikeys_role *role = apikeys_role_new();
  int rc = MADE(role);
  rc = THEN(rc, apikeys_role_set_slug(role, S(stage->text)));
  rc = THEN(rc, apikeys_role_set_name(role, S("A role")));
  rc = THEN(rc, apikeys_role_add_permission(role, S("posts:read")));
  rc = THEN(rc, apikeys_role_create(SYSTEM(stage), role, ERR(stage)));
  apikeys_role_free(role);
  return rc;
}

static int role_is_there(struct stage *stage) {
  apikeys_role *role = apikeys_role_new();
  int rc = apikeys_role_get(SYSTEM(stage), "", 0, S(stage->text), role, ERR(stage));
  ck_assert(rc == APIKEYS_OK || rc == APIKEYS_ERROR_NOT_FOUND);
  apikeys_role_free(role);
  return rc == APIKEYS_OK;
}

static int create_member(struct stage *stage) {
  apikeys_member *member = apikeys_member_new();
  int rc = MADE(member);
  rc = THEN(rc, apikeys_member_set_organization_id(member, S(stage->organization)));
  rc = THEN(rc, apikeys_member_set_user_id(member, S(stage->text)));
  rc = THEN(rc, apikeys_member_add_role(member, S("developer")));
  rc = THEN(rc, apikeys_member_create(SYSTEM(stage), member, ERR(stage)));
  apikeys_member_free(member);
  return rc;
}

static int member_is_there(struct stage *stage) {
  apikeys_member *member = apikeys_member_new();
  int rc =
      apikeys_member_get(SYSTEM(stage), S(stage->organization), S(stage->text), member, ERR(stage));
  ck_assert(rc == APIKEYS_OK || rc == APIKEYS_ERROR_NOT_FOUND);
  apikeys_member_free(member);
  return rc == APIKEYS_OK;
}

static void fresh_member_key(struct stage *stage) {
  make_member(&stage->world, stage->organization, stage->text, "developer");
  make_key(&stage->world, member_key_spec(stage->organization, stage->text, "victim", "posts:read"),
           &stage->victim);
}

/* The member's own key dies with the membership. */
static int delete_member(struct stage *stage) {
  return apikeys_member_delete(SYSTEM(stage), S(stage->organization), S(stage->text), ERR(stage));
}

static int rotate_root_key(struct stage *stage) {
  return apikeys_rotate_root_key(SYSTEM(stage), NULL, 0, 0, ERR(stage));
}

/* --------------------------------------------------------------------------------- reading ---- */

static int validate_good(struct stage *stage) {
  apikeys_requirement *need = apikeys_requirement_new();
  apikeys_key *key = apikeys_key_new();
  int rc = need != NULL && key != NULL ? APIKEYS_OK : APIKEYS_ERROR_NO_MEMORY;
  rc = THEN(rc, apikeys_requirement_add_permission(need, S("posts:read")));
  rc = THEN(rc,
            apikeys_validate(stage->world.env, S(stage->good.value), need, NULL, key, ERR(stage)));
  if (rc == APIKEYS_OK)
    EXPECT(stage, strcmp(apikeys_key_id(key, NULL), stage->good.id) == 0);
  else if (key != NULL)
    EXPECT(stage, apikeys_key_id(key, NULL)[0] == '\0');
  apikeys_key_free(key);
  apikeys_requirement_free(need);
  return rc;
}

static void fresh_revoked_key(struct stage *stage) {
  fresh_key(stage);
  ck_assert_int_eq(revoke_key(stage), APIKEYS_OK);
}

/* A fault never makes a dead key good; and a refusal is an answer only if nothing failed. */
static int validate_revoked(struct stage *stage) {
  int rc = apikeys_validate(stage->world.env, S(stage->victim.value), NULL, NULL, NULL, ERR(stage));
  EXPECT(stage, rc != APIKEYS_OK);
  return rc == APIKEYS_REVOKED ? APIKEYS_OK : rc;
}

static int list_with(struct stage *stage,
                     int (*list)(apikeys_env *, const apikeys_actor *, const apikeys_filter *,
                                 apikeys_page *, apikeys_error *),
                     const char *organization) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  int rc = filter != NULL && page != NULL ? APIKEYS_OK : APIKEYS_ERROR_NO_MEMORY;
  if (organization != NULL)
    rc = THEN(rc, apikeys_filter_set_organization_id(filter, S(organization)));
  rc = THEN(rc, list(SYSTEM(stage), filter, page, ERR(stage)));
  if (rc == APIKEYS_OK)
    EXPECT(stage, apikeys_page_count(page) > 0);
  else
    EXPECT(stage, apikeys_page_count(page) == 0);
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  return rc;
}

static int list_keys(struct stage *stage) {
  return list_with(stage, apikeys_key_list, stage->organization);
}

static int list_members(struct stage *stage) {
  return list_with(stage, apikeys_member_list, stage->organization);
}

static int list_permissions(struct stage *stage) {
  return list_with(stage, apikeys_permission_list, NULL);
}

static int list_events(struct stage *stage) {
  return list_with(stage, apikeys_event_list, NULL);
}

static int poll_events(struct stage *stage) {
  apikeys_page *page = apikeys_page_new();
  int rc = MADE(page);
  rc = THEN(rc, apikeys_event_poll(SYSTEM(stage), S("reader"), 10, page, ERR(stage)));
  EXPECT(stage, rc != APIKEYS_OK || apikeys_page_count(page) == 10);
  apikeys_page_free(page);
  return rc;
}

static int acknowledge_event(struct stage *stage) {
  return apikeys_event_acknowledge(SYSTEM(stage), S(stage->text), 1, ERR(stage));
}

static int maintain(struct stage *stage) {
  return apikeys_maintain(stage->world.env, ERR(stage));
}

static int create_widget_token(struct stage *stage) {
  char token[APIKEYS_WIDGET_TOKEN_MAX] = "untouched";
  apikeys_widget_token_spec *spec = apikeys_widget_token_spec_new();
  int rc = MADE(spec);
  rc = THEN(rc, apikeys_widget_token_spec_set_organization_id(spec, S(stage->organization)));
  rc = THEN(rc, apikeys_widget_token_spec_set_user_id(spec, S("user_ada")));
  rc = THEN(rc, apikeys_widget_token_spec_add_scope(spec, S("widgets:api-keys:manage")));
  rc = THEN(
      rc, apikeys_widget_token_create(SYSTEM(stage), spec, token, sizeof token, NULL, ERR(stage)));
  apikeys_widget_token_spec_free(spec);
  if (rc == APIKEYS_OK)
    memcpy(stage->token, token, sizeof token);
  else
    EXPECT(stage, strcmp(token, "untouched") == 0);
  return rc;
}

static void fresh_token(struct stage *stage) {
  ck_assert_int_eq(create_widget_token(stage), APIKEYS_OK);
}

static int act_with_widget_token(struct stage *stage) {
  apikeys_actor *actor = apikeys_actor_new();
  apikeys_key *key = apikeys_key_new();
  int rc = actor != NULL && key != NULL ? APIKEYS_OK : APIKEYS_ERROR_NO_MEMORY;
  rc = THEN(rc,
            apikeys_actor_set_widget_token(stage->world.env, actor, S(stage->token), ERR(stage)));
  rc = THEN(rc, apikeys_key_get(stage->world.env, actor, S(stage->good.id), key, ERR(stage)));
  apikeys_key_free(key);
  apikeys_actor_free(actor);
  return rc;
}

static int act_with_management_key(struct stage *stage) {
  apikeys_actor *actor = apikeys_actor_new();
  apikeys_key *key = apikeys_key_new();
  int rc = actor != NULL && key != NULL ? APIKEYS_OK : APIKEYS_ERROR_NO_MEMORY;
  rc = THEN(rc, apikeys_actor_set_management_key(stage->world.env, actor, S(stage->victim.value),
                                                 ERR(stage)));
  rc = THEN(rc, apikeys_key_get(stage->world.env, actor, S(stage->good.id), key, ERR(stage)));
  apikeys_key_free(key);
  apikeys_actor_free(actor);
  return rc;
}

/* ------------------------------------------------------------------------------- documents ---- */

static int put_document(struct stage *stage, const char *id) {
  apikeys_document *document = apikeys_document_new();
  int rc = MADE(document);
  rc = THEN(rc, apikeys_document_set_collection(document, S("things")));
  rc = THEN(rc, apikeys_document_set_id(document, S(id)));
  rc = THEN(rc, apikeys_document_set_body(document, S("{\"text\":1}")));
  rc = THEN(rc, apikeys_document_set_secret(document, S("hidden")));
  rc = THEN(rc, apikeys_document_put(SYSTEM(stage), document, ERR(stage)));
  EXPECT(stage, document == NULL || apikeys_document_version(document) == 0 || rc == APIKEYS_OK);
  apikeys_document_free(document);
  return rc;
}

static int put_new_document(struct stage *stage) {
  return put_document(stage, stage->text);
}

static void fresh_document(struct stage *stage) {
  ck_assert_int_eq(put_document(stage, stage->text), APIKEYS_OK);
}

/* Of an update that failed nothing is there; and the secret survives all of them. */
static int update_document(struct stage *stage) {
  char secret[6];
  apikeys_document *document = apikeys_document_new();
  int rc = MADE(document);
  rc = THEN(rc,
            apikeys_document_get(SYSTEM(stage), S("things"), S(stage->text), document, ERR(stage)));
  rc = THEN(rc, apikeys_document_set_body(document, S("changed")));
  rc = THEN(rc, apikeys_document_update(SYSTEM(stage), document, ERR(stage)));
  if (rc == APIKEYS_OK) {
    EXPECT(stage, apikeys_document_secret(document, secret, sizeof secret, NULL) == APIKEYS_OK);
    EXPECT(stage, memcmp(secret, "hidden", sizeof secret) == 0);
  }
  apikeys_document_free(document);
  return rc;
}

/* All of them or none; an object of a call that failed is as it was. */
static int create_documents(struct stage *stage) {
  char second[160];
  snprintf(second, sizeof second, "%s-2", stage->text);
  const char *const ids[] = {stage->text, second};
  apikeys_document *batch[] = {apikeys_document_new(), apikeys_document_new()};
  int rc = batch[0] != NULL && batch[1] != NULL ? APIKEYS_OK : APIKEYS_ERROR_NO_MEMORY;
  int results[2] = {7, 7};
  for (int i = 0; i < 2; i++) {
    rc = THEN(rc, apikeys_document_set_collection(batch[i], S("many")));
    rc = THEN(rc, apikeys_document_set_id(batch[i], S(ids[i])));
    rc = THEN(rc, apikeys_document_set_secret(batch[i], S("hidden")));
  }
  rc = THEN(rc, apikeys_document_create_many(SYSTEM(stage), batch, 2, results, ERR(stage)));
  for (int i = 0; i < 2; i++) {
    EXPECT(stage, (results[i] == APIKEYS_OK) == (rc == APIKEYS_OK));
    EXPECT(stage, (apikeys_document_version(batch[i]) == 1) == (rc == APIKEYS_OK));
    apikeys_document_free(batch[i]);
  }
  return rc;
}

static int list_documents(struct stage *stage) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  int rc = filter != NULL && page != NULL ? APIKEYS_OK : APIKEYS_ERROR_NO_MEMORY;
  rc = THEN(rc, apikeys_filter_set_collection(filter, S("things")));
  rc = THEN(rc, apikeys_document_list(SYSTEM(stage), filter, page, ERR(stage)));
  if (rc == APIKEYS_OK)
    EXPECT(stage, apikeys_page_count(page) > 0);
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  return rc;
}

/* -------------------------------------------------------------------------------- the list ---- */

const struct step steps[] = {
    {"create a key", NULL, create_key, key_is_listed, 0, 0},
    {"rename a key", fresh_key, rename_key, key_is_listed, 0, 0},
    {"revoke a key", fresh_key, revoke_key, key_is_revoked, 0, 0},
    {"create an organization", NULL, create_organization, organization_is_there, 0, 0},
    {"delete an organization", fresh_organization, delete_organization, key_is_revoked, 0, 1},
    {"create a permission", NULL, create_permission, permission_is_there, 0, 0},
    {"delete a permission", fresh_permission, delete_permission, permission_is_gone, 0, 0},
    {"create a role", NULL, create_role, role_is_there, 0, 0},
    {"create a member", NULL, create_member, member_is_there, 0, 0},
    {"delete a member", fresh_member_key, delete_member, key_is_revoked, 0, 0},
    {"put a document", NULL, put_new_document, NULL, 0, 0},
    {"update a document", fresh_document, update_document, NULL, 0, 0},
    {"create many documents", NULL, create_documents, NULL, 0, 0},
    {"list documents", fresh_document, list_documents, NULL, 0, 0},
    {"rotate the root key", fresh_document, rotate_root_key, NULL, 1, 0},
    {"validate a good key", NULL, validate_good, NULL, 0, 0},
    {"validate a revoked key", fresh_revoked_key, validate_revoked, NULL, 0, 0},
    {"list keys", NULL, list_keys, NULL, 0, 0},
    {"list members", NULL, list_members, NULL, 0, 0},
    {"list permissions", NULL, list_permissions, NULL, 0, 0},
    {"list events", NULL, list_events, NULL, 0, 0},
    {"poll events", NULL, poll_events, NULL, 0, 0},
    {"acknowledge an event", NULL, acknowledge_event, NULL, 0, 0},
    {"maintain", NULL, maintain, NULL, 0, 1},
    {"create a widget token", NULL, create_widget_token, NULL, 0, 0},
    {"act with a widget token", fresh_token, act_with_widget_token, NULL, 0, 0},
    {"act with a management key", fresh_management_key, act_with_management_key, NULL, 0, 0},
};
const size_t step_count = sizeof steps / sizeof steps[0];

int64_t step_begin(struct stage *stage, const struct step *step) {
  snprintf(stage->text, sizeof stage->text, "name-%d", ++stage->serial);
  if (step->prepare != NULL)
    step->prepare(stage);
  return last_event(&stage->world, NULL);
}

void step_end(struct stage *stage, const struct step *step, int rc, int64_t event_before,
              const char *where) {
  ck_assert_msg(stage->wrong == NULL, "%s: %s (%s): not %s", where, step->name,
                apikeys_result_name(rc), stage->wrong);
  int evented = last_event(&stage->world, NULL) > event_before;
  if (step->seen != NULL) {
    int seen = step->seen(stage);
    ck_assert_msg(seen == evented, "%s: %s (%s): the change is %s, its event is %s", where,
                  step->name, apikeys_result_name(rc), seen ? "there" : "not there",
                  evented ? "there" : "not there");
    ck_assert_msg(rc != APIKEYS_OK || seen, "%s: %s was good but is not there", where, step->name);
  }
  ck_assert_msg(rc == APIKEYS_OK || rc == APIKEYS_ERROR_OUTCOME_UNKNOWN || !evented ||
                    step->goes_on,
                "%s: %s failed (%s) and left an event", where, step->name, apikeys_result_name(rc));
  int good = validate(&stage->world, stage->good.value, "posts:read");
  ck_assert_msg(good == APIKEYS_OK, "%s: after %s: %s: %s", where, step->name,
                apikeys_result_name(good), apikeys_error_message(stage->world.err));
}
