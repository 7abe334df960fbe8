/* SPDX-License-Identifier: MIT */
/*
 * A store of many keys, made by apikeys_key_create() and nothing else: real values, real seals, a
 * real event for each key. What is not real is the waiting: a back-end around SQLite's commits once
 * in many creates, so that a million keys do not take a million flushes of the disk.
 */
#include "bench.h"

#include <apikeys.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define S(text) (text), strlen(text)

enum { CREATES_A_COMMIT = 20000, KEYS_AN_ORGANIZATION = 1000 };

/* -- The back-end that commits late ------------------------------------------------------------ */

struct late {
  apikeys_storage inner;
  apikeys_transaction *open; /* a write transaction that lives on */
  int commits;
};

static int flush(struct late *late) {
  apikeys_transaction *transaction = late->open;
  late->open = NULL;
  late->commits = 0;
  return transaction != NULL ? late->inner.commit(late->inner.self, transaction) : 0;
}

static void on_destroy(void *self) {
  struct late *late = self;
  late->inner.destroy(late->inner.self);
}

static int on_begin(void *self, int mode, apikeys_transaction **transaction) {
  struct late *late = self;
  if (late->open == NULL) {
    if (mode != APIKEYS_TRANSACTION_WRITE)
      return late->inner.begin(late->inner.self, mode, transaction);
    int rc = late->inner.begin(late->inner.self, mode, &late->open);
    if (rc != 0)
      return rc;
  }
  *transaction = late->open;
  return 0;
}

static int on_commit(void *self, apikeys_transaction *transaction) {
  struct late *late = self;
  if (transaction != late->open)
    return late->inner.commit(late->inner.self, transaction);
  return ++late->commits < CREATES_A_COMMIT ? 0 : flush(late);
}

static void on_rollback(void *self, apikeys_transaction *transaction) {
  struct late *late = self;
  late->inner.rollback(late->inner.self, transaction);
  if (transaction == late->open)
    late->open = NULL;
}

static int on_get(void *self, apikeys_transaction *transaction, const apikeys_query *query,
                  apikeys_record *out) {
  struct late *late = self;
  return late->inner.get(late->inner.self, transaction, query, out);
}

static int on_insert(void *self, apikeys_transaction *transaction, apikeys_record *record) {
  struct late *late = self;
  return late->inner.insert(late->inner.self, transaction, record);
}

static int on_update(void *self, apikeys_transaction *transaction, const apikeys_record *record) {
  struct late *late = self;
  return late->inner.update(late->inner.self, transaction, record);
}

static int on_remove(void *self, apikeys_transaction *transaction, int kind, int64_t number) {
  struct late *late = self;
  return late->inner.remove(late->inner.self, transaction, kind, number);
}

static int on_count(void *self, apikeys_transaction *transaction, const apikeys_query *query,
                    uint64_t *count) {
  struct late *late = self;
  return late->inner.count(late->inner.self, transaction, query, count);
}

static int on_scan(void *self, apikeys_transaction *transaction, const apikeys_query *query,
                   apikeys_visitor visit, void *visit_data) {
  struct late *late = self;
  return late->inner.scan(late->inner.self, transaction, query, visit, visit_data);
}

static int on_raise(void *self, apikeys_transaction *transaction, const apikeys_record *record,
                    int field) {
  struct late *late = self;
  return late->inner.raise(late->inner.self, transaction, record, field);
}

static void wrap(struct late *late, apikeys_storage *out) {
  *out = (apikeys_storage){.struct_size = sizeof *out,
                           .capabilities = late->inner.capabilities,
                           .self = late,
                           .destroy = on_destroy,
                           .begin = on_begin,
                           .commit = on_commit,
                           .rollback = on_rollback,
                           .get = on_get,
                           .insert = on_insert,
                           .update = on_update,
                           .remove = on_remove,
                           .count = on_count,
                           .scan = on_scan,
                           .raise = on_raise};
}

/* -- Keys -------------------------------------------------------------------------------------- */

static void must(int rc, apikeys_error *err) {
  if (rc != 0)
    bench_fail("%s", apikeys_error_message(err));
}

static void add_permissions(apikeys_env *env, const apikeys_actor *actor, apikeys_error *err) {
  static const char *const slugs[] = {BENCH_PERMISSION, "posts:write", "comments:read"};
  for (size_t i = 0; i < sizeof slugs / sizeof slugs[0]; i++) {
    apikeys_permission *permission = apikeys_permission_new();
    apikeys_permission_set_slug(permission, S(slugs[i]));
    apikeys_permission_set_name(permission, S(slugs[i]));
    apikeys_permission_set_available_to_organization_keys(permission, 1);
    must(apikeys_permission_create(env, actor, permission, err), err);
    apikeys_permission_free(permission);
  }
}

