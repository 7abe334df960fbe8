/* SPDX-License-Identifier: MIT */
/*
 * A store of one's own, as small as one can be: an array of records under one mutex, on the public
 * headers alone. It keeps nothing on disk and looks at every record for every question; but it is
 * whole, and passes the suite that all back-ends have to pass (tests/storage/). Start from it, and
 * replace the array by what you have.
 *
 * What a back-end must know is in <apikeys/storage.h>. What it need not know is what the records
 * mean: apikeys_query_matches() says which ones are asked for, apikeys_record_index_key() in which
 * order, and which ones may not be there twice.
 */
#include <apikeys.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KINDS_MAX = 64, WAIT_SECONDS = 5 };

/* The store: `self` of every slot. */
struct array_store {
  pthread_mutex_t mutex; /* held by the one transaction that is open */
  apikeys_record **records;
  size_t count;
  size_t capacity;
  int64_t last_number[KINDS_MAX]; /* by kind; never goes back, so that no number comes again */
};

/* One step of a write transaction, so that it can be undone. NULL: was not there, is not there. */
struct change {
  apikeys_record *before;
  apikeys_record *after;
};

/* The library passes this type through and never looks inside: it is ours to complete. */
struct apikeys_transaction {
  int mode;
  struct change *changes;
  size_t count;
  size_t capacity;
};

/* ------------------------------------------------------------------------- transactions ------ */

/*
 * One transaction at a time, readers too: then every isolation that is asked for comes by itself.
 * Waiting has to end, so that a caller gets APIKEYS_ERROR_BUSY and not a deadlock.
 */
