/* SPDX-License-Identifier: MIT */
/* The demo: seeds an organization, and gives widget tokens to every caller. */
#include "demo.h"

#include "authenticate.h"
#include "http/reply.h"
#include "log.h"
#include "routes.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define S(text) (text), strlen(text)
#define EXTERNAL_ID "demo"
#define USER_ID "user_demo_admin"

struct demo {
  char organization_id[32];
};

static int add_permission(apikeys_env *env, const apikeys_actor *system, const char *slug,
                          const char *name, const char *description, int available,
                          apikeys_error *err) {
  apikeys_permission *permission = apikeys_permission_new();
  if (permission == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  apikeys_permission_set_slug(permission, S(slug));
  apikeys_permission_set_name(permission, S(name));
  apikeys_permission_set_description(permission, S(description));
  apikeys_permission_set_available_to_organization_keys(permission, available);
  apikeys_permission_set_available_to_user_keys(permission, available);
  int rc = apikeys_permission_create(env, system, permission, err);
  apikeys_permission_free(permission);
  return rc == APIKEYS_ERROR_EXISTS ? APIKEYS_OK : rc;
}

static int add_permissions(apikeys_env *env, const apikeys_actor *system, apikeys_error *err) {
  static const struct {
    const char *slug, *name, *description;
    int available;
  } seeds[] = {
      {"posts:read", "Read posts", "Read all posts of the organization", 1},
      {"posts:write", "Write posts", "Create and change posts", 1},
      {"posts:delete", "Delete posts", "Delete posts for good", 0},
  };
  int rc = APIKEYS_OK;
  for (size_t i = 0; rc == APIKEYS_OK && i < sizeof seeds / sizeof seeds[0]; i++)
    rc = add_permission(env, system, seeds[i].slug, seeds[i].name, seeds[i].description,
                        seeds[i].available, err);
  return rc;
}

static int add_organization(apikeys_env *env, const apikeys_actor *system, struct demo *demo,
                            apikeys_error *err) {
  apikeys_organization *organization = apikeys_organization_new();
  if (organization == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  int rc = apikeys_organization_get_by_external_id(env, system, S(EXTERNAL_ID), organization, err);
  if (rc == APIKEYS_ERROR_NOT_FOUND) {
    apikeys_organization_set_name(organization, S("Acme"));
    apikeys_organization_set_external_id(organization, S(EXTERNAL_ID));
    rc = apikeys_organization_create(env, system, organization, err);
  }
  if (rc == APIKEYS_OK) {
    size_t length;
    const char *id = apikeys_organization_id(organization, &length);
    memcpy(demo->organization_id, id, length + 1);
  }
  apikeys_organization_free(organization);
  return rc;
}

/* This role lets the admin give the posts' permissions to personal keys. */
static int add_editor_role(apikeys_env *env, const apikeys_actor *system, apikeys_error *err) {
  apikeys_role *role = apikeys_role_new();
  if (role == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  apikeys_role_set_slug(role, S("editor"));
  apikeys_role_set_name(role, S("Editor"));
  apikeys_role_add_permission(role, S("posts:read"));
  apikeys_role_add_permission(role, S("posts:write"));
  apikeys_role_add_permission(role, S("posts:delete"));
  int rc = apikeys_role_create(env, system, role, err);
  apikeys_role_free(role);
  return rc == APIKEYS_ERROR_EXISTS ? APIKEYS_OK : rc;
}

static int add_admin(apikeys_env *env, const apikeys_actor *system, const struct demo *demo,
                     apikeys_error *err) {
  apikeys_member *member = apikeys_member_new();
  if (member == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  apikeys_member_set_organization_id(member, S(demo->organization_id));
  apikeys_member_set_user_id(member, S(USER_ID));
  apikeys_member_set_display_name(member, S("Ada Admin"));
  apikeys_member_set_email(member, S("ada@acme.example"));
  apikeys_member_add_role(member, S("admin"));
  apikeys_member_add_role(member, S("editor"));
  int rc = apikeys_member_create(env, system, member, err);
  apikeys_member_free(member);
  return rc == APIKEYS_ERROR_EXISTS ? APIKEYS_OK : rc;
}

struct demo *demo_start(struct service *service) {
  struct demo *demo = calloc(1, sizeof *demo);
  apikeys_actor *system = apikeys_actor_new();
  apikeys_error *err = apikeys_error_new();
  int rc = demo == NULL || system == NULL ? APIKEYS_ERROR_NO_MEMORY
                                          : apikeys_actor_set_system(system, S("demo"));
  if (rc == APIKEYS_OK)
    rc = add_permissions(service->env, system, err);
  if (rc == APIKEYS_OK)
    rc = add_organization(service->env, system, demo, err);
  if (rc == APIKEYS_OK)
    rc = add_editor_role(service->env, system, err);
  if (rc == APIKEYS_OK)
    rc = add_admin(service->env, system, demo, err);
  if (rc != APIKEYS_OK) {
    log_line(service->log, LOG_ERROR, "the demo cannot be set up: %s", apikeys_error_message(err));
    free(demo);
    demo = NULL;
  }
  apikeys_error_free(err);
  apikeys_actor_free(system);
  return demo;
}

void demo_stop(struct demo *demo) {
  free(demo);
}

const char *demo_organization_id(const struct demo *demo) {
  return demo->organization_id;
}

/* -- Widget tokens for everybody --------------------------------------------------------------- */

static int make_token(struct exchange *x, char *token, size_t size) {
  static const char *const scopes[] = {"widgets:api-keys:manage",
                                       "widgets:user-api-keys:manage-all"};
  apikeys_widget_token_spec *spec = apikeys_widget_token_spec_new();
  if (spec == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  apikeys_widget_token_spec_set_organization_id(spec, S(x->service->demo->organization_id));
  apikeys_widget_token_spec_set_user_id(spec, S(USER_ID));
  for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++)
    apikeys_widget_token_spec_add_scope(spec, S(scopes[i]));
  int rc = apikeys_widget_token_create(x->service->env, x->actor, spec, token, size, NULL, x->err);
  apikeys_widget_token_spec_free(spec);
  return rc;
}

static void give_token(struct exchange *x) {
  char token[APIKEYS_WIDGET_TOKEN_MAX];
  if (x->service->demo == NULL) {
    reply_error(x, 404, "not_found", "This is no demo.");
    return;
  }
  if (!authenticate_system(x, "demo"))
    return;
  int rc = make_token(x, token, sizeof token);
  if (rc == APIKEYS_OK)
    reply_json(x, 200, json_pack("{s:s}", "token", token));
  else
    reply_failure(x, rc, "Organization", x->service->demo->organization_id);
  sodium_memzero(token, sizeof token);
}

const struct route demo_routes[] = {
    {METHOD_GET, "/demo/widget-token", ACCESS_PUBLIC, give_token},
    {0},
};
