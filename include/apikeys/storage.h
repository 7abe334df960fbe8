/* SPDX-License-Identifier: MIT */
/*
 * apikeys/storage.h: for those who bring a store of their own.
 *
 * Applications need nothing from this header: apikeys_open_sqlite() and apikeys_open_memory() come
 * with their stores. A back-end is one struct of functions, apikeys_storage; it stores records as
 * they come and knows nothing of keys, members or permissions. What a record of each kind looks
 * like, and in which orders records are asked for, is told by the schema functions below, so that
 * a back-end is generic: a field or kind that a later version adds needs no change to it.
 *
 * tests/storage/ is a suite that every back-end must pass; link it against yours.
 * examples/custom_storage.c is a whole back-end in a few hundred lines.
 *
 * What a back-end sees: ids, names, permissions, and sealed digests. Never a key's value.
 */
#ifndef APIKEYS_STORAGE_H
#define APIKEYS_STORAGE_H

#include <apikeys/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- the schema, read-only ------ */

/*
 * Kinds are numbered 1 … apikeys_schema_kind_count(); fields 0 … field_count - 1; indexes
 * 0 … index_count - 1. The numbers are stable across versions: kinds, fields and indexes are only
 * added, at the end. Out-of-range arguments give 0, or "" for names. Since 1.0.
 *
 * Field 0 of every kind is "number": an integer that the back-end assigns at insert, larger than
 * every number it ever assigned to that kind, including numbers of removed records and of
 * transactions that were committed later. (What was rolled back never was: its numbers may come
 * again.) Index 0 of every kind is unique and holds the record's
 * id. Every index that is not unique is ordered by its fields, then by number; an index of no
 * fields is the order of numbers.
 */
APIKEYS_API int apikeys_schema_version(void);
APIKEYS_API int apikeys_schema_kind_count(void);
APIKEYS_API const char *apikeys_schema_kind_name(int kind);
/* The schema version in which the kind, the field, the index appeared. */
APIKEYS_API int apikeys_schema_kind_since(int kind);
/* 1: a change of such a record may alter a validation of a good key. apikeys_record_identities()
 * tells what it alters. 0: no validation depends on the kind. */
APIKEYS_API int apikeys_schema_kind_validates(int kind);

enum {
  APIKEYS_TYPE_NULL = 0,
  APIKEYS_TYPE_INTEGER = 1, /* int64_t */
  APIKEYS_TYPE_TEXT = 2,    /* UTF-8 without NUL */
  APIKEYS_TYPE_BLOB = 3     /* bytes */
};

APIKEYS_API int apikeys_schema_field_count(int kind);
APIKEYS_API const char *apikeys_schema_field_name(int kind, int field);
APIKEYS_API int apikeys_schema_field_type(int kind, int field);
APIKEYS_API int apikeys_schema_field_nullable(int kind, int field); /* 1 or 0 */
APIKEYS_API int apikeys_schema_field_since(int kind, int field);

/* The field that holds the owning organization's id ("" where the environment owns the record);
 * -1 for kinds that belong to the environment as a whole. */
APIKEYS_API int apikeys_schema_scope_field(int kind);

APIKEYS_API int apikeys_schema_index_count(int kind);
APIKEYS_API int apikeys_schema_index_unique(int kind, int index); /* 1 or 0 */
/* 1: a record whose first field in this index is NULL has no entry in it. */
APIKEYS_API int apikeys_schema_index_sparse(int kind, int index);
APIKEYS_API int apikeys_schema_index_since(int kind, int index);
APIKEYS_API int apikeys_schema_index_field_count(int kind, int index);
APIKEYS_API int apikeys_schema_index_field(int kind, int index, int position);

/* ------------------------------------------------------------------------------ records ------ */

/*
 * One record of one kind. The library makes those it passes to slots; a back-end may make its own.
 * Used by one thread at a time. A record starts, and is cleared, with every field NULL.
 * Since 1.0.
 */
typedef struct apikeys_record apikeys_record;

