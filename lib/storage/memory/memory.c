/* SPDX-License-Identifier: MIT */
/*
 * The memory back-end: records as bytes, each linked into one ordered tree for every index of its
 * kind. Readers share the store, a writer has it alone; what a write transaction did is undone, if
 * it must be, by taking the same steps back, none of which can fail.
 */
#include <apikeys/storage.h>

#include "storage/memory/changes.h"

#include "base/error.h"
#include "base/fork_guard.h"
#include "base/monotonic.h"
#include "crypto/crypto.h"
#include "storage/record.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 5000 }; /* for the store, before a transaction is told that it is busy */

/* ------------------------------------------------------------------------------- the gate ----- */

/*
 * Many readers or one writer. A writer that waits is let in before readers that come after it; the
 * readers that waited for a writer are let in before the next one; so neither starves the other.
 * (A pthread_rwlock_t promises neither, nor waits by the monotonic clock.)
 */
struct gate {
  pthread_mutex_t mutex;
  pthread_cond_t moved;
  unsigned readers;
  unsigned readers_waiting;
  unsigned writers_waiting;
  unsigned invited; /* readers that come before the next writer */
  bool writing;
};

static int gate_init(struct gate *gate) {
  if (pthread_mutex_init(&gate->mutex, NULL) != 0)
    return APIKEYS_ERROR_NO_MEMORY;
  int rc = ak_monotonic_cond_init(&gate->moved);
  if (rc != APIKEYS_OK)
    pthread_mutex_destroy(&gate->mutex);
  return rc;
}

static bool is_shut(const struct gate *gate, int mode) {
  if (mode == APIKEYS_TRANSACTION_WRITE)
    return gate->writing || gate->readers > 0 || gate->invited > 0;
  return gate->writing || (gate->writers_waiting > 0 && gate->invited == 0);
}

static int wait_until_open(struct gate *gate, int mode) {
  if (!is_shut(gate, mode))
    return APIKEYS_OK;
  const struct timespec until = ak_monotonic_moment(ak_monotonic_ms() + WAIT_MS);
  while (is_shut(gate, mode)) {
    int rc = pthread_cond_timedwait(&gate->moved, &gate->mutex, &until);
    if (rc != 0 && is_shut(gate, mode))
      return rc == ETIMEDOUT ? APIKEYS_ERROR_BUSY : APIKEYS_ERROR_STORAGE;
  }
  return APIKEYS_OK;
}

static int gate_enter(struct gate *gate, int mode) {
  bool writer = mode == APIKEYS_TRANSACTION_WRITE;
  unsigned *waiting = writer ? &gate->writers_waiting : &gate->readers_waiting;
  if (pthread_mutex_lock(&gate->mutex) != 0)
    return APIKEYS_ERROR_STORAGE;
  (*waiting)++;
  int rc = wait_until_open(gate, mode);
  (*waiting)--;
  if (rc != APIKEYS_OK) {
    pthread_cond_broadcast(&gate->moved); /* readers may have waited behind this writer */
  } else if (writer) {
    gate->writing = true;
  } else {
    gate->readers++;
    gate->invited -= gate->invited > 0;
  }
  pthread_mutex_unlock(&gate->mutex);
  return rc;
}

static void gate_leave(struct gate *gate, int mode) {
  pthread_mutex_lock(&gate->mutex);
  if (mode == APIKEYS_TRANSACTION_WRITE) {
    gate->writing = false;
    gate->invited = gate->readers_waiting;
  } else {
    gate->readers--;
  }
  if (gate->readers == 0)
    pthread_cond_broadcast(&gate->moved);
  pthread_mutex_unlock(&gate->mutex);
}

/* ------------------------------------------------------------------------ records and trees --- */

/*
 * A record's place in one tree, which is a treap: ordered by key, and a heap by priority. A hash of
 * the number is the priority, so the tree is as deep as one of records that came in random order.
 */
struct node {
  struct node *left;
  struct node *right;
  struct entry *entry;
  const uint8_t *key; /* NULL: the record is not in this (sparse) index */
  size_t key_length;
  uint32_t priority;
};