static int array_begin(void *self, int mode, apikeys_transaction **transaction) {
  struct array_store *store = self;
  struct timespec until;
  apikeys_transaction *made = calloc(1, sizeof *made);
  if (made == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  made->mode = mode;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += WAIT_SECONDS;
  if (pthread_mutex_timedlock(&store->mutex, &until) != 0) {
    free(made);
    return APIKEYS_ERROR_BUSY;
  }
  *transaction = made;
  return APIKEYS_OK;
}

static void end(struct array_store *store, apikeys_transaction *transaction) {
  free(transaction->changes);
  free(transaction);
  pthread_mutex_unlock(&store->mutex);
}

static int array_commit(void *self, apikeys_transaction *transaction) {
  for (size_t i = 0; i < transaction->count; i++)
    apikeys_record_free(transaction->changes[i].before);
  end(self, transaction);
  return APIKEYS_OK;
}

/* Takes `before` out and puts `after` in. The places in the array have no meaning. */
static void replace(struct array_store *store, const apikeys_record *before,
                    apikeys_record *after) {
  size_t at = store->count;
  if (before != NULL)
    for (at = 0; store->records[at] != before; at++)
      ;
  else
    store->count++;
  if (after != NULL)
    store->records[at] = after;
  else
    store->records[at] = store->records[--store->count];
}

static void array_rollback(void *self, apikeys_transaction *transaction) {
  while (transaction->count > 0) {
    struct change *change = &transaction->changes[--transaction->count];
    replace(self, change->after, change->before);
    apikeys_record_free(change->after);
  }
  end(self, transaction);
}

/* ----------------------------------------------------------------------------- changes ------- */

/* Room for one more step and one more record first: then nothing can fail half-way. */
static int make_room(struct array_store *store, apikeys_transaction *transaction) {
  if (store->count == store->capacity) {
    size_t capacity = 2 * store->capacity + 16;
    apikeys_record **records = realloc(store->records, capacity * sizeof *records);
    if (records == NULL)
      return APIKEYS_ERROR_NO_MEMORY;
    store->records = records;
    store->capacity = capacity;
  }
  if (transaction->count == transaction->capacity) {
    size_t capacity = 2 * transaction->capacity + 16;
    struct change *changes = realloc(transaction->changes, capacity * sizeof *changes);
    if (changes == NULL)
      return APIKEYS_ERROR_NO_MEMORY;
    transaction->changes = changes;
    transaction->capacity = capacity;
  }
  return APIKEYS_OK;
}

/* A rollback puts back what was removed: the array keeps the room for that, as it never shrinks. */
static int change(struct array_store *store, apikeys_transaction *transaction,
                  apikeys_record *before, apikeys_record *after) {
  int rc = make_room(store, transaction);
  if (rc != APIKEYS_OK)
    return rc;
  replace(store, before, after);
  transaction->changes[transaction->count++] = (struct change){before, after};
  return APIKEYS_OK;
}

static apikeys_record *find_number(const struct array_store *store, int kind, int64_t number) {
  for (size_t i = 0; i < store->count; i++)
    if (apikeys_record_kind(store->records[i]) == kind &&
        apikeys_record_integer(store->records[i], 0) == number)
      return store->records[i];
  return NULL;
}

/* Another record than `except` that has the same entry in that index; NULL if there is none. */
static apikeys_record *find_entry(const struct array_store *store, const apikeys_record *record,
                                  int index, const apikeys_record *except) {
  unsigned char mine[APIKEYS_INDEX_KEY_MAX], other[APIKEYS_INDEX_KEY_MAX];
  size_t mine_length, other_length;
  if (apikeys_record_index_key(record, index, mine, sizeof mine, &mine_length) != APIKEYS_OK)
    return NULL; /* it is in no such index */
  for (size_t i = 0; i < store->count; i++) {
    apikeys_record *there = store->records[i];
    if (there != except && apikeys_record_kind(there) == apikeys_record_kind(record) &&
        apikeys_record_index_key(there, index, other, sizeof other, &other_length) == APIKEYS_OK &&
        mine_length == other_length && memcmp(mine, other, mine_length) == 0)
      return there;
  }
  return NULL;
}

/* Puts a copy of the record in the place of `before`, unless a unique index forbids it. */
static int put(struct array_store *store, apikeys_transaction *transaction,
               const apikeys_record *record, apikeys_record *before) {
  int kind = apikeys_record_kind(record);
  for (int i = 0; i < apikeys_schema_index_count(kind); i++)
    if (apikeys_schema_index_unique(kind, i) && find_entry(store, record, i, before) != NULL)
      return APIKEYS_ERROR_EXISTS;
  apikeys_record *after = apikeys_record_new(kind);
  int rc = after != NULL ? apikeys_record_copy(after, record) : APIKEYS_ERROR_NO_MEMORY;
  if (rc == APIKEYS_OK)
    rc = change(store, transaction, before, after);
  if (rc != APIKEYS_OK)
    apikeys_record_free(after);
  return rc;
}

static int array_insert(void *self, apikeys_transaction *transaction, apikeys_record *record) {
  struct array_store *store = self;
  int kind = apikeys_record_kind(record);
  if (transaction->mode != APIKEYS_TRANSACTION_WRITE || kind >= KINDS_MAX)
    return APIKEYS_ERROR_READ_ONLY;
  int rc = apikeys_record_set_integer(record, 0, store->last_number[kind] + 1);
  if (rc == APIKEYS_OK)
    rc = put(store, transaction, record, NULL);
  if (rc == APIKEYS_OK)
    store->last_number[kind]++;
  return rc;
}

static int array_update(void *self, apikeys_transaction *transaction,
                        const apikeys_record *record) {
  apikeys_record *before =
      find_number(self, apikeys_record_kind(record), apikeys_record_integer(record, 0));
  if (transaction->mode != APIKEYS_TRANSACTION_WRITE)
    return APIKEYS_ERROR_READ_ONLY;
  return before != NULL ? put(self, transaction, record, before) : APIKEYS_ERROR_NOT_FOUND;
}

static int array_remove(void *self, apikeys_transaction *transaction, int kind, int64_t number) {
  apikeys_record *before = find_number(self, kind, number);
  if (transaction->mode != APIKEYS_TRANSACTION_WRITE)
    return APIKEYS_ERROR_READ_ONLY;
  return before != NULL ? change(self, transaction, before, NULL) : APIKEYS_ERROR_NOT_FOUND;
}

/* Insert, or let one number of the record that has this id grow. It never goes back. */
static int array_raise(void *self, apikeys_transaction *transaction, const apikeys_record *record,
                       int field) {
  apikeys_record *before = find_entry(self, record, 0, NULL);
  apikeys_record *copy = apikeys_record_new(apikeys_record_kind(record));
  if (copy == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  int rc = apikeys_record_copy(copy, before != NULL ? before : record);
  if (rc == APIKEYS_OK && before == NULL) {
    rc = array_insert(self, transaction, copy);
  } else if (rc == APIKEYS_OK) {
    int64_t value = apikeys_record_integer(record, field);
    if (value > apikeys_record_integer(before, field)) {
      rc = apikeys_record_set_integer(copy, field, value);
      if (rc == APIKEYS_OK)
        rc = array_update(self, transaction, copy);
    }
  }
  apikeys_record_free(copy);
  return rc;
}

/* ----------------------------------------------------------------------------- reading ------- */

/* A record that was asked for, and its place in the order of the query's index. */
struct match {
  const apikeys_record *record;
  unsigned char key[APIKEYS_INDEX_KEY_MAX];
  size_t length;
};

static int compare_matches(const void *left, const void *right) {
  const struct match *a = left, *b = right;
  int order = memcmp(a->key, b->key, a->length < b->length ? a->length : b->length);
  return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

/* apikeys_query_matches() is where organizations are kept apart: no record may pass beside it. */
static uint64_t count_matches(const struct array_store *store, const apikeys_query *query) {
  uint64_t count = 0;
  for (size_t i = 0; i < store->count; i++)
    count += apikeys_query_matches(query, store->records[i]) != 0;
  return count;
}

static int array_count(void *self, apikeys_transaction *transaction, const apikeys_query *query,
                       uint64_t *count) {
  (void)transaction;
  *count = count_matches(self, query);
  return APIKEYS_OK;
}

static int collect(const struct array_store *store, const apikeys_query *query,
                   struct match *matches) {
  size_t found = 0;
  for (size_t i = 0; i < store->count; i++) {
    if (!apikeys_query_matches(query, store->records[i]))
      continue;
    struct match *match = &matches[found++];
    match->record = store->records[i];
    int rc = apikeys_record_index_key(match->record, apikeys_query_index(query), match->key,
                                      sizeof match->key, &match->length);
    if (rc != APIKEYS_OK)
      return rc;
  }
  qsort(matches, found, sizeof *matches, compare_matches);
  return APIKEYS_OK;
}

static int array_scan(void *self, apikeys_transaction *transaction, const apikeys_query *query,
                      apikeys_visitor visit, void *visit_data) {
  (void)transaction;
  size_t count = (size_t)count_matches(self, query), limit = apikeys_query_limit(query);
  if (count == 0)
    return APIKEYS_OK;
  struct match *matches = calloc(count, sizeof *matches);
  if (matches == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  int rc = collect(self, query, matches);
  /* What the visitor answers ends the scan, and is what the scan answers. */
  for (size_t i = 0; rc == 0 && i < count && (limit == 0 || i < limit); i++)
    rc = visit(matches[apikeys_query_descending(query) ? count - 1 - i : i].record, visit_data);
  free(matches);
  return rc;
}

/* The first of a scan. */
struct first {
  apikeys_record *out;
  int rc;
};

static int copy_first(const apikeys_record *record, void *visit_data) {
  struct first *first = visit_data;
  first->rc = apikeys_record_copy(first->out, record);
  return 1; /* enough */
}

static int array_get(void *self, apikeys_transaction *transaction, const apikeys_query *query,
                     apikeys_record *out) {
  struct first first = {.out = out};
  int rc = array_scan(self, transaction, query, copy_first, &first);
  if (rc == APIKEYS_OK)
    return APIKEYS_ERROR_NOT_FOUND;
  return rc == 1 ? first.rc : rc;
}

/* ------------------------------------------------------------------------ putting together --- */

static void array_destroy(void *self) {
  struct array_store *store = self;
  for (size_t i = 0; i < store->count; i++)
    apikeys_record_free(store->records[i]);
  free(store->records);
  pthread_mutex_destroy(&store->mutex);
  free(store);
}

static int array_store_open(apikeys_storage *out) {
  struct array_store *store = calloc(1, sizeof *store);
  if (store == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  if (pthread_mutex_init(&store->mutex, NULL) != 0) {
    free(store);
    return APIKEYS_ERROR_NO_MEMORY;
  }
  /* No capabilities: not durable, one process. No backup, nothing to do before a fork. */
  *out = (apikeys_storage){.struct_size = sizeof *out,
                           .self = store,
                           .destroy = array_destroy,
                           .begin = array_begin,
                           .commit = array_commit,
                           .rollback = array_rollback,
                           .get = array_get,
                           .insert = array_insert,
                           .update = array_update,
                           .remove = array_remove,
                           .count = array_count,
                           .scan = array_scan,
                           .raise = array_raise};
  return APIKEYS_OK;
}

/* ------------------------------------------------------------------------------ its use ------ */

#define S(text) (text), strlen(text)

static apikeys_error *err;

/* Example programs may give up; the library never does. */
static void must(int rc, const char *what) {
  if (rc == APIKEYS_OK)
    return;
  fprintf(stderr, "%s: %s\n", what, apikeys_error_message(err));
  exit(EXIT_FAILURE);
}

static void create_key(apikeys_env *env, const apikeys_actor *actor, char *value, size_t size) {
  apikeys_permission *permission = apikeys_permission_new();
  must(apikeys_permission_set_slug(permission, S("posts:read")), "slug");
  must(apikeys_permission_set_name(permission, S("Read posts")), "name");
  must(apikeys_permission_set_available_to_organization_keys(permission, 1), "available");
  must(apikeys_permission_create(env, actor, permission, err), "create permission");
  apikeys_permission_free(permission);

  apikeys_organization *organization = apikeys_organization_new();
  must(apikeys_organization_set_name(organization, S("Acme Corp")), "name");
  must(apikeys_organization_create(env, actor, organization, err), "create organization");

  apikeys_key_spec *spec = apikeys_key_spec_new();
  const char *id = apikeys_organization_id(organization, NULL);
  must(apikeys_key_spec_set_organization(spec, S(id)), "owner");
  must(apikeys_key_spec_set_name(spec, S("CI deploys")), "name");
  must(apikeys_key_spec_add_permission(spec, S("posts:read")), "permission");
  size_t length = 0;
  must(apikeys_key_create(env, actor, spec, NULL, value, size, &length, err), "create key");
  apikeys_key_spec_free(spec);
  apikeys_organization_free(organization);
}

int main(void) {
  err = apikeys_error_new();
  apikeys_storage storage;
  must(array_store_open(&storage), "store");

  /* The root key belongs elsewhere; this environment ends with the program. */
  apikeys_options *options = apikeys_options_new();
  must(apikeys_options_set_root_key_in_store(options, 1), "root key");
  apikeys_env *env = NULL;
  must(apikeys_open_storage(&env, &storage, options, err), "open"); /* takes the store over */
  apikeys_options_free(options);

  apikeys_actor *actor = apikeys_actor_new();
  must(apikeys_actor_set_system(actor, S("custom storage example")), "actor");
  char value[APIKEYS_VALUE_MAX];
  create_key(env, actor, value, sizeof value);

  apikeys_key *key = apikeys_key_new();
  must(apikeys_validate(env, S(value), NULL, NULL, key, err), "validate");
  printf("valid:   %s, \"%s\"\n", apikeys_key_id(key, NULL), apikeys_key_name(key, NULL));

  const char *id = apikeys_key_id(key, NULL);
  must(apikeys_key_revoke(env, actor, S(id), S("the example is over"), NULL, err), "revoke");
  int rc = apikeys_validate(env, S(value), NULL, NULL, NULL, err);
  printf("revoked: %d %s\n", apikeys_result_status(rc), apikeys_result_name(rc));

  apikeys_key_free(key);
  apikeys_actor_free(actor);
  apikeys_close(env); /* and the store with it */
  apikeys_error_free(err);
  return rc == APIKEYS_REVOKED ? EXIT_SUCCESS : EXIT_FAILURE;
}
