/* SPDX-License-Identifier: MIT */
/* A program on a library that was built without SQLite: memory works, SQLite is UNSUPPORTED. */
#include <apikeys.h>

#include <stdio.h>
#include <string.h>

int main(void) {
  apikeys_error *err = apikeys_error_new();
  apikeys_env *env = NULL;
  int rc = apikeys_open_sqlite(&env, "keys.db", NULL, err);
  if (rc != APIKEYS_ERROR_UNSUPPORTED || env != NULL ||
      strstr(apikeys_error_message(err), "SQLite") == NULL) {
    printf("open_sqlite: %d, %s\n", rc, apikeys_error_message(err));
    return 1;
  }
  rc = apikeys_open_memory(&env, NULL, err);
  if (rc != APIKEYS_OK) {
    printf("open_memory: %d, %s\n", rc, apikeys_error_message(err));
    return 1;
  }
  rc = apikeys_validate(env, "x", 1, NULL, NULL, NULL, err);
  apikeys_close(env);
  apikeys_error_free(err);
  return rc == APIKEYS_MALFORMED ? 0 : 1;
}