/* One record, in one piece of memory: the nodes, behind them their keys, then the record. */
struct entry {
  int kind;
  int64_t number;
  const uint8_t *bytes; /* as apikeys_record_encode() makes them */
  size_t length;
  size_t size; /* of all of it */
  struct node nodes[];
};

/* Beside the schema's indexes, one by number: updates and removals name it. */
enum { BY_NUMBER_KEY = 8 };

struct table {
  int index_count;                        /* of the schema */
  struct node *roots[AK_INDEXES_MAX + 1]; /* the last in use is by number */
  int64_t last_number;                    /* never goes back */
};

/* A step that a write transaction took: `out` went, `in` came; either may be NULL. */
struct step {
  struct entry *out;
  struct entry *in;
};

struct memory_transaction {
  int mode;
  struct step *steps;
  size_t step_count;
  size_t step_capacity;
  apikeys_record *scratch; /* a read transaction's own, made when it is needed */
};

struct memory {
  _Atomic uint64_t process; /* whose it is; 0: prepared for fork, the next user's */
  struct gate gate;
  struct table tables[AK_KIND_END]; /* by kind; the first is not used */
  struct ak_memory_changes changes;
};

static int compare_keys(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length) {
  int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
  if (order != 0)
    return order;
  return a_length < b_length ? -1 : a_length > b_length;
}

static struct node *memory_find(struct node *root, const uint8_t *key, size_t length) {
  while (root != NULL) {
    int order = compare_keys(key, length, root->key, root->key_length);
    if (order == 0)
      return root;
    root = order < 0 ? root->left : root->right;
  }
  return NULL;
}

/* Parts a tree into what is below the key and what is above it. */
static void memory_split(struct node *tree, const struct node *at, struct node **below,
                         struct node **above) {
  while (tree != NULL) {
    if (compare_keys(tree->key, tree->key_length, at->key, at->key_length) < 0) {
      *below = tree;
      below = &tree->right;
      tree = tree->right;
    } else {
      *above = tree;
      above = &tree->left;
      tree = tree->left;
    }
  }
  *below = *above = NULL;
}

static struct node *memory_join(struct node *below, struct node *above) {
  struct node *tree = NULL, **link = &tree;
  while (below != NULL && above != NULL) {
    if (below->priority >= above->priority) {
      *link = below;
      link = &below->right;
      below = below->right;
    } else {
      *link = above;
      link = &above->left;
      above = above->left;
    }
  }
  *link = below != NULL ? below : above;
  return tree;
}

static void link_node(struct node **root, struct node *node) {
  while (*root != NULL && (*root)->priority >= node->priority)
    root = compare_keys(node->key, node->key_length, (*root)->key, (*root)->key_length) < 0
               ? &(*root)->left
               : &(*root)->right;
  memory_split(*root, node, &node->left, &node->right);
  *root = node;
}

static void unlink_node(struct node **root, const struct node *node) {
  while (*root != node)
    root = compare_keys(node->key, node->key_length, (*root)->key, (*root)->key_length) < 0
               ? &(*root)->left
               : &(*root)->right;
  *root = memory_join(node->left, node->right);
}

static void link_entry(struct memory *memory, struct entry *entry) {
  struct table *table = &memory->tables[entry->kind];
  for (int i = 0; i <= table->index_count; i++)
    if (entry->nodes[i].key != NULL)
      link_node(&table->roots[i], &entry->nodes[i]);
}

static void unlink_entry(struct memory *memory, const struct entry *entry) {
  struct table *table = &memory->tables[entry->kind];
  for (int i = 0; i <= table->index_count; i++)
    if (entry->nodes[i].key != NULL)
      unlink_node(&table->roots[i], &entry->nodes[i]);
}

static void free_entry(struct entry *entry) {
  if (entry == NULL)
    return;
  if (ak_kind_holds_secrets(entry->kind))
    ak_wipe(entry, entry->size);
  free(entry);
}

/* -------------------------------------------------------------------------- making entries ---- */

