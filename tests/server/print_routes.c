/* SPDX-License-Identifier: MIT */
/*
 * Every route of the service, a line each: method, pattern, and who is let in. With an argument,
 * the names that the routes know: method, pattern, query, body, unused, with tabs between them.
 */
#include "http/router.h"
#include "known_names.h"

#include <stdio.h>

static const char *or_none(const char *names) {
  return names != NULL ? names : "";
}

static int print_names(const char *const *methods) {
  for (const struct known_names *row = known_names; row->pattern != NULL; row++)
    printf("%s\t%s\t%s\t%s\t%s\n", methods[row->method], row->pattern, or_none(row->query),
           or_none(row->body), or_none(row->unused));
  return 0;
}

int main(int argc, char **argv) {
  (void)argv;
  static const char *const methods[] = {"", "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  static const char *const access[] = {"nobody", "public", "management", "widget", "session"};
  if (argc > 1)
    return print_names(methods);
  for (const struct route *const *table = route_tables; *table != NULL; table++)
    for (const struct route *route = *table; route->pattern != NULL; route++)
      printf("%s %s %s\n", methods[route->method], route->pattern, access[route->access]);
  return 0;
}