APIKEYS_API apikeys_record *apikeys_record_new(int kind); /* NULL: no such kind, or no memory */
APIKEYS_API void apikeys_record_free(apikeys_record *record);
APIKEYS_API void apikeys_record_clear(apikeys_record *record);
APIKEYS_API int apikeys_record_kind(const apikeys_record *record);

/*
 * Copies `source`, which is of the same kind, over `target`.
 * APIKEYS_ERROR_INVALID_ARGUMENT, APIKEYS_ERROR_NO_MEMORY.
 */
APIKEYS_API int apikeys_record_copy(apikeys_record *target, const apikeys_record *source);

/*
 * Set a field. Bytes are copied. A value of another type than the schema's is refused.
 * APIKEYS_ERROR_INVALID_ARGUMENT, APIKEYS_ERROR_NO_MEMORY.
 */
APIKEYS_API int apikeys_record_set_null(apikeys_record *record, int field);
APIKEYS_API int apikeys_record_set_integer(apikeys_record *record, int field, int64_t value);
APIKEYS_API int apikeys_record_set_text(apikeys_record *record, int field, const char *text,
                                        size_t length);
APIKEYS_API int apikeys_record_set_blob(apikeys_record *record, int field, const void *bytes,
                                        size_t length);

/*
 * Read a field. APIKEYS_TYPE_NULL reads as 0 and as "". Text and blobs are borrowed: they live
 * until the record is changed, and are NUL-terminated for convenience. `length` may be NULL.
 */
APIKEYS_API int apikeys_record_type(const apikeys_record *record, int field);
APIKEYS_API int64_t apikeys_record_integer(const apikeys_record *record, int field);
APIKEYS_API const char *apikeys_record_text(const apikeys_record *record, int field,
                                            size_t *length);
APIKEYS_API const void *apikeys_record_blob(const apikeys_record *record, int field,
                                            size_t *length);

/*
 * The record as bytes, and back: for stores that keep bytes. The form is stable across versions: a
 * record that an older version wrote reads with its new fields NULL or, where they may not be, 0 or
 * "". `*length` is set in any case; if it exceeds `capacity` nothing is written and
 * APIKEYS_ERROR_BUFFER_TOO_SMALL comes back. Decoding: APIKEYS_ERROR_CORRUPT,
 * APIKEYS_ERROR_NO_MEMORY.
 */
APIKEYS_API int apikeys_record_encode(const apikeys_record *record, void *buffer, size_t capacity,
                                      size_t *length);
APIKEYS_API int apikeys_record_decode(apikeys_record *record, const void *bytes, size_t length);

/*
 * The record's entry in one index as bytes that order under memcmp exactly as the index does. An
 * entry of a non-unique index ends in the record's number, so every entry differs.
 * 0 with *length; APIKEYS_ERROR_NOT_FOUND: the record has no entry (a sparse index);
 * APIKEYS_ERROR_BUFFER_TOO_SMALL with the needed *length. A buffer of APIKEYS_INDEX_KEY_MAX bytes
 * always suffices. An entry of a record that the library stores, in an index that has fields, is
 * at most 511 bytes long (the bound of LMDB's keys); the upper bound of a query may be 512.
 */
#define APIKEYS_INDEX_KEY_MAX 512
APIKEYS_API size_t apikeys_index_key_max(void);
APIKEYS_API int apikeys_record_index_key(const apikeys_record *record, int index, void *buffer,
                                         size_t capacity, size_t *length);

/*
 * What is called for each change that may alter a validation: the record's kind and its identity,
 * which for an API key is its lookup id, for members, roles and organizations the organization's
 * id, else "". A record whose identity changed is reported twice: the old identity and the new
 * one. A non-zero result stops the enumeration.
 */
typedef int (*apikeys_change_visitor)(int kind, const char *identity, size_t length,
                                      void *visit_data);

/*
 * What a change of one record invalidates: `before` is NULL for a new record, `after` for a removed
 * one. Calls `visit` for each identity; not at all if the change alters no validation. A back-end
 * that keeps a log of changes writes down what is visited, and counts its generation up if anything
 * was; it needs to know no kind and no field by name.
 * 0; the visitor's own number, if that was not 0; APIKEYS_ERROR_INVALID_ARGUMENT: no record, no
 * visitor, or two kinds. Since 1.0.
 */