static void number_key(uint8_t key[BY_NUMBER_KEY], int64_t number) {
  for (int i = 0; i < BY_NUMBER_KEY; i++) /* numbers are positive */
    key[i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
}

static uint32_t memory_mix(uint64_t value) { /* splitmix64 */
  value += UINT64_C(0x9e3779b97f4a7c15);
  value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
  return (uint32_t)(value >> 32);
}

/* The lengths of the record's keys, 0 where it has none, and of the whole entry. */
static int measure(const apikeys_record *record, int index_count, size_t lengths[AK_INDEXES_MAX],
                   size_t *size) {
  size_t encoded;
  int rc = apikeys_record_encode(record, NULL, 0, &encoded);
  if (rc != APIKEYS_ERROR_BUFFER_TOO_SMALL)
    return rc < 0 ? rc : APIKEYS_ERROR_INVALID_ARGUMENT;
  *size = sizeof(struct entry) + (size_t)(index_count + 1) * sizeof(struct node) + BY_NUMBER_KEY +
          encoded;
  for (int i = 0; i < index_count; i++) {
    rc = apikeys_record_index_key(record, i, NULL, 0, &lengths[i]);
    if (rc == APIKEYS_ERROR_NOT_FOUND)
      lengths[i] = 0;
    else if (rc != APIKEYS_ERROR_BUFFER_TOO_SMALL)
      return rc;
    *size += lengths[i];
  }
  return APIKEYS_OK;
}

static int make_entry(const struct table *table, const apikeys_record *record,
                      struct entry **made) {
  size_t lengths[AK_INDEXES_MAX], size;
  int count = table->index_count;
  int rc = measure(record, count, lengths, &size);
  if (rc != APIKEYS_OK)
    return rc;
  struct entry *entry = calloc(1, size);
  if (entry == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  entry->kind = record->kind;
  entry->number = apikeys_record_integer(record, AK_NUMBER);
  entry->size = size;
  uint8_t *free_space = (uint8_t *)&entry->nodes[count + 1];
  uint8_t *memory_end = (uint8_t *)entry + size;
  for (int i = 0; i <= count; i++) {
    struct node *node = &entry->nodes[i];
    node->entry = entry;
    node->priority = memory_mix((uint64_t)entry->number * AK_INDEXES_MAX + (uint64_t)i);
    node->key_length = i < count ? lengths[i] : BY_NUMBER_KEY;
    if (node->key_length == 0)
      continue;
    if (i == count)
      number_key(free_space, entry->number);
    else
      apikeys_record_index_key(record, i, free_space, node->key_length, &lengths[i]);
    node->key = free_space;
    free_space += node->key_length;
  }
  entry->bytes = free_space;
  rc = apikeys_record_encode(record, free_space, (size_t)(memory_end - free_space), &entry->length);
  if (rc != APIKEYS_OK) {
    free_entry(entry);
    return rc;
  }
  *made = entry;
  return APIKEYS_OK;
}

static struct entry *find_number(const struct table *table, int64_t number) {
  uint8_t key[BY_NUMBER_KEY];
  number_key(key, number);
  struct node *node = memory_find(table->roots[table->index_count], key, sizeof key);
  return node != NULL ? node->entry : NULL;
}

/* Whether a unique index has another record than `old` in the place of `entry`. */
static bool is_taken(const struct table *table, const struct entry *entry,
                     const struct entry *old) {
  for (int i = 0; i < table->index_count; i++) {
    const struct node *node = &entry->nodes[i];
    if (node->key == NULL || !apikeys_schema_index_unique(entry->kind, i))
      continue;
    const struct node *there = memory_find(table->roots[i], node->key, node->key_length);
    if (there != NULL && there->entry != old)
      return true;
  }
  return false;
}

/* ---------------------------------------------------------------------------- changes --------- */

static struct table *table_of(struct memory *memory, int kind) {
  return ak_schema_kind(kind) != NULL ? &memory->tables[kind] : NULL;
}

/* Room for one more step, before anything is changed. */
static int reserve_step(struct memory_transaction *transaction) {
  if (transaction->step_count < transaction->step_capacity)
    return APIKEYS_OK;
  size_t capacity = transaction->step_capacity > 0 ? 2 * transaction->step_capacity : 8;
  if (capacity > SIZE_MAX / sizeof(struct step))
    return APIKEYS_ERROR_NO_MEMORY;
  struct step *steps = realloc(transaction->steps, capacity * sizeof *steps);
  if (steps == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  transaction->steps = steps;
  transaction->step_capacity = capacity;
  return APIKEYS_OK;
}

/* Cannot fail: the step's room was reserved. */
static void take_step(struct memory *memory, struct memory_transaction *transaction,
                      struct entry *out, struct entry *in) {
  if (out != NULL)
    unlink_entry(memory, out);
  if (in != NULL)
    link_entry(memory, in);
  transaction->steps[transaction->step_count++] = (struct step){.out = out, .in = in};
}

/* Puts the record in the place of `old`, or beside the others. */
static int memory_put(struct memory *memory, struct memory_transaction *transaction,
                      const apikeys_record *record, struct entry *old) {
  struct table *table = &memory->tables[record->kind];
  struct entry *entry = NULL;
  int rc = make_entry(table, record, &entry);
  if (rc == APIKEYS_OK && is_taken(table, entry, old))
    rc = APIKEYS_ERROR_EXISTS;
  if (rc == APIKEYS_OK)
    rc = reserve_step(transaction);
  if (rc != APIKEYS_OK) {
    free_entry(entry);
    return rc;
  }
  take_step(memory, transaction, old, entry);
  return APIKEYS_OK;
}

static int check_write(const struct memory_transaction *transaction, const struct table *table) {
  if (table == NULL)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  return transaction->mode == APIKEYS_TRANSACTION_WRITE ? APIKEYS_OK : APIKEYS_ERROR_READ_ONLY;
}

static int memory_insert(void *self, apikeys_transaction *opaque, apikeys_record *record) {
  struct memory_transaction *transaction = (struct memory_transaction *)opaque;
  struct table *table = table_of(self, apikeys_record_kind(record));
  int rc = check_write(transaction, table);
  if (rc != APIKEYS_OK)
    return rc;
  if (table->last_number == INT64_MAX)
    return APIKEYS_ERROR_STORAGE_FULL;
  apikeys_record_set_integer(record, AK_NUMBER, table->last_number + 1);
  rc = memory_put(self, transaction, record, NULL);
  if (rc == APIKEYS_OK)
    table->last_number++;
  return rc;
}

static int memory_update(void *self, apikeys_transaction *opaque, const apikeys_record *record) {
  struct memory_transaction *transaction = (struct memory_transaction *)opaque;
  struct table *table = table_of(self, apikeys_record_kind(record));
  int rc = check_write(transaction, table);
  if (rc != APIKEYS_OK)
    return rc;
  struct entry *old = find_number(table, apikeys_record_integer(record, AK_NUMBER));
  return old != NULL ? memory_put(self, transaction, record, old) : APIKEYS_ERROR_NOT_FOUND;
}

static int memory_remove(void *self, apikeys_transaction *opaque, int kind, int64_t number) {
  struct memory_transaction *transaction = (struct memory_transaction *)opaque;
  struct table *table = table_of(self, kind);
  int rc = check_write(transaction, table);
  if (rc != APIKEYS_OK)
    return rc;
  struct entry *old = find_number(table, number);
  if (old == NULL)
    return APIKEYS_ERROR_NOT_FOUND;
  rc = reserve_step(transaction);
  if (rc == APIKEYS_OK)
    take_step(self, transaction, old, NULL);
  return rc;
}

/* The stored record that has the id of this one; NULL if there is none. */
static int find_id(const struct table *table, const apikeys_record *record, struct entry **found) {
  uint8_t key[APIKEYS_INDEX_KEY_MAX];
  size_t length;
  int rc = apikeys_record_index_key(record, 0, key, sizeof key, &length);
  if (rc != APIKEYS_OK)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  struct node *node = memory_find(table->roots[0], key, length);
  *found = node != NULL ? node->entry : NULL;
  return APIKEYS_OK;
}

static int memory_raise(void *self, apikeys_transaction *opaque, const apikeys_record *record,
                        int field) {
  struct memory_transaction *transaction = (struct memory_transaction *)opaque;
  struct table *table = table_of(self, apikeys_record_kind(record));
  int rc = check_write(transaction, table);
  if (rc == APIKEYS_OK && apikeys_record_type(record, field) != APIKEYS_TYPE_INTEGER)
    rc = APIKEYS_ERROR_INVALID_ARGUMENT;
  struct entry *old;
  if (rc == APIKEYS_OK)
    rc = find_id(table, record, &old);
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_record copy;
  ak_record_init(&copy, record->kind);
  if (old == NULL) {
    rc = apikeys_record_copy(&copy, record);
    if (rc == APIKEYS_OK)
      rc = memory_insert(self, opaque, &copy);
  } else {
    int64_t value = apikeys_record_integer(record, field);
    rc = apikeys_record_decode(&copy, old->bytes, old->length);
    if (rc == APIKEYS_OK && apikeys_record_integer(&copy, field) < value) {
      apikeys_record_set_integer(&copy, field, value);
      rc = memory_put(self, transaction, &copy, old);
    }
  }
  ak_record_release(&copy);
  return rc;
}

/* -------------------------------------------------------------------------- transactions ------ */

/* A prepared memory is the next user's: parent and child each have their copy. */
static bool is_ours(struct memory *memory) {
  uint64_t mine = ak_process_stamp();
  uint64_t owner = 0;
  return atomic_compare_exchange_strong(&memory->process, &owner, mine) || owner == mine;
}

static int memory_begin(void *self, int mode, apikeys_transaction **transaction) {
  struct memory *memory = self;
  if (!is_ours(memory))
    return APIKEYS_ERROR_FORKED; /* the gate may have been shut by a thread that is not here */
  struct memory_transaction *made = calloc(1, sizeof *made);
  if (made == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  made->mode = mode;
  int rc = gate_enter(&memory->gate, mode);
  if (rc != APIKEYS_OK) {
    free(made);
    return rc;
  }
  *transaction = (apikeys_transaction *)made;
  return APIKEYS_OK;
}

static void memory_end(struct memory *memory, struct memory_transaction *transaction) {
  if (is_ours(memory)) /* else the gate's mutex may be held for ever */
    gate_leave(&memory->gate, transaction->mode);
  apikeys_record_free(transaction->scratch);
  free(transaction->steps);
  free(transaction);
}

static const struct entry *entry_of(const struct step *step) {
  return step->in != NULL ? step->in : step->out;
}

/* Reads one side of a step; *side is NULL where there is none. */
static int read_side(apikeys_record *record, const struct entry *entry, apikeys_record **side) {
  *side = entry != NULL ? record : NULL;
  return entry != NULL ? apikeys_record_decode(record, entry->bytes, entry->length) : APIKEYS_OK;
}

static void note_step(struct memory *memory, const struct step *step) {
  apikeys_record out, in, *old, *new;
  ak_record_init(&out, entry_of(step)->kind);
  ak_record_init(&in, entry_of(step)->kind);
  if (read_side(&out, step->out, &old) == APIKEYS_OK &&
      read_side(&in, step->in, &new) == APIKEYS_OK)
    ak_memory_changes_note(&memory->changes, old, new);
  else
    ak_memory_changes_note_unknown(&memory->changes);
  ak_record_release(&out);
  ak_record_release(&in);
}

/* So many that they would not be kept are not looked at one by one. */
static void note_changes(struct memory *memory, const struct memory_transaction *transaction) {
  size_t count = 0;
  for (size_t i = 0; i < transaction->step_count; i++)
    count += (size_t)apikeys_schema_kind_validates(entry_of(&transaction->steps[i])->kind);
  if (count > AK_MEMORY_CHANGES_KEPT / 2)
    ak_memory_changes_note_unknown(&memory->changes);
  else if (count > 0)
    for (size_t i = 0; i < transaction->step_count; i++)
      if (apikeys_schema_kind_validates(entry_of(&transaction->steps[i])->kind))
        note_step(memory, &transaction->steps[i]);
  ak_memory_changes_publish(&memory->changes);
}

static int memory_commit(void *self, apikeys_transaction *opaque) {
  struct memory_transaction *transaction = (struct memory_transaction *)opaque;
  if (transaction->step_count > 0)
    note_changes(self, transaction);
  for (size_t i = 0; i < transaction->step_count; i++)
    free_entry(transaction->steps[i].out);
  memory_end(self, transaction);
  return APIKEYS_OK;
}

static void memory_rollback(void *self, apikeys_transaction *opaque) {
  struct memory_transaction *transaction = (struct memory_transaction *)opaque;
  while (transaction->step_count > 0) {
    struct step *step = &transaction->steps[--transaction->step_count];
    if (step->in != NULL)
      unlink_entry(self, step->in);
    if (step->out != NULL)
      link_entry(self, step->out);
    free_entry(step->in);
  }
  memory_end(self, transaction);
}

/* ----------------------------------------------------------------------------- reading -------- */

/* A walk over the entries of one query; ends at the first result that is not 0. */
struct memory_walk {
  const apikeys_query *query;
  apikeys_record *record;
  apikeys_visitor visit;
  void *visit_data;
  uint8_t lower[APIKEYS_INDEX_KEY_MAX];
  uint8_t upper[APIKEYS_INDEX_KEY_MAX];
  size_t lower_length;
  size_t upper_length;
  size_t limit;
  size_t seen;
};

enum { WALK_FULL = 1 }; /* inside a walk only: a visitor's own numbers leave by `stopped` */

static int visit_entry(struct memory_walk *walk, const struct entry *entry, int *stopped) {
  int rc = apikeys_record_decode(walk->record, entry->bytes, entry->length);
  if (rc != APIKEYS_OK || !apikeys_query_matches(walk->query, walk->record))
    return rc;
  walk->seen++;
  *stopped = walk->visit != NULL ? walk->visit(walk->record, walk->visit_data) : 0;
  return *stopped != 0 || walk->seen == walk->limit ? WALK_FULL : APIKEYS_OK;
}

/* In order or against it; subtrees outside the bounds are left out. As deep as the tree is. */
static int walk_tree(struct memory_walk *walk, const struct node *node, bool descending,
                     int *stopped) {
  while (node != NULL) {
    bool above = compare_keys(node->key, node->key_length, walk->lower, walk->lower_length) >= 0;
    bool below = compare_keys(node->key, node->key_length, walk->upper, walk->upper_length) < 0;
    const struct node *first = descending ? node->right : node->left;
    const struct node *second = descending ? node->left : node->right;
    int rc = APIKEYS_OK;
    if (descending ? below : above)
      rc = walk_tree(walk, first, descending, stopped);
    if (rc == APIKEYS_OK && above && below)
      rc = visit_entry(walk, node->entry, stopped);
    if (rc != APIKEYS_OK)
      return rc;
    node = (descending ? above : below) ? second : NULL;
  }
  return APIKEYS_OK;
}

/* 0, a code, or what the visitor stopped with. */
static int memory_run(struct memory *memory, struct memory_walk *walk) {
  const apikeys_query *query = walk->query;
  struct table *table = table_of(memory, apikeys_query_kind(query));
  int rc = apikeys_query_bounds(query, walk->lower, &walk->lower_length, walk->upper,
                                &walk->upper_length);
  if (rc != APIKEYS_OK)
    return rc;
  int stopped = 0;
  rc = walk_tree(walk, table->roots[apikeys_query_index(query)],
                 apikeys_query_descending(query) != 0, &stopped);
  return rc == WALK_FULL ? stopped : rc;
}

static apikeys_record *scratch_of(struct memory_transaction *transaction, int kind) {
  if (apikeys_record_kind(transaction->scratch) != kind) {
    apikeys_record_free(transaction->scratch);
    transaction->scratch = apikeys_record_new(kind);
  }
  return transaction->scratch;
}

static int memory_get(void *self, apikeys_transaction *opaque, const apikeys_query *query,
                      apikeys_record *out) {
  struct memory_transaction *transaction = (struct memory_transaction *)opaque;
  (void)transaction;
  struct memory_walk walk = {.query = query, .record = out, .limit = 1};
  int rc = memory_run(self, &walk);
  return rc == APIKEYS_OK && walk.seen == 0 ? APIKEYS_ERROR_NOT_FOUND : rc;
}

static int memory_scan(void *self, apikeys_transaction *opaque, const apikeys_query *query,
                       apikeys_visitor visit, void *visit_data) {
  struct memory_transaction *transaction = (struct memory_transaction *)opaque;
  struct memory_walk walk = {.query = query,
                             .record = scratch_of(transaction, apikeys_query_kind(query)),
                             .visit = visit,
                             .visit_data = visit_data,
                             .limit = apikeys_query_limit(query)};
  return walk.record != NULL ? memory_run(self, &walk) : APIKEYS_ERROR_NO_MEMORY;
}

static int memory_count(void *self, apikeys_transaction *opaque, const apikeys_query *query,
                        uint64_t *count) {
  struct memory_transaction *transaction = (struct memory_transaction *)opaque;
  struct memory_walk walk = {.query = query,
                             .record = scratch_of(transaction, apikeys_query_kind(query))};
  if (walk.record == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  int rc = memory_run(self, &walk);
  if (rc == APIKEYS_OK)
    *count = walk.seen;
  return rc;
}

static int memory_generation(void *self, uint64_t *generation) {
  const struct memory *memory = self;
  *generation = ak_memory_changes_generation(&memory->changes);
  return APIKEYS_OK;
}

/* The transaction keeps writers out. */
static int memory_changes(void *self, apikeys_transaction *opaque, uint64_t since,
                          apikeys_change_visitor visit, void *visit_data) {
  struct memory_transaction *transaction = (struct memory_transaction *)opaque;
  const struct memory *memory = self;
  (void)transaction;
  return ak_memory_changes_since(&memory->changes, since, visit, visit_data);
}

/* --------------------------------------------------------------------- making and ending ------ */

/* Without a stack: a tree is turned into a list on the way. */
static void free_tree(struct node *node) {
  while (node != NULL) {
    if (node->left != NULL) {
      struct node *left = node->left;
      node->left = left->right;
      left->right = node;
      node = left;
    } else {
      struct node *next = node->right;
      free_entry(node->entry);
      node = next;
    }
  }
}

static int memory_prepare_fork(void *self) {
  struct memory *memory = self;
  if (!is_ours(memory))
    return APIKEYS_ERROR_FORKED;
  struct gate *gate = &memory->gate;
  pthread_mutex_lock(&gate->mutex);
  bool idle = !gate->writing && gate->readers == 0 && gate->readers_waiting == 0 &&
              gate->writers_waiting == 0;
  if (idle) {
    gate->invited = 0;
    atomic_store(&memory->process, 0);
  }
  pthread_mutex_unlock(&gate->mutex);
  return idle ? APIKEYS_OK : APIKEYS_ERROR_BUSY;
}

static void memory_destroy(void *self) {
  struct memory *memory = self;
  /* In a child, a thread that is not there may have been in the middle of a change, or may seem to
   * wait at the gate for ever: the child leaves its copy as it is. */
  if (!is_ours(memory))
    return;
  for (int kind = 1; kind < AK_KIND_END; kind++) {
    struct table *table = &memory->tables[kind];
    free_tree(table->roots[table->index_count]);
  }
  pthread_cond_destroy(&memory->gate.moved);
  pthread_mutex_destroy(&memory->gate.mutex);
  free(memory);
}

int apikeys_storage_memory(apikeys_storage *out, apikeys_error *err) {
  if (out == NULL)
    return ak_error_set(err, APIKEYS_ERROR_INVALID_ARGUMENT, "storage", "is missing");
  struct memory *memory = calloc(1, sizeof *memory);
  if (memory == NULL)
    return ak_error_code(err, APIKEYS_ERROR_NO_MEMORY);
  if (gate_init(&memory->gate) != APIKEYS_OK) {
    free(memory);
    return ak_error_code(err, APIKEYS_ERROR_NO_MEMORY);
  }
  atomic_init(&memory->process, ak_process_stamp());
  for (int kind = 1; kind < AK_KIND_END; kind++)
    memory->tables[kind].index_count = apikeys_schema_index_count(kind);
  *out = (apikeys_storage){.struct_size = sizeof *out,
                           .self = memory,
                           .destroy = memory_destroy,
                           .begin = memory_begin,
                           .commit = memory_commit,
                           .rollback = memory_rollback,
                           .get = memory_get,
                           .insert = memory_insert,
                           .update = memory_update,
                           .remove = memory_remove,
                           .count = memory_count,
                           .scan = memory_scan,
                           .raise = memory_raise,
                           .prepare_fork = memory_prepare_fork,
                           .generation = memory_generation,
                           .changes = memory_changes};
  return ak_error_clear(err);
}
