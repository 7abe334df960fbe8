/* SPDX-License-Identifier: MIT */
/*
 * How to know in nanoseconds that nothing was committed, and within a second that the files are not
 * those any more that were opened.
 *
 * In WAL mode every commit, of any process, rewrites the header of the shared wal-index before it
 * returns (https://sqlite.org/walformat.html): while that is what it was, the generation is what it
 * was. Where this cannot be relied on there is no generation, and every validation asks the store.
 */
#include "storage/sqlite/private.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
  HEADER_WORDS = 48 / sizeof(uint64_t), /* there are two copies of it */
  HEADER_INITIALIZED = 12,              /* the byte that says so */
  WAL_INDEX_REGION = 32768,             /* SQLite's own unit */
  WAL_INDEX_VERSION = 3007000,
  CHECK_EVERY_MS = 500 /* so that a second is enough, with a coarse clock and a slow look */
};

/* No generation that a store tells. */
static const uint64_t unknown = UINT64_MAX;

/*
 * Only a checkpoint writes to the database file, and the wal-index tells each: the fields below
 * (https://sqlite.org/walformat.html) differ before and behind it. If the file's time moved and
 * they did not, something else than SQLite has written to the file: a backup was copied over it,
 * say.
 */
struct writes {
  bool known;
  struct timespec modified_at;
  uint32_t salts[2]; /* of the log */
  uint32_t frames;   /* in the log */
  uint32_t copied;   /* of them, to the database */
};

/*
 * `anchor` is a connection of its own that is used for nothing else: while it is open the wal-index
 * is the one that all processes share, and `header` points into SQLite's mapping of it. Both go
 * when nobody is in here: the files are closed for a fork or for good.
 */
struct ak_sqlite_watch {
  const struct ak_sqlite_file *file;
  pthread_mutex_t lock; /* of the one who starts or refreshes */
  struct ak_sqlite_connection *anchor;
  const _Atomic uint64_t *_Atomic header; /* NULL: not watching */
  struct ak_sqlite_companions companions; /* as they were when that was set */
  _Atomic bool resting; /* the file has no connections, and must not get one from here */
  bool hopeless;        /* this database cannot be watched */
  _Atomic int64_t checked_at_ms;
  _Atomic int state; /* what the last look gave; that the store is another one is for good */
  pthread_mutex_t look_lock;  /* guards the next two */
  struct writes writes;       /* as the last look found them */
  struct ak_sqlite_head head; /* the latest that was seen in this store; 0: none */
  void (*log)(void *data, const char *text);
  void *log_data;
  _Atomic bool logged_link;
  bool judged;    /* whether the triggers are ours was found out for this schema: */
  bool ours;      /* are they? */
  int64_t schema; /* its number */
  /* What was seen; a sequence lock, odd while it is written. */
  _Atomic uint32_t sequence;
  _Atomic uint64_t seen[HEADER_WORDS];
  _Atomic uint64_t generation;
};

struct ak_sqlite_watch *ak_sqlite_watch_new(const struct ak_sqlite_file *file) {
  struct ak_sqlite_watch *watch = calloc(1, sizeof *watch);
  if (watch == NULL)
    return NULL;
  watch->file = file;
  pthread_mutex_init(&watch->lock, NULL);
  pthread_mutex_init(&watch->look_lock, NULL);
  return watch;
}

/* With the lock. */
static void let_go(struct ak_sqlite_watch *watch) {
  atomic_store(&watch->header, NULL);
  pthread_mutex_lock(&watch->look_lock); /* nobody reads the mapping any more */
  watch->writes.known = false;
  pthread_mutex_unlock(&watch->look_lock);
  ak_sqlite_connection_close(watch->anchor);
  watch->anchor = NULL;
  watch->judged = false;
}

void ak_sqlite_watch_stop(struct ak_sqlite_watch *watch) {
  pthread_mutex_lock(&watch->lock);
  atomic_store(&watch->resting, true);
  let_go(watch);
  pthread_mutex_unlock(&watch->lock);
}

void ak_sqlite_watch_wake(struct ak_sqlite_watch *watch) {
  atomic_store(&watch->resting, false);
}