APIKEYS_API int apikeys_record_identities(const apikeys_record *before, const apikeys_record *after,
                                          apikeys_change_visitor visit, void *visit_data);

/* ------------------------------------------------------------------------------ queries ------ */

/*
 * Which records a slot is asked for: a kind, one of its indexes, values for the first fields of
 * that index, perhaps a range on what follows (the next field, or the number), a direction, a
 * limit, a scope, and conditions. Made by the library, valid during the call.
 *
 * A back-end that keeps ordered bytes needs two functions only: apikeys_query_bounds() tells where
 * to look, apikeys_query_matches() whether a record found there is meant. Since 1.0.
 */
typedef struct apikeys_query apikeys_query;

APIKEYS_API int apikeys_query_kind(const apikeys_query *query);
APIKEYS_API int apikeys_query_index(const apikeys_query *query);
APIKEYS_API int apikeys_query_descending(const apikeys_query *query); /* 1 or 0 */
APIKEYS_API size_t apikeys_query_limit(const apikeys_query *query);   /* 0: no limit */

/*
 * The scope is part of every query: whose records may be answered. There is no "no scope means
 * all": ANY is spelled out. For APIKEYS_SCOPE_ORGANIZATION apikeys_query_organization() is the id;
 * APIKEYS_SCOPE_ENVIRONMENT is what belongs to no organization.
 */
enum { APIKEYS_SCOPE_ENVIRONMENT = 1, APIKEYS_SCOPE_ORGANIZATION = 2, APIKEYS_SCOPE_ANY = 3 };
APIKEYS_API int apikeys_query_scope(const apikeys_query *query);
APIKEYS_API const char *apikeys_query_organization(const apikeys_query *query, size_t *length);

/*
 * The values: position 0 … apikeys_query_equal_count() - 1 for the index's first fields,
 * APIKEYS_QUERY_LOWER (inclusive) and APIKEYS_QUERY_UPPER (exclusive) for the range on the field
 * behind them, which is the number where the index has no further field.
 * NULL lies in no range: a bound on either side leaves it out.
 * Gives the type, APIKEYS_TYPE_NULL where there is no such bound, and fills `integer`, or `bytes`
 * and `length`; they may be NULL.
 */
enum { APIKEYS_QUERY_LOWER = -1, APIKEYS_QUERY_UPPER = -2 };
APIKEYS_API int apikeys_query_equal_count(const apikeys_query *query);
APIKEYS_API int apikeys_query_value(const apikeys_query *query, int position, int64_t *integer,
                                    const void **bytes, size_t *length);

/*
 * The same as bytes: every entry that is meant has lower <= entry < upper under memcmp, with
 * entries as apikeys_record_index_key() makes them. Each buffer takes APIKEYS_INDEX_KEY_MAX bytes.
 */
APIKEYS_API int apikeys_query_bounds(const apikeys_query *query, void *lower, size_t *lower_length,
                                     void *upper, size_t *upper_length);

/*
 * 1 if the record is of the scope, has the values, lies in the range and meets every condition;
 * else 0. A store that finds records by other means may rely on this alone. Back-ends must ask it
 * for every record before they count or answer it: it is where scopes and conditions are enforced.
 */
APIKEYS_API int apikeys_query_matches(const apikeys_query *query, const apikeys_record *record);

/* 1 if the query has conditions beyond values, range and scope, so that a count
 * must look inside. */
APIKEYS_API int apikeys_query_has_conditions(const apikeys_query *query);

/*
 * Queries of one's own, to test a back-end with: the library makes its own by other means. The
 * values are those that a record, which is copied, has in the query's index: of its first `count`
 * fields, and as a bound of the field behind them (the number, where there is none). Set the
 * values first. `organization` is for APIKEYS_SCOPE_ORGANIZATION and else ignored.
 * apikeys_query_new(): NULL if there is no such kind, index or scope, or no memory. The others:
 * APIKEYS_ERROR_INVALID_ARGUMENT (another kind; NULL as a value; no field to bound or to look
 * into), APIKEYS_ERROR_NO_MEMORY. Since 1.0.
 */
