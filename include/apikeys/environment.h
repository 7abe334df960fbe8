/* SPDX-License-Identifier: MIT */
/*
 * apikeys/environment.h: opening and closing an environment, its options, its root key, and what
 * keeps it healthy: maintenance, backup, pruning, fork.
 *
 * An environment is one store with its own permissions, roles, organizations, members, keys and
 * events. Keys of one environment mean nothing in another. A handle may be used by many threads at
 * once, and several processes on one machine may have the same SQLite file open.
 */
#ifndef APIKEYS_ENVIRONMENT_H
#define APIKEYS_ENVIRONMENT_H

#include <apikeys/actor.h>
#include <apikeys/error.h>
#include <apikeys/storage.h>

#ifdef __cplusplus
extern "C" {
#endif

/* apikeys_env itself is declared in <apikeys/actor.h>. */

/* ------------------------------------------------------------------------------ options ------ */

/*
 * Options for opening. Set what you need, open as many environments with them as you like, free
 * them when you like: an environment keeps what it needs. A setter copies its arguments; it returns
 * 0, APIKEYS_ERROR_INVALID_ARGUMENT or APIKEYS_ERROR_NO_MEMORY. Since 1.0.
 *
 * Where an option takes a callback it takes `user_data` and `destroy` too; `destroy` (may be NULL)
 * is called exactly once with `user_data`, when the options and every environment opened with them
 * are gone or the option was set anew; also if the setter itself fails. Callbacks may be called
 * from every thread that uses the environment, several at a time, and must not call back into it:
 * that gives APIKEYS_ERROR_REENTERED.
 */
typedef struct apikeys_options apikeys_options;

APIKEYS_API apikeys_options *apikeys_options_new(void); /* NULL: out of memory */
APIKEYS_API void apikeys_options_free(apikeys_options *options);

/*
 * The root key: 32 bytes from which everything secret in the environment is derived or sealed. It
 * lives outside the store, so that a stolen store alone verifies nothing. The last of these four
 * to be set counts; with none, a SQLite environment uses the file `<database>.root` beside the
 * database, made with it (mode 0600), and a memory environment draws one that dies with it.
 *
 *   …_root_key           the bytes themselves; `length` must be 32. Wipe your copy.
 *   …_root_key_callback  asked at each open, and when another process has rotated the root key (a
 *                        KMS, a credential): fills 32 bytes, returns 0. Anything else fails the
 *                        open with APIKEYS_ERROR_ROOT_KEY_MISSING. `check_32_bytes` tells which
 *                        root key is wanted: its public check value, the first 8 bytes of which are
 *                        the 16 hex digits of messages; NULL for a new environment.
 *   …_root_key_file      a path, NUL-terminated: 32 raw bytes, readable by no other user. Made,
 *                        mode 0600, if it is missing and the environment is new. A mounted secret
 *                        (a symbolic link, a mount point, or mode 0440 of root and of a group that
 *                        this process is in, as in Kubernetes) is read and never written.
 *   …_root_key_in_store  non-zero: inside the store itself. This gives up what the root key is for:
 *                        whoever reads the store can make values that verify. For tests and demos.
 */
APIKEYS_API int apikeys_options_set_root_key(apikeys_options *options, const void *bytes,
                                             size_t length);
typedef int (*apikeys_root_key_callback)(void *out_32_bytes, const void *check_32_bytes,
                                         void *user_data);
APIKEYS_API int apikeys_options_set_root_key_callback(apikeys_options *options,
                                                      apikeys_root_key_callback callback,
                                                      void *user_data,
                                                      void (*destroy)(void *user_data));
APIKEYS_API int apikeys_options_set_root_key_file(apikeys_options *options, const char *path);
APIKEYS_API int apikeys_options_set_root_key_in_store(apikeys_options *options, int in_store);

/* How long a call may wait for other writers before APIKEYS_ERROR_BUSY, 0 to 600,000 ms; 5,000 if
 * not set. A change of a key that queues behind others of this process may wait twice as long.
 * SQLite only. */
APIKEYS_API int apikeys_options_set_busy_timeout_ms(apikeys_options *options, int timeout_ms);

/*
 * How many keys this process may keep at hand for validation (apikeys/validate.h): 0 to 67,108,864,
 * 0 for none; 65,536 if not set. Once it is full that is 380 bytes a key, or 80 where key objects
 * are never asked for; pages are taken as they are first touched. Keys beyond the number take the
 * places of those used longest ago.
 */
APIKEYS_API int apikeys_options_set_cache_keys(apikeys_options *options, size_t keys);

/*
 * The revocation journal of a SQLite environment: a file beside the database, never in a backup of
 * it, that names every revoked key (ids only). When an old backup is put in the database's place
 * while no process has it open, keys that were revoked since would be alive again: the next open
 * gives APIKEYS_ERROR_STORE_WENT_BACK instead. A revocation is in the journal, synced, before its
 * call returns; concurrent ones share one sync.
 *
 *   …_revocation_journal  the file's path, best on another disk than the database; "" or NULL: no
 *                         journal. Not set: `<path of the database>-revocations`.
 *   …_require_journal     1: a journal that is missing, damaged or cannot be made refuses the open.
 *                         0 (the default): a warning in the log, and a new journal.
 *   …_journal_retention_ms  how long a revocation stays in the journal, at least; 400 days if not set.
 *                         What is older is removed by an open once it is half of the file. Do not
 *                         restore a backup that is older.
 *   …_accept_restore      1: this open accepts a restored backup. Keys that the journal names are
 *                         revoked again, repeated creations are forgotten, new events get numbers
 *                         above all that were lost, and the event environment.restored tells of it.
 *                         A crash meanwhile is no harm: open so again. Do not leave it set.
 *
 * A journal that cannot be written (full, read-only) fails no change: APIKEYS_METRIC_JOURNAL_BEHIND
 * is 1 until it could be written again. Promised: no *revoked key* is alive after an accepted
 * restore, if the journal survived and was not restored with the backup. Not promised: other changes
 * (a shortened expiry, a lost permission, the keys of a deleted organization that were not swept
 * up yet), and whoever may write the directory can remove the journal. It grows by 64 bytes a
 * revocation and an open. Since 1.0.
 */
APIKEYS_API int apikeys_options_set_revocation_journal(apikeys_options *options, const char *path);
APIKEYS_API int apikeys_options_set_require_journal(apikeys_options *options, int require);
APIKEYS_API int apikeys_options_set_journal_retention_ms(apikeys_options *options,
                                                         int64_t retention_ms);
APIKEYS_API int apikeys_options_set_accept_restore(apikeys_options *options, int accept);

/*
 * Write recorded last-used times every so many milliseconds from a thread that each environment
 * opened with these options then has of its own: 100 to 3,600,000; 0, no thread, if not set. What a
 * crash may lose of them is one such interval. Without it they are written by apikeys_maintain, by
 * apikeys_close, and by a validation once 65,536 keys' times wait; with it apikeys_maintain has all
 * its other work left. The thread blocks all signals; it calls the clock, the log and the storage
 * back-end, as other threads do; it ends in apikeys_close and rests from apikeys_prepare_fork to
 * the next call. Opening gives APIKEYS_ERROR_NO_MEMORY if there is no thread to be had.
 * Since 1.0.
 */
APIKEYS_API int apikeys_options_set_flush_interval_ms(apikeys_options *options, int interval_ms);

/* The clock: Unix milliseconds. The system's real-time clock if not set. */
typedef int64_t (*apikeys_clock_callback)(void *user_data);
APIKEYS_API int apikeys_options_set_clock(apikeys_options *options, apikeys_clock_callback callback,
                                          void *user_data, void (*destroy)(void *user_data));

/*
 * Where log lines go; nowhere if not set. `message` is one line of English without a newline,
 * NUL-terminated, and never holds a value or a secret.
 *   APIKEYS_LOG_WARNING   something of ours went wrong behind the caller's back (a flush of usage)
 *   APIKEYS_LOG_SECURITY  a refused validation: outcome, lookup id, the request's address; of a
 *                         malformed value also what stands around it (blanks, a newline, quotes);
 *                         at most 10 lines a second, then one that says how many were left out
 */
enum { APIKEYS_LOG_WARNING = 1, APIKEYS_LOG_SECURITY = 2 };
typedef void (*apikeys_log_callback)(int level, const char *message, size_t length,
                                     void *user_data);
APIKEYS_API int apikeys_options_set_log(apikeys_options *options, apikeys_log_callback callback,
                                        void *user_data, void (*destroy)(void *user_data));

/*
 * For tests only: where random bytes come from. Fills `out`, returns 0; anything else fails the
 * call with APIKEYS_ERROR_RANDOM. The system's source if not set: leave it so, keys are as
 * unpredictable as this.
 */
typedef int (*apikeys_random_callback)(void *out, size_t length, void *user_data);
APIKEYS_API int apikeys_options_set_random(apikeys_options *options,
                                           apikeys_random_callback callback, void *user_data,
                                           void (*destroy)(void *user_data));

/* --------------------------------------------------------------------- opening, closing ------ */

/*
 * Open the environment in the SQLite database at `path` (NUL-terminated), making it, mode 0600, if
 * there is none. `options` and `err` may be NULL. On failure *env is untouched, and there is
 * nothing to free.
 *
 *   APIKEYS_ERROR_INVALID_ARGUMENT    an empty path, ":memory:", a "file:" URI
 *   APIKEYS_ERROR_CANNOT_OPEN         a directory, a symbolic link, no such directory, no access; a
 *                                     file with a second hard link, or that is itself a mount point
 *   APIKEYS_ERROR_READ_ONLY           the file or its directory cannot be written
 *   APIKEYS_ERROR_FOREIGN_STORE       a file of something else; it is left untouched
 *   APIKEYS_ERROR_SCHEMA_NEWER        written by a newer version of the library
 *   APIKEYS_ERROR_CORRUPT             damaged
 *   APIKEYS_ERROR_ROOT_KEY_MISSING    the root key file of an existing environment is not there;
 *                                     nothing was changed: put it back from your backup
 *   APIKEYS_ERROR_ROOT_KEY_WRONG      it is another environment's
 *   APIKEYS_ERROR_ROOT_KEY_MALFORMED  it is not 32 bytes long
 *   APIKEYS_ERROR_ROOT_KEY_EXPOSED    its mode lets other users read it
 *   APIKEYS_ERROR_FORKED              the process that forked this one had the file open
 *   APIKEYS_ERROR_OUTCOME_UNKNOWN     making or upgrading it may have succeeded: open it again
 *   and those of any call: …_BUSY, …_STORAGE, …_STORAGE_FULL, …_NO_MEMORY, …_RANDOM
 *
 * The file belongs on a local file system, one process must hold one copy of SQLite only, and
 * nobody may open the file or the two beside it ("-wal", "-shm") but through SQLite: these are
 * SQLite's own rules. An environment of an older schema is upgraded in one transaction, which adds
 * columns (at once, whatever the size) and builds new indexes (in proportion to the size).
 * Processes with an older version of the library that have the file open get
 * APIKEYS_ERROR_SCHEMA_NEWER from changes: restart them with the newer one.
 *
 * Other processes on this host may have the same file open, and may be killed at any time: a change
 * that one of them was told is done is seen by the next call of the others (for validations see
 * apikeys/validate.h).
 *
 * One file, one path: SQLite keeps two files beside the database, "-wal" and "-shm", and finds them
 * by its path. Give a container the directory, never the file alone; a database that has two paths
 * would hold two truths, and is refused. A hard link that is made later is logged as a warning.
 *
 * If one of the three files is removed or replaced, or something else than SQLite writes to the
 * database (a backup that is copied over it; `touch` too, since the file's time is what shows it),
 * every call gives APIKEYS_ERROR_STORE_REPLACED:
 * changes at once, all others within a second, until the environment is closed and opened again. A
 * change whose files are found gone after its commit gives APIKEYS_ERROR_OUTCOME_UNKNOWN, because
 * other processes will not see it. APIKEYS_ERROR_STORE_WENT_BACK: the database continues an earlier
 * state than one that this handle saw (a backup that was restored into it through SQLite). To
 * restore a backup, close first.
 * Since 1.0.
 */
APIKEYS_API int apikeys_open_sqlite(apikeys_env **env, const char *path,
                                    const apikeys_options *options,
                                    apikeys_error *err) APIKEYS_WARN_UNUSED;

/* Open a new environment in this process's memory: for tests, and for keys that may die with it. */
APIKEYS_API int apikeys_open_memory(apikeys_env **env, const apikeys_options *options,
                                    apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * Open the environment in a store of your own (apikeys/storage.h). The struct is copied; the store
 * behind it is taken over, also on failure: its destroy slot is called exactly once. The options
 * must name the root key. Since 1.0.
 */
APIKEYS_API int apikeys_open_storage(apikeys_env **env, const apikeys_storage *storage,
                                     const apikeys_options *options,
                                     apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * Flush recorded use and close. No other thread may be in a call on this environment, and none may
 * start one. Objects taken from it stay valid and are freed as usual, before or after; a
 * subscription that outlives it is quiet. NULL does nothing. Since 1.0.
 */
APIKEYS_API void apikeys_close(apikeys_env *env);

/* The environment's own id, "env_…". Lives as long as the environment. */
APIKEYS_API const char *apikeys_environment_id(const apikeys_env *env, size_t *length);

/*
 * What the environment counted in this process since it was opened, for a host's metrics: one
 * number each, as it stands at the moment. A key that is found in memory is counted nowhere, so
 * that nothing is written for it; take what the host counts itself, less the misses. 0 for a number
 * that this version does not know. From any thread. Since 1.0.
 */
enum {
  APIKEYS_METRIC_CACHE_CAPACITY = 1, /* keys that there is room for; 0: no cache */
  APIKEYS_METRIC_CACHE_KEYS = 2,     /* keys that are in it now */
  APIKEYS_METRIC_CACHE_MISSES = 3,   /* validations that the store was asked for, of management keys
                                        and of unknown values too, but not of malformed ones */
  APIKEYS_METRIC_CACHE_FILLS = 4,    /* keys put into it */
  APIKEYS_METRIC_CACHE_EVICTIONS = 5, /* keys that had to go for another one */
  APIKEYS_METRIC_CACHE_DROPS = 6,     /* keys dropped as they had changed, or might have */
  APIKEYS_METRIC_JOURNAL_BEHIND = 7   /* 1: revocations wait to be written to the journal */
};
APIKEYS_API uint64_t apikeys_environment_metric(const apikeys_env *env, int number);

/* -------------------------------------------------------------------------- maintenance ------ */

/*
 * Regular maintenance: writes recorded last-used times, revokes keys that were idle for longer than
 * the environment allows, drops idempotency keys older than 24 hours and documents that have
 * expired, prunes events past their retention, and removes what deleted organizations left behind.
 * Call it every few seconds from one thread of yours; calls at the same time are safe. Last-used
 * times that were not written when a process dies are lost, nothing else is.
 *
 * It works in transactions of at most 100 records, so that other writers get their turn; it may
 * take long where much is to be done. Looking for idle keys reads all keys: that happens at most a
 * hundred times in an idle lifetime, and at least every hour (a validation refuses an idle key by
 * itself). After an error what was done stays done; the next call continues.
 */
APIKEYS_API int apikeys_maintain(apikeys_env *env, apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * Copy the environment as it is now into a new file at `path`, while others go on writing.
 * APIKEYS_ERROR_EXISTS if there is such a file, APIKEYS_ERROR_UNSUPPORTED if the back-end cannot.
 * The root key file is not part of it: back it up once, elsewhere. Actor: the system, or
 * `apikeys:environment:write`.
 */
APIKEYS_API int apikeys_backup(apikeys_env *env, const apikeys_actor *actor, const char *path,
                               apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * Removes revoked keys and events that are older than `before_ms`, in transactions of at most 100
 * records. Event numbers below the first one that is kept are gone for good: a cursor behind it
 * gets APIKEYS_ERROR_CURSOR_EXPIRED. Leaves one event, with the first transaction that removes
 * something; after an error what was removed stays removed. Actor: the system, or
 * `apikeys:environment:write`.
 */
APIKEYS_API int apikeys_prune(apikeys_env *env, const apikeys_actor *actor, int64_t before_ms,
                              apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * Rotates the root key: seals every key and every document's secret under a new one. No key's value
 * changes, and none needs to be presented. For the default file, a file, or a store that holds the
 * root key: pass NULL and 0, and a new one is drawn. Else pass the 32 new bytes, which the next
 * open must be given. Leaves an event. Actor: the system, or `apikeys:environment:write`.
 *
 * One transaction, so that at each moment one root key opens all of the store; other writers wait
 * for it, and get APIKEYS_ERROR_BUSY after their busy timeout. Validations go on. Measured on two
 * cores with other work: 0.05 s with 1,000 keys, 11 to 20 s with 100,000; count on minutes with a
 * million.
 *
 * A new file is written first, named by the key's own check value (`<file>.` and 16 hex digits),
 * and takes the file's place by a rename behind the commit. A crash anywhere leaves the old or the
 * new key working; the next open finishes. The key before stays in `<file>.old.` and 16 hex digits
 * of its check value, so that a backup from before opens: the library never deletes these files.
 * Delete one when no backup needs it. The named file of a rotation that died before its commit
 * becomes such a file at the next rotation; one that was cut short is removed then.
 *
 * A mounted secret is never written: pass 32 new bytes there too. They must be in the secret
 * already, under the name that the message of APIKEYS_ERROR_ROOT_KEY_MISSING says (the file's name,
 * a dot and 16 hex digits), so that all other processes can follow; NULL gives
 * APIKEYS_ERROR_READ_ONLY. After the rotation make them the file itself.
 *
 * Other processes that have the environment open follow by themselves: with a file they read it,
 * with a callback they call it again (on a thread that is in a call), and with bytes they take what
 * apikeys_offer_root_key() gave them. Only where the key is not to be had, calls give
 * APIKEYS_ERROR_ROOT_KEY_WRONG; the message names the check that is wanted. A rotation does not ask
 * first whether the others have the key: on one host nothing tells which processes have the
 * environment open, and one that gets the key late goes on then. (Stores for several hosts, whose
 * processes are known by their leases, will record the next check and wait.)
 *
 * Widget tokens stay valid until they expire, through any number of rotations. After a theft pass
 * APIKEYS_ROTATE_COMPROMISED: then they end at once. Keys whose rows are damaged are skipped, and
 * each is named in the log (the first 10,000 of them); their values are refused.
 *
 * After APIKEYS_ERROR_OUTCOME_UNKNOWN opening the environment again finds out, and finishes.
 */
enum { APIKEYS_ROTATE_COMPROMISED = 1 };
APIKEYS_API int apikeys_rotate_root_key(apikeys_env *env, const apikeys_actor *actor,
                                        const void *bytes, size_t length, int flags,
                                        apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * A number that changes with each rotation flagged APIKEYS_ROTATE_COMPROMISED, and with nothing
 * else; 0 before the first. Keep it in sessions of your own and compare: if it is another, what was
 * handed out before the theft became known ends, as widget tokens do. Actor: the system, or
 * `apikeys:environment:read`. Since 1.0.
 */
APIKEYS_API int apikeys_root_key_epoch(apikeys_env *env, const apikeys_actor *actor, int64_t *epoch,
                                       apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * For a process whose options give the root key as bytes or by a callback: the key that another
 * process is about to rotate to, 32 bytes. It is copied (wipe yours) and kept until the store is
 * sealed under it, or another is offered.
 * APIKEYS_ERROR_INVALID_ARGUMENT: not 32 bytes. Since 1.0.
 */
APIKEYS_API int apikeys_offer_root_key(apikeys_env *env, const void *bytes, size_t length,
                                       apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * Make the environment safe to inherit: no SQLite connection may be open across fork(). No other
 * thread may be in a call on it from here to the fork. Afterwards parent and child go on using
 * their copy. Without it, an inherited environment answers every call in the child with
 * APIKEYS_ERROR_FORKED, and so does opening a file there which the parent had open.
 * APIKEYS_ERROR_BUSY while another thread is inside a transaction.
 */
APIKEYS_API int apikeys_prepare_fork(apikeys_env *env, apikeys_error *err) APIKEYS_WARN_UNUSED;

/* ----------------------------------------------------------------------------- settings ------ */

/*
 * What the environment itself is set to, the same for all processes. Get, change, update: update
 * writes only what was set since the get. Setters return 0, APIKEYS_ERROR_INVALID_ARGUMENT or
 * APIKEYS_ERROR_NO_MEMORY. Since 1.0.
 */
typedef struct apikeys_settings apikeys_settings;

APIKEYS_API apikeys_settings *apikeys_settings_new(void);
APIKEYS_API void apikeys_settings_free(apikeys_settings *settings);

/* Actor: the system, or `apikeys:environment:read`; for update `apikeys:environment:write`, which
 * leaves the event environment.updated. */
APIKEYS_API int apikeys_settings_get(apikeys_env *env, const apikeys_actor *actor,
                                     apikeys_settings *settings,
                                     apikeys_error *err) APIKEYS_WARN_UNUSED;
APIKEYS_API int apikeys_settings_update(apikeys_env *env, const apikeys_actor *actor,
                                        apikeys_settings *settings,
                                        apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * The prefix of new keys, "sk" unless set: 1 to 24 of a-z 0-9 _ , beginning with a letter and not
 * ending with '_'. Keys of earlier prefixes stay valid: they are in the accepted prefixes, a set
 * separated by blanks, until taken out; values with a prefix taken out are malformed. Choose one
 * that names you: public secret scanners take some prefixes for other companies' keys (sk_live,
 * sk_test, ghp, npm, hf, gsk and others), and a warning is logged if one of these is set. That set
 * is written whole: only settings that were got can add to it or take out of it.
 */
APIKEYS_API const char *apikeys_settings_prefix(const apikeys_settings *settings, size_t *length);
APIKEYS_API int apikeys_settings_set_prefix(apikeys_settings *settings, const char *prefix,
                                            size_t length);
APIKEYS_API const char *apikeys_settings_accepted_prefixes(const apikeys_settings *settings,
                                                           size_t *length);
APIKEYS_API int apikeys_settings_add_accepted_prefix(apikeys_settings *settings, const char *prefix,
                                                     size_t length);
APIKEYS_API int apikeys_settings_remove_accepted_prefix(apikeys_settings *settings,
                                                        const char *prefix, size_t length);

/* Policies for customers' keys; 0 is "off", which they all are at first. They hold for what is
 * created or changed afterwards; the idle lifetime holds for existing keys as well.
 *   max_lifetime_ms      an expiry may be at most this far away; no expiry counts as too far
 *   expiry_required      1: a key must have an expiry
 *   idle_lifetime_ms     a key that was not used (or, never used, not created) for so long is
 *                        refused as revoked, and revoked at the next maintenance
 *   max_keys_per_owner   how many keys that are not revoked an organization, or a member, may own
 *   grants_must_be_held  1: a member gives an organization's key only permissions they hold too
 *   event_retention_ms   maintenance prunes events older than this
 */
APIKEYS_API int64_t apikeys_settings_max_lifetime_ms(const apikeys_settings *settings);
APIKEYS_API int apikeys_settings_set_max_lifetime_ms(apikeys_settings *settings, int64_t ms);
APIKEYS_API int apikeys_settings_expiry_required(const apikeys_settings *settings);
APIKEYS_API int apikeys_settings_set_expiry_required(apikeys_settings *settings, int required);
APIKEYS_API int64_t apikeys_settings_idle_lifetime_ms(const apikeys_settings *settings);
APIKEYS_API int apikeys_settings_set_idle_lifetime_ms(apikeys_settings *settings, int64_t ms);
APIKEYS_API int64_t apikeys_settings_max_keys_per_owner(const apikeys_settings *settings);
APIKEYS_API int apikeys_settings_set_max_keys_per_owner(apikeys_settings *settings, int64_t count);
APIKEYS_API int apikeys_settings_grants_must_be_held(const apikeys_settings *settings);
APIKEYS_API int apikeys_settings_set_grants_must_be_held(apikeys_settings *settings, int required);
APIKEYS_API int64_t apikeys_settings_event_retention_ms(const apikeys_settings *settings);
APIKEYS_API int apikeys_settings_set_event_retention_ms(apikeys_settings *settings, int64_t ms);

#ifdef __cplusplus
}
#endif
#endif