/* In a child: the lock may be held by a thread that is not there. */
void ak_sqlite_watch_adopt(struct ak_sqlite_watch *watch) {
  pthread_mutex_init(&watch->lock, NULL);
  pthread_mutex_init(&watch->look_lock, NULL);
  watch->writes.known = false;
  atomic_store(&watch->header, NULL);
}

void ak_sqlite_watch_free(struct ak_sqlite_watch *watch) {
  if (watch == NULL)
    return;
  ak_sqlite_watch_stop(watch);
  pthread_mutex_destroy(&watch->look_lock);
  pthread_mutex_destroy(&watch->lock);
  free(watch);
}

/* -- The files --------------------------------------------------------------------------------- */

/* The checkpoint's progress: of the log's frames, how many it has copied. False while one is under
 * way, or died: then the file may be written to at any moment. */
static bool read_progress(const _Atomic uint64_t *header, struct writes *writes) {
  enum { FRAMES = 16, SALTS = 32, COPIED = 96, TRIED = 128 };
  const _Atomic uint32_t *index = (const _Atomic uint32_t *)(uintptr_t)header;
  writes->frames = atomic_load(&index[FRAMES / 4]);
  writes->salts[0] = atomic_load(&index[SALTS / 4]);
  writes->salts[1] = atomic_load(&index[SALTS / 4 + 1]);
  uint32_t tried = atomic_load(&index[TRIED / 4]);
  writes->copied = atomic_load(&index[COPIED / 4]);
  return tried == writes->copied;
}

static bool same_progress(const struct writes *a, const struct writes *b) {
  return a->salts[0] == b->salts[0] && a->salts[1] == b->salts[1] && a->copied == b->copied;
}

/* `before`: what the progress was before the look that found `modified_at`; `at_rest`: then,
 * too. */
static int compare_writes(struct ak_sqlite_watch *watch, const struct writes *before, bool at_rest,
                          struct timespec modified_at) {
  struct writes now = {.modified_at = modified_at};
  at_rest =
      read_progress(atomic_load(&watch->header), &now) && at_rest && same_progress(before, &now);
  now.known = at_rest;
  bool moved = watch->writes.known && at_rest && same_progress(&watch->writes, &now) &&
               (now.modified_at.tv_sec != watch->writes.modified_at.tv_sec ||
                now.modified_at.tv_nsec != watch->writes.modified_at.tv_nsec);
  watch->writes = now;
  return moved ? APIKEYS_ERROR_STORE_REPLACED : APIKEYS_OK;
}

/* SQLite's files belong to a path. A second link made later (some backup tools make one) is no
 * danger while nobody opens the database by it. */
static void tell_of_link(struct ak_sqlite_watch *watch, const struct stat *status) {
  if (status->st_nlink > 1 && watch->log != NULL && !atomic_exchange(&watch->logged_link, true))
    watch->log(watch->log_data, "the database has a second hard link now: it must never be opened "
                                "by two paths, or changes are lost between them");
}

/* With the look's lock, and a header: the files that the watch looks at, and when they were written
 * to. */
static int compare_watched(struct ak_sqlite_watch *watch,
                           const struct ak_sqlite_companions *companions, struct stat *status) {
  struct writes before = {0};
  bool at_rest = read_progress(atomic_load(&watch->header), &before);
  int rc = ak_sqlite_file_compare(watch->file, status);
  if (rc == APIKEYS_OK)
    rc = ak_sqlite_companions_compare(&watch->companions, companions);
  return rc == APIKEYS_OK ? compare_writes(watch, &before, at_rest, status->st_mtim) : rc;
}

/* `written`: the files beside the database that a writer has open; NULL: none has. */
static int compare_files(struct ak_sqlite_watch *watch, struct ak_sqlite_companions *written) {
  struct stat status = {.st_nlink = 1};
  struct ak_sqlite_companions now;
  bool beside = written != NULL || atomic_load(&watch->header) != NULL;
  int rc = beside ? ak_sqlite_companions_find(watch->file, &now) : APIKEYS_OK;
  if (rc == APIKEYS_OK && written != NULL)
    rc = ak_sqlite_companions_compare(written, &now);
  if (rc != APIKEYS_OK || !beside)
    return rc != APIKEYS_OK ? rc : ak_sqlite_file_check(watch->file);
  pthread_mutex_lock(&watch->look_lock);
  rc = atomic_load(&watch->header) != NULL ? compare_watched(watch, &now, &status)
                                           : ak_sqlite_file_check(watch->file);
  pthread_mutex_unlock(&watch->look_lock);
  if (rc == APIKEYS_OK)
    tell_of_link(watch, &status);
  return rc;
}

