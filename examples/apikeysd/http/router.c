/* SPDX-License-Identifier: MIT */
#include "http/router.h"

#include "authenticate.h"
#include "config.h"
#include "dashboard/origin_check.h"
#include "http/client_address.h"
#include "http/name_check.h"
#include "http/reply.h"
#include "service.h"
#include "widget/cors.h"

#include <string.h>

/* One segment of a path or a pattern: up to the next slash. */
struct segment {
  const char *text;
  size_t length;
};

static bool next_segment(const char **rest, struct segment *out) {
  if (**rest != '/')
    return false;
  out->text = *rest + 1;
  out->length = strcspn(out->text, "/");
  *rest = out->text + out->length;
  return true;
}

/* Is the path of this pattern? Arguments are left as they were sent, to be decoded if it is. */
static bool matches(const char *pattern, const char *path, struct pairs *arguments) {
  struct segment wanted, got;
  arguments->count = 0;
  while (next_segment(&pattern, &wanted)) {
    if (!next_segment(&path, &got))
      return false;
    if (wanted.length > 0 && wanted.text[0] == '*') {
      arguments->at[arguments->count++] =
          (struct pair){wanted.text + 1, got.text, strlen(got.text)};
      return true;
    }
    if (wanted.length > 0 && wanted.text[0] == ':') {
      if (got.length == 0 || arguments->count == EXCHANGE_ARGUMENTS_MAX)
        return false;
      arguments->at[arguments->count++] = (struct pair){wanted.text + 1, got.text, got.length};
    } else if (wanted.length != got.length || memcmp(wanted.text, got.text, got.length) != 0) {
      return false;
    }
  }
  return *path == '\0';
}

static const char *method_name(enum method method) {
  static const char *const names[] = {NULL, "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  return names[method];
}

/* The route, or NULL; `allowed` is then what other methods that path takes. */
static const struct route *find_route(struct exchange *x, const char *path, char *allowed,
                                      size_t size) {
  size_t used = 0;
  allowed[0] = '\0';
  for (const struct route *const *table = route_tables; *table != NULL; table++) {
    for (const struct route *route = *table; route->pattern != NULL; route++) {
      if (!matches(route->pattern, path, &x->arguments))
        continue;
      if (route->method == x->method)
        return route;
      const char *name = method_name(route->method);
      if (used + strlen(name) + 3 < size && strstr(allowed, name) == NULL) {
        if (used > 0) {
          memcpy(allowed + used, ", ", 3);
          used += 2;
        }
        memcpy(allowed + used, name, strlen(name) + 1);
        used += strlen(name);
      }
    }
  }
  return NULL;
}

/* ":organization/api_keys" names "organization": the pattern's name ends at its slash. */
static bool decode_arguments(struct exchange *x) {
  for (size_t i = 0; i < x->arguments.count; i++) {
    struct pair *argument = &x->arguments.at[i];
    argument->name = exchange_copy(x, argument->name, strcspn(argument->name, "/"));
    if (argument->name == NULL ||
        !exchange_decode_segment(x, argument->text, argument->length, argument))
      return false;
  }
  return true;
}

static bool let_in(struct exchange *x, bool from_dashboard) {
  enum access access = x->route->access;
  if (from_dashboard)
    access = access == ACCESS_MANAGEMENT ? ACCESS_SESSION : ACCESS_NOBODY;
  switch (access) {
  case ACCESS_PUBLIC:
    return true;
  case ACCESS_MANAGEMENT:
    return authenticate_management(x);
  case ACCESS_WIDGET:
    return authenticate_widget(x);
  case ACCESS_SESSION:
    return authenticate_session(x);
  default:
    reply_error(x, 403, "forbidden", "Nobody may do this.");
    return false;
  }
}

/*
 * The dashboard's pages use the REST API itself, under a path of their own: what asks for a
 * management key there asks for a session here, and nothing else is reachable.
 */
static const char *path_to_match(const struct exchange *x, bool *from_dashboard) {
  static const char prefix[] = "/dashboard/api/";
  *from_dashboard = strncmp(x->path, prefix, sizeof prefix - 1) == 0;
  return *from_dashboard ? x->path + sizeof prefix - 2 : x->path;
}

bool router_may_wait(const struct exchange *x) {
  static const char dashboard[] = "/dashboard/api/";
  static const char *const reads[] = {"/api_keys/validations", "/api_keys/lookups"};
  if (strncmp(x->path, dashboard, sizeof dashboard - 1) == 0)
    return true;
  for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++)
    if (strcmp(x->path, reads[i]) == 0)
      return false;
  return x->method != METHOD_GET && x->method != METHOD_OPTIONS;
}

void router_answer(struct exchange *x) {
  char allowed[64];
  bool from_dashboard;
  const char *path = path_to_match(x, &from_dashboard);
  client_address_find(x, &x->service->config->trusted_proxies);
  if (!origin_check_host(x))
    return;
  if (x->method == METHOD_OPTIONS && cors_covers(x)) {
    cors_answer_preflight(x);
    return;
  }
  x->route = find_route(x, path, allowed, sizeof allowed);
  if (x->route == NULL && allowed[0] != '\0') {
    reply_error(x, 405, "method_not_allowed", "The path '%s' does not take this method.", x->path);
    reply_header(x, "Allow", allowed);
  } else if (x->route == NULL) {
    reply_error(x, 404, "not_found", "The requested path '%s' could not be found.", x->path);
  } else if (!decode_arguments(x)) {
    reply_error(x, 400, "bad_path", "The path is not well encoded.");
  } else if (let_in(x, from_dashboard) && name_check_request(x)) {
    x->route->handle(x);
    if (x->status == 0) /* a handler that forgot: never an empty good answer */
      reply_error(x, 500, "internal", "The service made no answer.");
  }
}