APIKEYS_API apikeys_query *apikeys_query_new(int kind, int index, int scope,
                                             const char *organization, size_t length);
APIKEYS_API void apikeys_query_free(apikeys_query *query);
APIKEYS_API int apikeys_query_set_equal(apikeys_query *query, const apikeys_record *like,
                                        int count);
APIKEYS_API int apikeys_query_set_lower(apikeys_query *query, const apikeys_record *like);
APIKEYS_API int apikeys_query_set_upper(apikeys_query *query, const apikeys_record *like);
APIKEYS_API int apikeys_query_set_descending(apikeys_query *query, int descending);
APIKEYS_API int apikeys_query_set_limit(apikeys_query *query, size_t limit);
/* A condition: the text of that field has `text` in it, ASCII letters compared without case. */
APIKEYS_API int apikeys_query_set_contains(apikeys_query *query, int field, const char *text,
                                           size_t length);

/* --------------------------------------------------------------------------- the vtable ------ */

/* A transaction is the back-end's own: it completes this type in its own source. */
typedef struct apikeys_transaction apikeys_transaction;

enum { APIKEYS_TRANSACTION_READ = 0, APIKEYS_TRANSACTION_WRITE = 1 };

/* What scan() calls for each record; non-zero ends the scan, which then returns that number. */
typedef int (*apikeys_visitor)(const apikeys_record *record, void *visit_data);

/* apikeys_storage.capabilities */
enum {
  APIKEYS_STORAGE_DURABLE = 1,       /* a commit that returned 0 survives a crash of the machine */
  APIKEYS_STORAGE_MANY_PROCESSES = 2 /* other processes may change the store meanwhile */
};

/*
 * Isolation. Write transactions run one after the other. A read transaction sees one state of the
 * store, made of whole commits, at least as new as every commit that returned before it began.
 * A write transaction sees its own changes. Numbers of events order commits: whoever has seen
 * event N never later sees a new event numbered below N; serialized writes give that.
 *
 * Threads. Every slot may be called by several threads at once; one transaction is used by one
 * thread, from begin to commit or rollback, though it may hold what several threads asked for at
 * once (keys to be created or changed): a dear commit is then shared. The library holds none of
 * its locks around a slot, and no transaction while it calls the application. A slot must not call
 * back into the environment: it gets APIKEYS_ERROR_REENTERED.
 *
 * Codes. A slot returns 0 or a negative code of error.h; what means something to the library:
 *   APIKEYS_ERROR_NOT_FOUND        get, update, remove: no such record
 *   APIKEYS_ERROR_EXISTS           insert, update: a unique index already has that entry; the
 *                                  transaction stays usable, nothing was changed by the call
 *   APIKEYS_ERROR_BUSY             another writer holds the store for longer than is waited; the
 *                                  library passes it to its caller, who may try again
 *   APIKEYS_ERROR_OUTCOME_UNKNOWN  commit alone: it may have happened. The library passes it on
 * Others (…_STORAGE, …_STORAGE_FULL, …_CORRUPT, …_READ_ONLY, …_NO_MEMORY) are passed on. After any
 * other failure inside a transaction the library rolls back. A positive number from a slot is a
 * breach of this contract and becomes APIKEYS_ERROR_STORAGE_CONTRACT: it can never read as "good".
 *
 * Growth. Slots are only added, at the end. The library copies min(its, your) struct_size into a
 * zeroed struct of its own; slots it finds NULL are absent, a required one that is absent fails the
 * open. A struct larger than the library's is refused if the part it does not know is not zero.
 */