void ak_sqlite_watch_set_log(struct ak_sqlite_watch *watch,
                             void (*log)(void *data, const char *text), void *data) {
  watch->log_data = data;
  watch->log = log;
}

static int64_t rough_now_ms(void) {
  struct timespec now;
#ifdef CLOCK_MONOTONIC_COARSE
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
#else
  clock_gettime(CLOCK_MONOTONIC, &now);
#endif
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_final(int state) {
  return state == APIKEYS_ERROR_STORE_REPLACED || state == APIKEYS_ERROR_STORE_WENT_BACK;
}

/* Keeps what a look found; what is final stays. Returns what is in force. */
static int sqlite_watch_keep(struct ak_sqlite_watch *watch, int found) {
  int state = atomic_load_explicit(&watch->state, memory_order_acquire);
  while (!is_final(state) && !atomic_compare_exchange_weak(&watch->state, &state, found))
    ;
  return is_final(state) ? state : found;
}

/* By whoever comes first when it is time; no lock that a writer may hold keeps it from being
 * done. */
int ak_sqlite_watch_check(struct ak_sqlite_watch *watch) {
  int64_t now = rough_now_ms();
  int64_t checked = atomic_load_explicit(&watch->checked_at_ms, memory_order_relaxed);
  int state = atomic_load_explicit(&watch->state, memory_order_acquire);
  if (is_final(state) || now - checked < CHECK_EVERY_MS ||
      !atomic_compare_exchange_strong(&watch->checked_at_ms, &checked, now))
    return state;
  return sqlite_watch_keep(watch, compare_files(watch, NULL));
}

int ak_sqlite_watch_check_now(struct ak_sqlite_watch *watch, struct ak_sqlite_companions *written) {
  return sqlite_watch_keep(watch, compare_files(watch, written));
}

void ak_sqlite_watch_set_state(struct ak_sqlite_watch *watch, int state) {
  sqlite_watch_keep(watch, state);
}

struct ak_sqlite_head ak_sqlite_watch_seen(struct ak_sqlite_watch *watch) {
  pthread_mutex_lock(&watch->look_lock);
  struct ak_sqlite_head seen = watch->head;
  pthread_mutex_unlock(&watch->look_lock);
  return seen;
}

static void keep_head(struct ak_sqlite_watch *watch, const struct ak_sqlite_head *now) {
  pthread_mutex_lock(&watch->look_lock);
  if (watch->head.last <= now->last)
    watch->head = *now;
  pthread_mutex_unlock(&watch->look_lock);
}

int ak_sqlite_watch_compare(struct ak_sqlite_watch *watch, struct ak_sqlite_connection *connection,
                            const struct ak_sqlite_head *seen, const struct ak_sqlite_head *now) {
  bool went_back = false;
  bool first = seen->last == 0 && seen->mark == 0;
  int rc = first ? SQLITE_OK : ak_sqlite_changes_compare(connection, seen, now, &went_back);
  if (rc != SQLITE_OK)
    return ak_sqlite_code(connection->db, rc);
  if (went_back)
    return sqlite_watch_keep(watch, APIKEYS_ERROR_STORE_WENT_BACK);
  keep_head(watch, now);
  return APIKEYS_OK;
}

/* -- The wal-index ----------------------------------------------------------------------------- */

static void read_copy(const _Atomic uint64_t *header, int copy, uint64_t words[HEADER_WORDS]) {
  for (int i = 0; i < HEADER_WORDS; i++)
    words[i] = atomic_load_explicit(&header[copy * HEADER_WORDS + i], memory_order_acquire);
}

/*
 * A writer changes the second copy, then the first: where both are the same, as a reader in that
 * order finds them, that is a whole header.
 */
static bool sqlite_watch_read_header(const _Atomic uint64_t *header, uint64_t words[HEADER_WORDS]) {
  uint64_t second[HEADER_WORDS];
  uint32_t version;
  read_copy(header, 0, words); /* acquired: the second is read after it */
  read_copy(header, 1, second);
  memcpy(&version, words, sizeof version);
  return memcmp(words, second, sizeof second) == 0 && version == WAL_INDEX_VERSION &&
         ((const unsigned char *)words)[HEADER_INITIALIZED] != 0;
}

/* APIKEYS_ERROR_UNSUPPORTED for a database that has no shared wal-index as we know it. */
static int find_header(struct ak_sqlite_connection *connection, const _Atomic uint64_t **header) {
  sqlite3_file *file = NULL;
  void volatile *region = NULL;
  int rc = sqlite3_file_control(connection->db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (rc != SQLITE_OK || file == NULL || file->pMethods == NULL || file->pMethods->iVersion < 2 ||
      file->pMethods->xShmMap == NULL)
    return APIKEYS_ERROR_UNSUPPORTED;
  rc = file->pMethods->xShmMap(file, 0, WAL_INDEX_REGION, 0, &region);
  if (rc != SQLITE_OK)
    return rc == SQLITE_NOMEM || rc == SQLITE_IOERR_NOMEM ? APIKEYS_ERROR_NO_MEMORY
                                                          : APIKEYS_ERROR_UNSUPPORTED;
  if (region == NULL || *(const volatile uint32_t *)region != WAL_INDEX_VERSION)
    return APIKEYS_ERROR_UNSUPPORTED;
  *header = (const _Atomic uint64_t *)(uintptr_t)region;
  return APIKEYS_OK;
}

/* With the lock. A connection is in WAL mode, or it is not opened at all; and its mode was set by
 * reading, which makes the log and its index. */
static int start_watching(struct ak_sqlite_watch *watch) {
  const _Atomic uint64_t *header = NULL;
  if (watch->hopeless || atomic_load(&watch->resting))
    return APIKEYS_ERROR_UNSUPPORTED;
  int rc = ak_sqlite_connection_open(&watch->anchor, watch->file, 0, false, NULL);
  if (rc == APIKEYS_OK)
    rc = find_header(watch->anchor, &header);
  if (rc == APIKEYS_ERROR_UNSUPPORTED)
    watch->hopeless = true;
  if (rc == APIKEYS_OK)
    rc = ak_sqlite_companions_find(watch->file, &watch->companions);
  if (rc != APIKEYS_OK) {
    let_go(watch);
    return rc;
  }
  atomic_fetch_or(&watch->sequence, 1); /* nothing was seen yet */
  atomic_store(&watch->header, header);
  return APIKEYS_OK;
}

void ak_sqlite_watch_start(struct ak_sqlite_watch *watch) {
  pthread_mutex_lock(&watch->lock);
  if (atomic_load(&watch->header) == NULL)
    start_watching(watch);
  pthread_mutex_unlock(&watch->lock);
}

/* -- The generation ---------------------------------------------------------------------------- */

static void publish(struct ak_sqlite_watch *watch, const uint64_t words[HEADER_WORDS],
                    uint64_t generation) {
  uint32_t sequence = atomic_load_explicit(&watch->sequence, memory_order_relaxed) | 1;
  atomic_store_explicit(&watch->sequence, sequence, memory_order_relaxed);
  for (int i = 0; i < HEADER_WORDS; i++)
    atomic_store_explicit(&watch->seen[i], words[i], memory_order_release);
  atomic_store_explicit(&watch->generation, generation, memory_order_release);
  atomic_store_explicit(&watch->sequence, sequence + 1, memory_order_release);
}

/* In the anchor's transaction. Unknown where the triggers are not ours, until the schema changes
 * again; the schema's number is a part of what is known, so that a change of it never goes by. */
static int read_generation(struct ak_sqlite_watch *watch, const struct ak_sqlite_head *seen,
                           uint64_t *generation) {
  int64_t schema = 0;
  int rc = ak_sqlite_changes_schema(watch->anchor, &schema);
  if (rc == SQLITE_OK && (!watch->judged || schema != watch->schema)) {
    watch->schema = schema;
    rc = ak_sqlite_changes_are_ours(watch->anchor, &watch->ours);
    watch->judged = rc == SQLITE_OK;
  }
  struct ak_sqlite_head head;
  *generation = unknown;
  if (rc != SQLITE_OK || !watch->ours)
    return rc;
  rc = ak_sqlite_changes_head(watch->anchor, &head);
  if (rc == SQLITE_OK && ak_sqlite_watch_compare(watch, watch->anchor, seen, &head) != APIKEYS_OK)
    rc = SQLITE_CORRUPT; /* nothing is published; the state says why */
  if (rc == SQLITE_OK)
    *generation = ak_sqlite_changes_generation(schema, &head);
  return rc;
}

/* The header first, then the rows in a new transaction: what is published is never newer than what
 * was read. Whatever fails leaves it unpublished. */
static int sqlite_watch_refresh(struct ak_sqlite_watch *watch, uint64_t *generation) {
  struct ak_sqlite_connection *anchor = watch->anchor;
  uint64_t words[HEADER_WORDS];
  if (!ak_sqlite_settle(anchor) || !sqlite_watch_read_header(atomic_load(&watch->header), words))
    return APIKEYS_ERROR_UNSUPPORTED;
  struct ak_sqlite_head seen = ak_sqlite_watch_seen(watch);
  anchor->busy_until = 0;
  int rc = ak_sqlite_control(anchor, AK_SQLITE_BEGIN_READ);
  if (rc == SQLITE_OK)
    rc = read_generation(watch, &seen, generation);
  if (rc == SQLITE_OK)
    rc = ak_sqlite_control(anchor, AK_SQLITE_COMMIT);
  if (!ak_sqlite_settle(anchor) || rc != SQLITE_OK)
    return APIKEYS_ERROR_UNSUPPORTED;
  publish(watch, words, *generation);
  return *generation == unknown ? APIKEYS_ERROR_UNSUPPORTED : APIKEYS_OK;
}

/* The others ask the store meanwhile. */
static int refresh_alone(struct ak_sqlite_watch *watch, uint64_t *generation) {
  if (pthread_mutex_trylock(&watch->lock) != 0)
    return APIKEYS_ERROR_UNSUPPORTED;
  int rc = atomic_load(&watch->header) != NULL ? APIKEYS_OK : start_watching(watch);
  if (rc == APIKEYS_OK)
    rc = sqlite_watch_refresh(watch, generation);
  pthread_mutex_unlock(&watch->lock);
  return rc == APIKEYS_OK ? rc : APIKEYS_ERROR_UNSUPPORTED;
}

/* Both copies are what was seen, each as a whole: a header that is being written is none of them.
 * Each word of what was seen is fetched once, for both. */
static bool is_unchanged(const struct ak_sqlite_watch *watch, const _Atomic uint64_t *header) {
  uint64_t difference = 0;
  for (int i = 0; i < HEADER_WORDS; i++) {
    uint64_t seen = atomic_load_explicit(&watch->seen[i], memory_order_acquire);
    difference |= atomic_load_explicit(&header[i], memory_order_acquire) ^ seen;
    difference |= atomic_load_explicit(&header[HEADER_WORDS + i], memory_order_acquire) ^ seen;
  }
  return difference == 0;
}

int ak_sqlite_watch_generation(struct ak_sqlite_watch *watch, uint64_t *generation) {
  if (ak_sqlite_watch_check(watch) != APIKEYS_OK)
    return APIKEYS_ERROR_UNSUPPORTED;
  const _Atomic uint64_t *header = atomic_load_explicit(&watch->header, memory_order_acquire);
  uint32_t sequence = atomic_load_explicit(&watch->sequence, memory_order_acquire);
  if (header == NULL || (sequence & 1) != 0)
    return refresh_alone(watch, generation);
  bool unchanged = is_unchanged(watch, header);
  *generation = atomic_load_explicit(&watch->generation, memory_order_acquire);
  if (!unchanged || atomic_load_explicit(&watch->sequence, memory_order_relaxed) != sequence)
    return refresh_alone(watch, generation);
  return *generation == unknown ? APIKEYS_ERROR_UNSUPPORTED : APIKEYS_OK;
}
