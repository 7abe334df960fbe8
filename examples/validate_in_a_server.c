/* SPDX-License-Identifier: MIT */
/*
 * How a server asks: one requirement per route, made at start and shared by all threads; one key
 * object per thread, reused from request to request; the status from the result. The "server"
 * answers a list of requests, some of them from two threads at once.
 */
#include <apikeys.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S(text) (text), strlen(text)

struct route {
  const char *method_and_path;
  const char *permission;
  apikeys_requirement *need;
};

static struct route routes[] = {
    {"GET /posts", "posts:read", NULL},
    {"POST /posts", "posts:write", NULL},
};

struct request {
  const char *method_and_path;
  const char *authorization; /* NULL: the header is absent */
};

struct server {
  apikeys_env *env;
  const struct request *requests;
  int request_count;
  int statuses[8];
};

static void must(int rc, apikeys_error *err) {
  if (rc == 0)
    return;
  fprintf(stderr, "%s\n", apikeys_error_message(err));
  exit(1);
}

/* The middleware: 0 with the key, or the status to answer. The reason is for the log alone. */
static int authenticate(apikeys_env *env, const struct route *route, const char *authorization,
                        apikeys_key *key) {
  if (authorization == NULL)
    return 401;
  int rc = apikeys_validate_authorization(env, S(authorization), route->need, NULL, key, NULL);
  return rc == 0 ? 0 : apikeys_result_status(rc);
}

static int handle(apikeys_env *env, const struct request *request, apikeys_key *key) {
  for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
    if (strcmp(routes[i].method_and_path, request->method_and_path) != 0)
      continue;
    int refused = authenticate(env, &routes[i], request->authorization, key);
    if (refused != 0)
      return refused;
    /* Here the handler works for apikeys_key_organization_id(key, NULL), and nobody else. */
    return 200;
  }
  return 404;
}

static void *serve(void *argument) {
  struct server *server = argument;
  apikeys_key *key = apikeys_key_new();
  for (int i = 0; i < server->request_count; i++)
    server->statuses[i] = handle(server->env, &server->requests[i], key);
  apikeys_key_free(key);
  return NULL;
}

/* An organization with a key that may read. */
static void populate(apikeys_env *env, apikeys_error *err, char *value, size_t size) {
  apikeys_actor *system = apikeys_actor_new();
  must(apikeys_actor_set_system(system, S("example")), err);
  for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
    apikeys_permission *permission = apikeys_permission_new();
    apikeys_permission_set_slug(permission, S(routes[i].permission));
    apikeys_permission_set_name(permission, S(routes[i].permission));
    apikeys_permission_set_available_to_organization_keys(permission, 1);
    must(apikeys_permission_create(env, system, permission, err), err);
    apikeys_permission_free(permission);
  }
  apikeys_organization *acme = apikeys_organization_new();
  apikeys_organization_set_name(acme, S("Acme"));
  must(apikeys_organization_create(env, system, acme, err), err);
  apikeys_key_spec *spec = apikeys_key_spec_new();
  apikeys_key_spec_set_organization(spec, S(apikeys_organization_id(acme, NULL)));
  apikeys_key_spec_set_name(spec, S("reader"));
  apikeys_key_spec_add_permission(spec, S("posts:read"));
  must(apikeys_key_create(env, system, spec, NULL, value, size, NULL, err), err);
  apikeys_key_spec_free(spec);
  apikeys_organization_free(acme);
  apikeys_actor_free(system);
}

int main(void) {
  apikeys_error *err = apikeys_error_new();
  apikeys_env *env;
  char value[APIKEYS_VALUE_MAX], good[APIKEYS_VALUE_MAX + 8], twice[2 * APIKEYS_VALUE_MAX + 16];
  must(apikeys_open_memory(&env, NULL, err), err);
  populate(env, err, value, sizeof value);
  for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
    routes[i].need = apikeys_requirement_new();
    must(apikeys_requirement_add_permission(routes[i].need, S(routes[i].permission)), err);
  }

  snprintf(good, sizeof good, "Bearer %s", value);
  snprintf(twice, sizeof twice, "Bearer %s %s", value, value);
  const struct request requests[] = {
      {"GET /posts", good},  {"POST /posts", good},         {"GET /posts", NULL},
      {"GET /posts", twice}, {"GET /posts", "Bearer sk_x"}, {"DELETE /posts", good},
  };
  static const int expected[] = {200, 403, 401, 401, 401, 404};
  enum { REQUESTS = sizeof requests / sizeof requests[0] };
  struct server servers[2] = {{env, requests, REQUESTS, {0}}, {env, requests, REQUESTS, {0}}};
  pthread_t threads[2];
  for (int i = 0; i < 2; i++)
    if (pthread_create(&threads[i], NULL, serve, &servers[i]) != 0)
      return 1;
  for (int i = 0; i < 2; i++)
    pthread_join(threads[i], NULL);

  int wrong = 0;
  for (int i = 0; i < REQUESTS; i++) {
    printf("%-14s %-12.12s -> %d\n", requests[i].method_and_path,
           requests[i].authorization != NULL ? requests[i].authorization : "(none)",
           servers[0].statuses[i]);
    wrong += servers[0].statuses[i] != expected[i] || servers[1].statuses[i] != expected[i];
  }
  for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
    apikeys_requirement_free(routes[i].need);
  apikeys_close(env);
  apikeys_error_free(err);
  return wrong == 0 ? 0 : 1;
}