typedef struct apikeys_storage {
  uint32_t struct_size;  /* sizeof(apikeys_storage) as the back-end was compiled */
  uint32_t capabilities; /* APIKEYS_STORAGE_… */
  void *self;            /* the first argument of every slot */

  /* Required. Called exactly once, when no call is under way and no transaction is open; also if
   * the open that took this struct over fails. */
  void (*destroy)(void *self);

  /* Required. Start a transaction; may block for a bounded time, then APIKEYS_ERROR_BUSY. With 0,
   * *transaction is not NULL. */
  int (*begin)(void *self, int mode, apikeys_transaction **transaction);

  /* Required. Both end the transaction and free it, whatever they return. A read transaction's
   * commit only ends it. When commit of a write transaction returns 0 the change is visible to
   * every transaction that begins afterwards and, with APIKEYS_STORAGE_DURABLE, on disk. */
  int (*commit)(void *self, apikeys_transaction *transaction);
  void (*rollback)(void *self, apikeys_transaction *transaction);

  /* Required. The record that matches, into `out` (of that kind); the first one in the query's
   * order if several do. APIKEYS_ERROR_NOT_FOUND with `out` unspecified if none does. */
  int (*get)(void *self, apikeys_transaction *transaction, const apikeys_query *query,
             apikeys_record *out);

  /* Required. Add the record and set its number, field 0 (write transactions only). */
  int (*insert)(void *self, apikeys_transaction *transaction, apikeys_record *record);

  /* Required. Replace the record of that kind and number. */
  int (*update)(void *self, apikeys_transaction *transaction, const apikeys_record *record);

  /* Required. Remove the record of that kind and number. */
  int (*remove)(void *self, apikeys_transaction *transaction, int kind, int64_t number);

  /* Required. How many match; the query's limit does not apply. */
  int (*count)(void *self, apikeys_transaction *transaction, const apikeys_query *query,
               uint64_t *count);

  /* Required. Call `visit` for the records that match, in the query's order, at most `limit` of
   * them. The visitor makes no calls to the store. */
  int (*scan)(void *self, apikeys_transaction *transaction, const apikeys_query *query,
              apikeys_visitor visit, void *visit_data);

  /* Required. Insert the record or, where its id (index 0) exists, raise the integer `field` of the
   * stored one to the given one's if that is larger: a value never goes back. Nothing else
   * changes. */
  int (*raise)(void *self, apikeys_transaction *transaction, const apikeys_record *record,
               int field);

  /* Optional. An online copy into a new file at `path`, while others write. */
  int (*backup)(void *self, const char *path);

  /* Optional: needed where descriptors or locks must not cross fork(). Close what must not be
   * inherited; the next begin, in parent or child, opens it again. APIKEYS_ERROR_BUSY while a
   * transaction is open. */
  int (*prepare_fork)(void *self);

  /* Optional; without it every validation asks the store. A number that has changed if anything has
   * been committed that could alter a validation of a good key: a change for which
   * apikeys_record_identities() visits anything. (Counting every change of kinds for which
   * apikeys_schema_kind_validates() is 1, or every commit, is right too, and empties caches more
   * often.) No number comes again after another. It is at least as new as
   * every change whose commit returned before this call, in any process, and may be newer than the
   * last commit that returned. May not block; costs nanoseconds. UINT64_MAX is no generation.
   * APIKEYS_ERROR_UNSUPPORTED: it cannot be known now; the library then asks the store. */
  int (*generation)(void *self, uint64_t *generation);

  /* Optional; without it every change empties what is at hand. Call `visit` for what was changed
   * after `since`, a generation that was given before, up to what the transaction sees, in any
   * order; more may be told, never less. APIKEYS_ERROR_UNSUPPORTED: not known any more, anything
   * may have changed; a bounded log of changes is enough. */
  int (*changes)(void *self, apikeys_transaction *transaction, uint64_t since,
                 apikeys_change_visitor visit, void *visit_data);
} apikeys_storage;

/*
 * Fill `out` with the SQLite or the memory back-end, for a program that wraps one (to trace it, to
 * make it fail in tests). Owned by the caller until an apikeys_open_storage() takes it over; else
 * call out->destroy(out->self). `path` and the errors are those of apikeys_open_sqlite(); a busy
 * timeout below 0 takes the default. Since 1.0.
 */
APIKEYS_API int apikeys_storage_sqlite(apikeys_storage *out, const char *path, int busy_timeout_ms,
                                       apikeys_error *err) APIKEYS_WARN_UNUSED;
APIKEYS_API int apikeys_storage_memory(apikeys_storage *out,
                                       apikeys_error *err) APIKEYS_WARN_UNUSED;

#ifdef __cplusplus
}
#endif
#endif