static void add_organization(apikeys_env *env, const apikeys_actor *actor, size_t i, char *id,
                             size_t size, apikeys_error *err) {
  char name[40];
  apikeys_organization *organization = apikeys_organization_new();
  snprintf(name, sizeof name, "Customer %zu", i);
  apikeys_organization_set_name(organization, S(name));
  must(apikeys_organization_create(env, actor, organization, err), err);
  snprintf(id, size, "%s", apikeys_organization_id(organization, NULL));
  apikeys_organization_free(organization);
}

apikeys_key_spec *bench_key_spec(const char *organization_id) {
  apikeys_key_spec *spec = apikeys_key_spec_new();
  apikeys_key_spec_set_organization(spec, S(organization_id));
  apikeys_key_spec_set_name(spec, S("CI deploys"));
  apikeys_key_spec_add_permission(spec, S(BENCH_PERMISSION));
  apikeys_key_spec_add_permission(spec, S("comments:read"));
  return spec;
}

/* Half of all keys are one customer's, a thousand each are the others'. */
static bool next_organization(size_t i, size_t count) {
  return i == 0 || (i >= count / 2 && (i - count / 2) % KEYS_AN_ORGANIZATION == 0);
}

static void add_keys(apikeys_env *env, const apikeys_actor *actor, struct bench_set *set,
                     apikeys_error *err) {
  char organization_id[64], value[APIKEYS_VALUE_MAX];
  apikeys_key_spec *spec = NULL;
  size_t length;
  add_permissions(env, actor, err);
  for (size_t i = 0; i < set->count; i++) {
    if (next_organization(i, set->count)) {
      add_organization(env, actor, i, organization_id, sizeof organization_id, err);
      apikeys_key_spec_free(spec);
      spec = bench_key_spec(organization_id);
    }
    must(apikeys_key_create(env, actor, spec, NULL, value, sizeof value, &length, err), err);
    bench_set_put(set, i, value, length);
    if (set->count > 1000000 && i % 1000000 == 0)
      fprintf(stderr, "  %zu keys\n", i);
  }
  apikeys_key_spec_free(spec);
}

void bench_make_store(const char *path, struct bench_set *set) {
  struct late late = {0};
  apikeys_storage storage;
  apikeys_env *env;
  char root[4200];
  apikeys_error *err = apikeys_error_new();
  apikeys_options *options = apikeys_options_new();
  apikeys_actor *actor = apikeys_actor_new();
  snprintf(root, sizeof root, "%s.root", path);
  apikeys_options_set_root_key_file(options, root);
  must(apikeys_actor_set_system(actor, S("benchmark")), err);
  must(apikeys_storage_sqlite(&late.inner, path, -1, err), err);
  wrap(&late, &storage);
  must(apikeys_open_storage(&env, &storage, options, err), err);
  add_keys(env, actor, set, err);
  if (flush(&late) != 0)
    bench_fail("the last commit failed");
  apikeys_close(env);
  apikeys_actor_free(actor);
  apikeys_options_free(options);
  apikeys_error_free(err);
}

void bench_fill(const struct bench_options *options) {
  char store[4096], values[4096];
  struct bench_set set;
  bench_path(store, sizeof store, options, "keys.db");
  bench_path(values, sizeof values, options, "values");
  mkdir(options->directory, 0700);
  if (access(values, F_OK) == 0)
    return;
  bench_set_make(&set, options->keys, 60);
  bench_make_store(store, &set);
  bench_set_save(&set, values); /* last: a store with values is a whole one */
  bench_set_release(&set);
}

/* -- In memory, and values that are refused ---------------------------------------------------- */

struct apikeys_env *bench_fill_memory(struct bench_set *set, size_t count) {
  apikeys_env *env;
  apikeys_error *err = apikeys_error_new();
  apikeys_actor *actor = apikeys_actor_new();
  apikeys_options *options = apikeys_options_new();
  apikeys_options_set_cache_keys(options, bench_cache_keys(count));
  must(apikeys_actor_set_system(actor, S("benchmark")), err);
  must(apikeys_open_memory(&env, options, err), err);
  bench_set_make(set, count, 60);
  add_keys(env, actor, set, err);
  apikeys_options_free(options);
  apikeys_actor_free(actor);
  apikeys_error_free(err);
  return env;
}

void bench_strangers(struct bench_set *set, size_t count) {
  apikeys_close(bench_fill_memory(set, count));
}

void bench_damaged(struct bench_set *set, const struct bench_set *from) {
  bench_set_make(set, from->count, 60);
  for (size_t i = 0; i < from->count; i++) {
    char text[64];
    const unsigned char *entry = from->bytes + i * from->stride;
    size_t length = bench_length(entry), at = 20 + i % 30;
    memcpy(text, bench_text(entry), length);
    text[at] = text[at] == 'x' ? 'y' : 'x';
    bench_set_put(set, i, text, length);
  }
}
