/* SPDX-License-Identifier: MIT */
/* Compares the store with its revocation journal when it is opened. */
#include "environment/store_history.h"

#include "base/arithmetic.h"
#include "environment/restore.h"
#include "operation/events.h"
#include "operation/root_key_follow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
  JOURNAL_SEALED_BYTES = AK_FINGERPRINT_BYTES + AK_SEALED_OVERHEAD,
  JOURNAL_FIELD_BYTES = AK_JOURNAL_ID_BYTES + JOURNAL_SEALED_BYTES,
  CATCH_UP_AT_ONCE = 256
};

/* The journal's file with its entries decoded. */
struct history {
  struct ak_journal_file file;
  struct ak_journal_entry *entries;
  size_t count;
  bool damaged; /* an entry with a wrong checksum is followed by a good one */
};

/* -- The record's field: the journal's id, and its key, sealed --------------------------------- */

/* *good: the record holds a journal. APIKEYS_ERROR_ROOT_KEY_WRONG: the root key was rotated since. */
static int unseal_key(apikeys_env *env, const apikeys_record *environment, bool *good) {
  struct ak_journal *journal = &env->journal;
  struct ak_secrets secrets;
  size_t length = 0;
  const uint8_t *field = apikeys_record_blob(environment, AK_ENVIRONMENT_JOURNAL, &length);
  *good = false;
  if (length != JOURNAL_FIELD_BYTES)
    return APIKEYS_OK;
  int rc = ak_env_secrets(env, apikeys_record_integer(environment, AK_ENVIRONMENT_ROOT_VERSION),
                          &secrets);
  if (rc != APIKEYS_OK)
    return rc;
  memcpy(journal->id, field, AK_JOURNAL_ID_BYTES);
  *good = ak_open(journal->key, field + AK_JOURNAL_ID_BYTES, JOURNAL_SEALED_BYTES, field,
                  AK_JOURNAL_ID_BYTES, secrets.seal) == 0;
  ak_wipe(&secrets, sizeof secrets);
  return APIKEYS_OK;
}

static int seal_key(apikeys_env *env, int64_t root_version, uint8_t field[JOURNAL_FIELD_BYTES]) {
  struct ak_journal *journal = &env->journal;
  struct ak_secrets secrets;
  struct ak_random random = ak_random_source(&env->options);
  int rc = ak_env_secrets(env, root_version, &secrets);
  if (rc != APIKEYS_OK)
    return rc;
  memcpy(field, journal->id, AK_JOURNAL_ID_BYTES);
  rc = ak_seal(field + AK_JOURNAL_ID_BYTES, journal->key, AK_FINGERPRINT_BYTES, field,
               AK_JOURNAL_ID_BYTES, secrets.seal, &random);
  ak_wipe(&secrets, sizeof secrets);
  return rc;
}

int ak_store_history_reseal(apikeys_record *environment, const struct ak_secrets *from,
                            const struct ak_secrets *to, const struct ak_random *random) {
  uint8_t field[JOURNAL_FIELD_BYTES], key[AK_FINGERPRINT_BYTES];
  size_t length = 0;
  const uint8_t *old = apikeys_record_blob(environment, AK_ENVIRONMENT_JOURNAL, &length);
  if (length != JOURNAL_FIELD_BYTES || ak_open(key, old + AK_JOURNAL_ID_BYTES, JOURNAL_SEALED_BYTES,
                                               old, AK_JOURNAL_ID_BYTES, from->seal) != 0)
    return APIKEYS_OK; /* none, or damaged: the next open makes a new journal */
  memcpy(field, old, AK_JOURNAL_ID_BYTES);
  int rc = ak_seal(field + AK_JOURNAL_ID_BYTES, key, sizeof key, field, AK_JOURNAL_ID_BYTES,
                   to->seal, random);
  ak_wipe(key, sizeof key);
  return rc == APIKEYS_OK
             ? apikeys_record_set_blob(environment, AK_ENVIRONMENT_JOURNAL, field, sizeof field)
             : rc;
}

/* -- The file ---------------------------------------------------------------------------------- */

