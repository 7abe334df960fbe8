/* SPDX-License-Identifier: MIT */
/* What tests of keys and events do again and again in a world; all of it must succeed. */
#ifndef DEEDS_H
#define DEEDS_H

#include "world.h"

/* ok(world, apikeys_…(…, world->err)): fails the test with the error's message. */
#define ok(world, call) must_be_ok((world), (call), #call)
void must_be_ok(struct world *world, int rc, const char *what);

enum { HOUR_MS = 3600 * 1000, DAY_MS = 24 * HOUR_MS };

/* The world of most tests: posts:read and posts:write for every key, posts:hidden for none. */
void make_posts(struct world *world);

typedef int (*setting)(apikeys_settings *, int64_t);
typedef int (*setting_flag)(apikeys_settings *, int);
typedef int (*setting_text)(apikeys_settings *, const char *, size_t);
void change_setting(struct world *world, setting set, int64_t value);
void change_flag(struct world *world, setting_flag set, int value);
void change_text(struct world *world, setting_text set, const char *text);

/* Freed by the caller. */
apikeys_key *get_key(struct world *world, const char *id);
apikeys_event *get_last_event(struct world *world);
apikeys_page *list_all_events(struct world *world);
apikeys_actor *management_actor(struct world *world, const char *scopes, struct made_key *key);
apikeys_requirement *requirement(const char *permission);

int revoke_key(struct world *world, const char *id, const char *reason);
int expire_key(struct world *world, const char *id, int64_t at_ms);
void set_status(struct world *world, const char *organization_id, const char *user_id, int status);
void set_role_permissions(struct world *world, const char *slug, const char *permissions);

/* Another value with the same lookup id, well-formed, whose secret is not the key's. */
void forge_value(char forged[APIKEYS_VALUE_MAX], const char *value);
/* The 16 public characters of a value. */
void lookup_id_of(char lookup_id[17], const char *value);

/* A file's bytes and one NUL more; freed by the caller. NULL if there is no such file. */
char *read_bytes(const char *path, size_t *length);
int holds_bytes(const char *bytes, size_t length, const char *text, size_t text_length);

/* Runs SQL on the world's database, beside the library; how many rows changed. */
int run_sql(struct world *world, const char *sql);

#endif
