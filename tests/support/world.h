/* SPDX-License-Identifier: MIT */
/*
 * A small world to test in: an environment on either back-end, with a clock that the test sets and
 * an actor of the system. Helpers that must succeed fail the test otherwise.
 */
#ifndef WORLD_H
#define WORLD_H

#include <apikeys.h>
#include <check.h>

#include <string.h>

#define S(text) (text), strlen(text)

enum backend { BACKEND_MEMORY, BACKEND_SQLITE, BACKEND_COUNT };

struct world {
  apikeys_env *env;
  apikeys_error *err;
  apikeys_actor *system;
  apikeys_options *options;
  int64_t now_ms; /* what the environment's clock says */
  char directory[64];
  char path[96]; /* of the database; "" in memory */
};

struct made_key {
  char id[64];
  char value[APIKEYS_VALUE_MAX];
};

/* Opens; world_close removes everything again. */
void world_open(struct world *world, enum backend backend);
void world_close(struct world *world);
/* Close and open the same database again (SQLite). */
void world_reopen(struct world *world);

/* Every test that takes a back-end runs on each: tcase_add_loop_test(tc,
 * test, 0, BACKEND_COUNT). */

void make_permission(struct world *world, const char *slug, int for_organization_keys,
                     int for_user_keys);
/* `permissions`: slugs separated by blanks. */
void make_role(struct world *world, const char *organization_id, const char *slug,
               const char *permissions);
void make_organization(struct world *world, const char *name, char id[64]);
void make_member(struct world *world, const char *organization_id, const char *user_id,
                 const char *role);

/* A specification of an organization's key; `permissions` as above. */
apikeys_key_spec *key_spec(const char *organization_id, const char *name, const char *permissions);
apikeys_key_spec *member_key_spec(const char *organization_id, const char *user_id,
                                  const char *name, const char *permissions);
apikeys_key_spec *management_key_spec(const char *name, const char *scopes);
/* Creates it as the system and frees the specification. */
void make_key(struct world *world, apikeys_key_spec *spec, struct made_key *key);
int try_key(struct world *world, const apikeys_actor *actor, apikeys_key_spec *spec,
            struct made_key *key);

apikeys_actor *member_actor(const char *organization_id, const char *user_id);

/* The result of validating a value, with one required permission unless NULL. */
int validate(struct world *world, const char *value, const char *permission);

/* The number of the newest event, and its type. */
int64_t last_event(struct world *world, char type[64]);

#endif