/* Damaged entries are left out, those of a damaged journal's good rest are kept: each key named is a
 * key to be refused. Without the key (an older store's journal) nothing can be checked. */
static int decode_history(struct history *history, const uint8_t *key) {
  history->entries = malloc((history->file.count + 1) * sizeof *history->entries);
  if (history->entries == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  static const uint8_t no_key[AK_FINGERPRINT_BYTES];
  bool bad = false;
  for (size_t i = 0; i < history->file.count; i++) {
    const uint8_t *bytes = history->file.bytes + i * AK_JOURNAL_BYTES;
    bool good =
        ak_journal_decode(&history->entries[history->count], bytes, key != NULL ? key : no_key);
    if (good || key == NULL) {
      history->damaged |= bad; /* at the end they are torn: a power cut may leave several */
      history->count++;
    }
    bad |= !good && key != NULL;
  }
  return APIKEYS_OK;
}

static void release_history(struct history *history) {
  ak_journal_file_release(&history->file);
  free(history->entries);
}

/* -- Questions to the store -------------------------------------------------------------------- */

struct event_found {
  int64_t number;
  uint8_t id[AK_ULID_BYTES];
};

static int keep_event(const apikeys_record *event, void *data) {
  struct event_found *found = data;
  size_t length;
  const char *id = apikeys_record_text(event, AK_ID, &length);
  found->number = apikeys_record_integer(event, AK_NUMBER);
  ak_ulid_pack(found->id, id, length);
  return 1;
}

/* The event with this number, or the newest (0); number 0: there is none. */
static int find_event(struct ak_op *op, int64_t number, struct event_found *found) {
  apikeys_query query;
  memset(found, 0, sizeof *found);
  ak_query_any(&query, AK_EVENT, AK_EVENT_BY_NUMBER);
  query.limit = 1;
  if (number > 0)
    ak_query_from(&query, number);
  else
    query.descending = true;
  int rc = ak_scan(&op->transaction, &query, keep_event, found);
  if (number > 0 && found->number != number)
    found->number = 0;
  return rc < 0 ? rc : APIKEYS_OK;
}

/* The one with the greatest number: processes append after their commits, and so out of order. NULL:
 * there is none. */
static const struct ak_journal_entry *newest_entry(const struct history *history) {
  const struct ak_journal_entry *newest = NULL;
  for (size_t i = 0; i < history->count; i++)
    if (newest == NULL || history->entries[i].event_number >= newest->event_number)
      newest = &history->entries[i];
  return newest;
}

/* *back: the journal's newest event is not in the store, and was not pruned. */
static int compare_with_store(struct ak_op *op, const struct history *history, bool *back) {
  struct event_found found;
  int64_t floor;
  *back = false;
  const struct ak_journal_entry *last = newest_entry(history);
  if (last == NULL)
    return APIKEYS_OK;
  int rc = ak_event_floor(op, &floor);
  if (rc == APIKEYS_OK)
    rc = find_event(op, last->event_number, &found);
  if (rc == APIKEYS_OK && last->event_number >= floor)
    *back = found.number == 0 || memcmp(found.id, last->event, AK_ULID_BYTES) != 0;
  return rc;
}

/* -- Catching up: revocations that were committed, and not journaled --------------------------- */

struct catch_up {
  struct ak_journal_entry entries[CATCH_UP_AT_ONCE];
  size_t count;
  int64_t next;
  bool ended; /* behind the largest number there are no more */
  uint8_t (
      *known)[AK_ULID_BYTES]; /* the keys that the journal names behind its last mark, sorted */
  size_t known_count;
};

static int compare_ulids(const void *a, const void *b) {
  return memcmp(a, b, AK_ULID_BYTES);
}

/* Every revocation up to the last mark is in the journal; those behind it are looked for. */
static int know_entries(struct catch_up *found, const struct history *history) {
  size_t from = history->count;
  while (from > 0 && !ak_journal_is_mark(&history->entries[from - 1]))
    from--;
  found->next = 1;
  found->ended =
      from > 0 && !ak_number_after(history->entries[from - 1].event_number, &found->next);
  found->known = malloc((history->count - from + 1) * sizeof *found->known);
  if (found->known == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  for (size_t i = from; i < history->count; i++)
    if (ak_journal_has_key(&history->entries[i]))
      memcpy(found->known[found->known_count++], history->entries[i].key, AK_ULID_BYTES);
  qsort(found->known, found->known_count, sizeof *found->known, compare_ulids);
  return APIKEYS_OK;
}

/* The key's id is in the event's data: the first "api_key_…" of the object, its own id. */
static int collect_revocation(const apikeys_record *event, void *data) {
  struct catch_up *found = data;
  size_t length;
  const char *type = apikeys_record_text(event, AK_EVENT_TYPE, &length);
  found->ended = !ak_number_after(apikeys_record_integer(event, AK_NUMBER), &found->next);
  if (strcmp(type, "api_key.revoked") != 0 && strcmp(type, "management_key.revoked") != 0)
    return 0;
  struct ak_journal_entry *entry = &found->entries[found->count];
  memset(entry, 0, sizeof *entry);
  entry->event_number = apikeys_record_integer(event, AK_NUMBER);
  entry->at_ms = apikeys_record_integer(event, AK_EVENT_CREATED_AT);
  const char *id = apikeys_record_text(event, AK_ID, &length);
  ak_ulid_pack(entry->event, id, length);
  const char *at = strstr(apikeys_record_text(event, AK_EVENT_DATA, &length), "\"api_key_");
  if (at == NULL || ak_ulid_pack(entry->key, at + 1, sizeof "api_key_" - 1 + AK_ULID_LENGTH) != 0)
    return 0;
  if (bsearch(entry->key, found->known, found->known_count, sizeof *found->known, compare_ulids) !=
      NULL)
    return 0;
  return ++found->count == CATCH_UP_AT_ONCE;
}

static int catch_up_once(struct ak_op *op, struct catch_up *found, bool *done) {
  apikeys_query query;
  found->count = 0;
  ak_query_any(&query, AK_EVENT, AK_EVENT_BY_NUMBER);
  ak_query_from(&query, found->next);
  query.limit = 4096;
  int64_t before = found->next;
  int rc = ak_scan(&op->transaction, &query, collect_revocation, found);
  *done = found->next == before || found->ended;
  return rc < 0 ? rc : APIKEYS_OK;
}

/* Behind the revocations that were found: all up to the newest event are in the journal now. */
static int mark_complete(apikeys_env *env, struct ak_op *op, int64_t marked) {
  struct event_found newest;
  int rc = find_event(op, 0, &newest);
  if (rc != APIKEYS_OK || newest.number <= marked)
    return rc;
  struct ak_journal_entry mark = {.event_number = newest.number, .at_ms = op->now_ms};
  memcpy(mark.event, newest.id, AK_ULID_BYTES);
  ak_journal_set_mark(&mark);
  ak_journal_queue(&env->journal, &mark, 1, false);
  return APIKEYS_OK;
}

/* Appends the revocations that the journal lacks, whichever process made them, and a mark. */
static int catch_up(apikeys_env *env, struct ak_op *op, const struct history *history) {
  struct catch_up *found = calloc(1, sizeof *found);
  bool done = false;
  int rc = found != NULL ? know_entries(found, history) : APIKEYS_ERROR_NO_MEMORY;
  int64_t marked = rc != APIKEYS_OK ? 0 : found->ended ? INT64_MAX : found->next - 1;
  done = rc == APIKEYS_OK && found->ended;
  while (rc == APIKEYS_OK && !done) {
    rc = catch_up_once(op, found, &done);
    if (rc == APIKEYS_OK && found->count > 0) {
      ak_journal_queue(&env->journal, found->entries, found->count, false);
      ak_op_append_journal(env, false);
    }
  }
  if (found != NULL)
    free(found->known);
  free(found);
  if (rc == APIKEYS_OK)
    rc = mark_complete(env, op, marked);
  if (rc == APIKEYS_OK)
    ak_op_append_journal(env, true);
  return rc;
}

/* -- Opening ----------------------------------------------------------------------------------- */

static int write_field(struct ak_op *op, apikeys_record *environment) {
  uint8_t field[JOURNAL_FIELD_BYTES];
  int rc =
      seal_key(op->env, apikeys_record_integer(environment, AK_ENVIRONMENT_ROOT_VERSION), field);
  if (rc == APIKEYS_OK)
    rc = apikeys_record_set_blob(environment, AK_ENVIRONMENT_JOURNAL, field, sizeof field);
  return rc == APIKEYS_OK ? ak_update(&op->transaction, environment) : rc;
}

/*
 * The record names no journal, and nobody else can give it one now: a file that is there is of a
 * creation that died before its commit, or of another environment.
 */
static bool create_or_replace(struct ak_journal *journal, const uint8_t *found_id) {
  if (ak_journal_create(journal))
    return true;
  return errno == EEXIST && ak_journal_set_aside(journal, found_id) && ak_journal_create(journal);
}

/* Another process may have made the journal meanwhile: then it is used. */
static int make_in_transaction(struct ak_op *op, const uint8_t *found_id, bool *made) {
  apikeys_env *env = op->env;
  struct ak_random random = ak_random_source(&env->options);
  apikeys_record environment;
  ak_record_init(&environment, AK_ENVIRONMENT);
  int rc = ak_op_environment(op, &environment);
  bool there = false;
  if (rc == APIKEYS_OK)
    rc = unseal_key(env, &environment, &there);
  *made = rc == APIKEYS_OK && !there;
  if (*made) {
    rc = ak_random_fill(&random, env->journal.id, sizeof env->journal.id);
    if (rc == APIKEYS_OK)
      rc = ak_random_fill(&random, env->journal.key, sizeof env->journal.key);
    if (rc == APIKEYS_OK && !create_or_replace(&env->journal, found_id))
      rc = errno == EEXIST ? APIKEYS_ERROR_EXISTS : APIKEYS_ERROR_READ_ONLY;
    if (rc == APIKEYS_OK)
      rc = write_field(op, &environment);
  }
  ak_record_release(&environment);
  return rc;
}

/* A new journal: its file first, then the record that names it. Without one the environment works. */
static int make_journal(apikeys_env *env, const uint8_t *found_id, apikeys_error *err) {
  struct ak_op op;
  bool made = false;
  int rc = ak_op_begin_internal(&op, env, APIKEYS_TRANSACTION_WRITE, err);
  if (rc != APIKEYS_OK)
    return rc == APIKEYS_ERROR_READ_ONLY ? ak_error_clear(err) : rc;
  rc = ak_op_end(&op, make_in_transaction(&op, found_id, &made));
  if (rc == APIKEYS_OK) {
    env->journal.started = true;
    return APIKEYS_OK;
  }
  if (env->options.require_journal)
    return ak_error_set(err, rc, "journal", "%s cannot be made", env->journal.path);
  if (rc == APIKEYS_ERROR_READ_ONLY || rc == APIKEYS_ERROR_EXISTS) {
    ak_log(&env->options, APIKEYS_LOG_WARNING, "%s cannot be made: there is no revocation journal",
           env->journal.path);
    atomic_store(&env->journal.behind, true);
    return ak_error_clear(err);
  }
  return rc;
}

static int went_back(const apikeys_env *env, apikeys_error *err) {
  return ak_error_set(
      err, APIKEYS_ERROR_STORE_WENT_BACK, "journal",
      "the database is an earlier state than the one that %s tells of: a backup was "
      "restored. Keys that were revoked since are alive in it; accept the restore to "
      "revoke them again",
      env->journal.path);
}

/* The record names a journal. */
static int open_known(apikeys_env *env, struct history *history, apikeys_error *err) {
  const apikeys_options *options = &env->options;
  bool missing = history->file.state != AK_JOURNAL_GOOD ||
                 memcmp(history->file.id, env->journal.id, AK_JOURNAL_ID_BYTES) != 0;
  if (!missing) {
    int rc = decode_history(history, env->journal.key);
    if (rc != APIKEYS_OK)
      return ak_error_code(err, rc);
  }
  if ((missing || history->damaged) && options->require_journal && !options->accept_restore)
    return ak_error_set(err, APIKEYS_ERROR_STORE_WENT_BACK, "journal",
                        "%s is %s, so that a restored backup cannot be told from the newest state; "
                        "accept the restore to go on",
                        env->journal.path, missing ? "missing" : "damaged");
  if (missing || history->damaged)
    ak_log(options, APIKEYS_LOG_WARNING,
           "%s is %s: a backup that was restored before cannot be noticed", env->journal.path,
           missing ? "missing" : "damaged");
  env->journal.started = true;
  if (!missing)
    return APIKEYS_OK;
  if (history->file.state != AK_JOURNAL_ABSENT &&
      !ak_journal_set_aside(&env->journal, history->file.id))
    env->journal.started = false;
  if (env->journal.started && !ak_journal_create(&env->journal) && errno != EEXIST)
    env->journal.started = false;
  atomic_store(&env->journal.behind, !env->journal.started);
  return APIKEYS_OK;
}

static int check_known(apikeys_env *env, struct history *history, apikeys_error *err) {
  struct ak_op op;
  bool back = false;
  int rc = ak_op_begin_internal(&op, env, APIKEYS_TRANSACTION_READ, err);
  if (rc != APIKEYS_OK)
    return rc;
  rc = compare_with_store(&op, history, &back);
  if (rc == APIKEYS_OK && !back)
    rc = catch_up(env, &op, history);
  int64_t now_ms = op.now_ms;
  rc = ak_op_end(&op, rc);
  if (rc == APIKEYS_OK && !back && !history->damaged)
    ak_journal_compact(&env->journal, ak_difference(now_ms, env->options.journal_retention_ms));
  if (rc != APIKEYS_OK || !back)
    return rc;
  return env->options.accept_restore ? ak_restore_accept(env, history->entries, history->count, err)
                                     : went_back(env, err);
}

/* The record names none. A journal of this environment is then of a later state than this one. */
static int open_unknown(apikeys_env *env, struct history *history, apikeys_error *err) {
  bool later = history->file.state == AK_JOURNAL_GOOD && history->file.count > 0 &&
               memcmp(history->file.environment, env->journal.environment, AK_ULID_BYTES) == 0;
  if (later && !env->options.accept_restore)
    return went_back(env, err);
  int rc = make_journal(env, history->file.id, err);
  if (rc == APIKEYS_OK && later)
    rc = decode_history(history, NULL);
  if (rc == APIKEYS_OK && later)
    return ak_restore_accept(env, history->entries, history->count, err);
  return rc != APIKEYS_OK || !env->journal.started ? rc : check_known(env, history, err);
}

static int read_field(apikeys_env *env, bool *known, apikeys_error *err) {
  struct ak_op op;
  apikeys_record environment;
  int rc = ak_op_begin_internal(&op, env, APIKEYS_TRANSACTION_READ, err);
  if (rc != APIKEYS_OK)
    return rc;
  ak_record_init(&environment, AK_ENVIRONMENT);
  rc = ak_op_environment(&op, &environment);
  if (rc == APIKEYS_OK)
    rc = unseal_key(env, &environment, known);
  ak_record_release(&environment);
  return ak_op_end(&op, rc);
}

static int compare_once(apikeys_env *env, apikeys_error *err) {
  struct history history = {0};
  bool known = false;
  ak_ulid_pack(env->journal.environment, env->id, strlen(env->id));
  /* The file first: entries are appended after the record that names the journal was committed. So a
   * record that is read later and names none is of an earlier state than the file's entries. */
  int rc = ak_journal_load(env->journal.path, &history.file) == APIKEYS_OK
               ? read_field(env, &known, err)
               : ak_error_code(err, APIKEYS_ERROR_NO_MEMORY);
  if (rc == APIKEYS_OK && known) {
    rc = open_known(env, &history, err);
    if (rc == APIKEYS_OK)
      rc = check_known(env, &history, err);
  } else if (rc == APIKEYS_OK) {
    rc = open_unknown(env, &history, err);
  }
  release_history(&history);
  return rc;
}

int ak_store_history_open(apikeys_env *env, apikeys_error *err) {
  int tries = 0, rc;
  if (env->journal.path == NULL)
    return APIKEYS_OK;
  do
    rc = compare_once(env, err);
  while (ak_should_repeat(env, rc, &tries, err));
  return rc;
}
