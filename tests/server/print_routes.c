/* SPDX-License-Identifier: MIT */
/* Every route of the service, a line each: method, pattern, and who is let in. */
#include "http/router.h"

#include <stdio.h>

int main(void) {
  static const char *const methods[] = {"", "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  static const char *const access[] = {"nobody", "public", "management", "widget", "session"};
  for (const struct route *const *table = route_tables; *table != NULL; table++)
    for (const struct route *route = *table; route->pattern != NULL; route++)
      printf("%s %s %s\n", methods[route->method], route->pattern, access[route->access]);
  return 0;
}
