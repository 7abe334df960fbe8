/* SPDX-License-Identifier: MIT */
/*
 * apikeys/validate.h: is this value good for this request?
 *
 *   int rc = apikeys_validate(env, value, length, need, NULL, key, NULL);
 *   if (rc != 0)
 *     return respond(apikeys_result_status(rc));   // 401, 403, or 503 when it is our trouble
 *
 * The return value is 0 if and only if the key is good for this request.
 */
#ifndef APIKEYS_VALIDATE_H
#define APIKEYS_VALIDATE_H

#include <apikeys/key.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What a route requires. Make one per route, at start, and share it: after its first use it is
 * frozen, any number of threads may use it at once, and its setters return
 * APIKEYS_ERROR_INVALID_ARGUMENT. If a setter failed, no key meets the requirement: validations of
 * good keys return the setter's code, and the error names the field and the reason. Free it when no
 * validation uses it any more. Since 1.0.
 */
typedef struct apikeys_requirement apikeys_requirement;

APIKEYS_API apikeys_requirement *apikeys_requirement_new(void); /* NULL: out of memory */
APIKEYS_API void apikeys_requirement_free(apikeys_requirement *requirement);

/* The key must have this permission, and every other one that was added. A slug that does not exist
 * refuses every key. */
APIKEYS_API int apikeys_requirement_add_permission(apikeys_requirement *requirement,
                                                   const char *slug, size_t length);

/* 1: management keys are accepted too; their scopes count as permissions. Refused if not set. */
APIKEYS_API int apikeys_requirement_set_accept_management_keys(apikeys_requirement *requirement,
                                                               int accept);

/*
 * What one request brings; optional, by one thread at a time. Setters return 0,
 * APIKEYS_ERROR_INVALID_ARGUMENT or APIKEYS_ERROR_NO_MEMORY. If one failed, so do the validations
 * that use the request, until the same field is set well. Since 1.0.
 */
typedef struct apikeys_request apikeys_request;

APIKEYS_API apikeys_request *apikeys_request_new(void); /* NULL: out of memory */
APIKEYS_API void apikeys_request_free(apikeys_request *request);

/* The time to judge expiry by and to record as the key's use; 0, the default: the environment's
 * clock. */
APIKEYS_API int apikeys_request_set_time_ms(apikeys_request *request, int64_t unix_ms);

/* For the security log: the client's address and the request's id, up to 255 bytes of text. */
APIKEYS_API int apikeys_request_set_address(apikeys_request *request, const char *text,
                                            size_t length);
APIKEYS_API int apikeys_request_set_request_id(apikeys_request *request, const char *text,
                                               size_t length);

/*
 * Validate a value: 0 if it is a good key for this request. `requirement`, `request`, `key` and
 * `err` may each be NULL: without a requirement any customer's key that is good will do; without a
 * key the answer is the decision alone. `key` is overwritten on 0 only.
 *
 * Refusals, in the order in which they are asked for; the first one that holds is the answer:
 *   APIKEYS_MALFORMED       not the text of a key of this environment: length, alphabet, checksum,
 *                           prefix. Typos end here, mostly without a look into the store.
 *   APIKEYS_UNKNOWN         no such key. An unknown lookup id and a wrong secret are the same
 *                           answer.
 *   APIKEYS_REVOKED         also: idle for longer than the environment allows
 *   APIKEYS_EXPIRED         at or after its expiry
 *   APIKEYS_OWNER_INACTIVE  its organization or member is gone or not active
 *   APIKEYS_MANAGEMENT_KEY  a management key, which the requirement does not accept
 *   APIKEYS_NOT_PERMITTED   a required permission is missing; the error's subject says which
 * Those after UNKNOWN are reached only with the right secret, so they tell an attacker nothing.
 *
 * Negative: the question could not be answered (the store, memory, a fork): refuse with 503.
 *
 * When a change is seen. Good keys are cached in memory. Once any thread or process on this host
 * has been told that a change succeeded (a call that returned 0, a COMMIT in the sqlite3 shell),
 * every validation that starts afterwards sees it. Each validation first asks the store, in
 * nanoseconds, whether anything was committed. If the store cannot tell, it is asked for the key
 * itself: slower, never late. That is so for a store of your own without generation()
 * (apikeys/storage.h), while the database's log of changes (the tables "head" and "changes", the
 * view "new_changes", the triggers on them and those named changes_…) is not as the library made it
 * or other triggers are on the same tables, and with a bound of 0 in
 * apikeys_options_set_cache_keys(). A child of a fork uses nothing that its parent knew.
 *
 * Changes that bypass SQLite's triggers are not noticed at once: another host on a network file
 * system; a program that writes to the file itself; a connection with triggers turned off, with a
 * TEMP trigger that ignores changes to these tables, or that edits the schema's own table or number
 * (PRAGMA writable_schema, PRAGMA schema_version). Only who may write the database can do these.
 *
 * The clock. Expiry is judged at every validation, to the millisecond of the environment's clock.
 * A clock that is set back revives nothing: after a key was refused as expired by this handle, it
 * and every key of the same expiry or an earlier one count as expired in every call, until the
 * environment is opened anew. Customers' keys, management keys, idle keys, widget tokens,
 * idempotency keys and documents do not count for each other in this. A request's own time
 * (apikeys_request_set_time_ms) counts for that request alone.
 *
 * The time it takes does not depend on any character of the secret. The lookup id is public, and
 * whether it exists may show in the store's timing. `value` needs no terminator and is not kept.
 */
APIKEYS_API int apikeys_validate(apikeys_env *env, const char *value, size_t length,
                                 const apikeys_requirement *requirement,
                                 const apikeys_request *request, apikeys_key *key,
                                 apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * Validate `count` values at once, against one requirement: quicker than one by one, as what they
 * wait for overlaps and the store is asked for many in one transaction. values[i] has lengths[i]
 * bytes; `keys` may be NULL, or hold `count` key objects, each of its own or NULL.
 *
 * results[i] is what apikeys_validate() gives for values[i], and keys[i] is overwritten where that
 * is 0 only. The return value is about the call: 0 means that every value was judged, not that any
 * is good. If it is not 0, results[i] is still right wherever it is not negative; before anything
 * else all are set to a negative code, so that what was not judged is refused. The refusal's
 * details, such as the permission missing, are told by apikeys_validate() only. Since 1.0.
 */
APIKEYS_API int apikeys_validate_many(apikeys_env *env, const char *const *values,
                                      const size_t *lengths, size_t count,
                                      const apikeys_requirement *requirement,
                                      const apikeys_request *request, apikeys_key *const *keys,
                                      int *results, apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * The same for the value of an HTTP Authorization header: "Bearer <value>" (RFC 6750; the scheme in
 * any case, one blank or more). Anything else, such as no value, a tab, a blank behind, or another
 * scheme, is APIKEYS_MALFORMED. Where a request has more than one such header, refuse it before
 * asking.
 */
APIKEYS_API int apikeys_validate_authorization(apikeys_env *env, const char *header, size_t length,
                                               const apikeys_requirement *requirement,
                                               const apikeys_request *request, apikeys_key *key,
                                               apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * Hold a key that was validated before against another requirement: 0, APIKEYS_MANAGEMENT_KEY,
 * APIKEYS_NOT_PERMITTED. It judges the object as it is: validate each request anew.
 */
APIKEYS_API int apikeys_key_require(const apikeys_key *key,
                                    const apikeys_requirement *requirement) APIKEYS_WARN_UNUSED;

#ifdef __cplusplus
}
#endif
#endif
