/* SPDX-License-Identifier: MIT */
/*
 * apikeys/error.h: the result codes, and the error object that carries their detail.
 *
 * Every function that can fail returns an int:
 *
 *   0         good. From a validation or a `_require`, 0 means "good for this request" and nothing
 *             else does.
 *   positive  a refusal: the question was answered, and the answer is no. Only apikeys_validate*()
 *             and apikeys_*_require*() return these.
 *   negative  the call itself failed. Nothing was changed and no output was touched.
 *
 * Test for `!= 0` to refuse, for `< 0` to tell "our trouble" (503) from "not this key" (401, 403).
 */
#ifndef APIKEYS_ERROR_H
#define APIKEYS_ERROR_H

#include <apikeys/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What a code means to the outside. apikeys_result_category() gives it, apikeys_result_status()
 * the HTTP status that fits.
 */
enum {
  APIKEYS_CATEGORY_GOOD = 0,
  APIKEYS_CATEGORY_UNAUTHENTICATED = 1, /* 401: the value proves nothing */
  APIKEYS_CATEGORY_FORBIDDEN = 2,       /* 403: a good key, or a known actor, but not for this */
  APIKEYS_CATEGORY_LIMITED = 3,         /* 429: reserved for limits and quotas */
  APIKEYS_CATEGORY_INVALID = 4,         /* 400/422: the caller's input is wrong */
  APIKEYS_CATEGORY_ABSENT = 5,          /* 404 */
  APIKEYS_CATEGORY_CONFLICT = 6,        /* 409 */
  APIKEYS_CATEGORY_UNAVAILABLE = 7      /* 503: ours, or the machine's */
};

/* The category's name, "FORBIDDEN"; "UNKNOWN_CATEGORY" for another number. Static. Since 1.0. */
APIKEYS_API const char *apikeys_category_name(int category);

/*
 * The one table of results: X(name, number, category, text). The enum, the names, the texts and
 * the categories all come from it. Numbers are never changed or used again.
 */
#define APIKEYS_RESULT_MAP(X)                                                                      \
  X(OK, 0, GOOD, "good")                                                                           \
  /* Refusals. Their order is the order in which a validation asks. */                             \
  X(MALFORMED, 1, UNAUTHENTICATED, "the value is not an API key of this environment")              \
  X(UNKNOWN, 2, UNAUTHENTICATED, "no such API key")                                                \
  X(REVOKED, 3, UNAUTHENTICATED, "the API key was revoked")                                        \
  X(EXPIRED, 4, UNAUTHENTICATED, "the API key has expired")                                        \
  X(OWNER_INACTIVE, 5, UNAUTHENTICATED, "the API key's owner is gone or inactive")                 \
  X(MANAGEMENT_KEY, 6, FORBIDDEN, "a management key is not accepted here")                         \
  X(NOT_PERMITTED, 7, FORBIDDEN, "a required permission is missing")                               \
  /* The call failed: the caller's input. */                                                       \
  X(ERROR_INVALID_ARGUMENT, -1, INVALID, "an argument is invalid")                                 \
  X(ERROR_BUFFER_TOO_SMALL, -2, INVALID, "the buffer is too small")                                \
  X(ERROR_UNKNOWN_PERMISSION, -3, INVALID, "no such permission")                                   \
  X(ERROR_PERMISSION_NOT_AVAILABLE, -4, INVALID, "the permission is not available to API keys")    \
  X(ERROR_PERMISSION_NOT_HELD, -5, FORBIDDEN, "a permission that the actor or the owner lacks")    \
  X(ERROR_EXPIRY_REQUIRED, -6, INVALID, "this environment requires API keys to expire")            \
  X(ERROR_LIFETIME_TOO_LONG, -7, INVALID, "the lifetime exceeds the environment's maximum")        \
  X(ERROR_CURSOR_UNKNOWN, -8, INVALID,                                                             \
    "the cursor names nothing that this list can continue from")                                   \
  X(ERROR_CURSOR_EXPIRED, -9, INVALID, "the cursor points before the oldest event that is kept")   \
  /* The call failed: who asks, and what is there. */                                              \
  X(ERROR_NOT_ALLOWED, -20, FORBIDDEN, "the actor may not do this")                                \
  X(ERROR_ACTOR_UNKNOWN, -21, UNAUTHENTICATED,                                                     \
    "the actor is unknown, inactive or no longer valid")                                           \
  X(ERROR_TOKEN_INVALID, -22, UNAUTHENTICATED, "the widget token is not valid")                    \
  X(ERROR_TOKEN_EXPIRED, -23, UNAUTHENTICATED, "the widget token has expired")                     \
  X(ERROR_NOT_FOUND, -24, ABSENT, "not found")                                                     \
  X(ERROR_EXISTS, -25, CONFLICT, "this already exists")                                            \
  X(ERROR_ALREADY_REVOKED, -26, CONFLICT, "the API key was revoked before")                        \
  X(ERROR_ALREADY_EXPIRED, -27, CONFLICT, "the API key has expired before")                        \
  X(ERROR_IN_USE, -28, CONFLICT, "it is in use")                                                   \
  X(ERROR_SYSTEM_OBJECT, -29, FORBIDDEN, "a system object cannot be changed or deleted")           \
  X(ERROR_TOO_MANY_KEYS, -30, CONFLICT,                                                            \
    "the owner has as many API keys as the environment allows")                                    \
  X(ERROR_IDEMPOTENCY_MISMATCH, -31, CONFLICT, "the idempotency key was used for another request") \
  X(ERROR_IDEMPOTENCY_USED, -32, CONFLICT,                                                         \
    "the API key that this idempotency key made is already in use")                                \
  X(ERROR_CHANGED, -33, CONFLICT, "it was changed since it was read")                              \
  X(ERROR_LAST_MANAGEMENT_KEY, -34, CONFLICT,                                                      \
    "the last management key that can make others: only the system may let go of it")              \
  X(ERROR_IDEMPOTENCY_IN_FLIGHT, -35, CONFLICT,                                                    \
    "the request with this idempotency key was made a moment ago: wait ten seconds, then repeat")  \
  /* The call failed: the store. */                                                                \
  X(ERROR_STORAGE, -40, UNAVAILABLE, "the store failed")                                           \
  X(ERROR_BUSY, -41, UNAVAILABLE, "the store is busy")                                             \
  X(ERROR_STORAGE_FULL, -42, UNAVAILABLE, "the store is full")                                     \
  X(ERROR_CORRUPT, -43, UNAVAILABLE, "the store is damaged")                                       \
  X(ERROR_READ_ONLY, -44, UNAVAILABLE, "the store cannot be written")                              \
  X(ERROR_OUTCOME_UNKNOWN, -45, UNAVAILABLE, "the change may or may not have been made")           \
  X(ERROR_CANNOT_OPEN, -46, UNAVAILABLE, "the store cannot be opened")                             \
  X(ERROR_FOREIGN_STORE, -47, UNAVAILABLE, "the file holds something else than an environment")    \
  X(ERROR_SCHEMA_NEWER, -48, UNAVAILABLE,                                                          \
    "the store was written by a newer version of the library: restart with that version")          \
  X(ERROR_STORE_REPLACED, -49, UNAVAILABLE, "the store's files were replaced or removed")          \
  X(ERROR_UNSUPPORTED, -50, UNAVAILABLE, "the store cannot do this")                               \
  X(ERROR_STORAGE_CONTRACT, -51, UNAVAILABLE, "the back-end broke the storage contract")           \
  X(ERROR_STORE_WENT_BACK, -52, UNAVAILABLE, "the store went back to an earlier state")            \
  /* The call failed: the root key. */                                                             \
  X(ERROR_ROOT_KEY_MISSING, -60, UNAVAILABLE, "the root key is missing")                           \
  X(ERROR_ROOT_KEY_WRONG, -61, UNAVAILABLE, "the root key belongs to another environment")         \
  X(ERROR_ROOT_KEY_MALFORMED, -62, UNAVAILABLE, "the root key is not 32 bytes long")               \
  X(ERROR_ROOT_KEY_EXPOSED, -63, UNAVAILABLE, "the root key file can be read by other users")      \
  /* The call failed: the process. */                                                              \
  X(ERROR_NO_MEMORY, -70, UNAVAILABLE, "out of memory")                                            \
  X(ERROR_RANDOM, -71, UNAVAILABLE, "the random source failed")                                    \
  X(ERROR_FORKED, -72, UNAVAILABLE,                                                                \
    "an environment or file of the parent process was used: call apikeys_prepare_fork() before "   \
    "fork(), or open the environment in the child")                                                \
  X(ERROR_REENTERED, -73, UNAVAILABLE, "a callback of the store called back into the environment")

enum {
#define APIKEYS_RESULT_ENUM(name, number, category, text) APIKEYS_##name = (number),
  APIKEYS_RESULT_MAP(APIKEYS_RESULT_ENUM)
#undef APIKEYS_RESULT_ENUM
};

/*
 * The code's name without the library's prefix ("REVOKED", "ERROR_BUSY"), its English text, its
 * category (APIKEYS_CATEGORY_…) and the HTTP status for it. An unknown number gives
 * "UNKNOWN_RESULT", a text that says so, APIKEYS_CATEGORY_UNAVAILABLE and 503: unknown never reads
 * as good. The strings are static. Since 1.0.
 */
APIKEYS_API const char *apikeys_result_name(int result);
APIKEYS_API const char *apikeys_result_text(int result);
APIKEYS_API int apikeys_result_category(int result);
APIKEYS_API int apikeys_result_status(int result);

/*
 * For bindings: the results one after the other, so that they need not be written down twice.
 * apikeys_result_at(i) is the i-th code of the table, i < apikeys_result_count(). Since 1.0.
 */
APIKEYS_API size_t apikeys_result_count(void);
APIKEYS_API int apikeys_result_at(size_t i);

/*
 * The detail of a failed call. Make one, pass it to as many calls as you like, one thread at a
 * time; every call that takes one overwrites it, a good call with "good". Passing NULL is always
 * allowed. No message ever holds a key's value or another secret. Since 1.0.
 */
typedef struct apikeys_error apikeys_error;

APIKEYS_API apikeys_error *apikeys_error_new(void); /* NULL: out of memory */
APIKEYS_API void apikeys_error_free(apikeys_error *err);

/* As it was when it was new: good. What an earlier call said is gone. */
APIKEYS_API void apikeys_error_clear(apikeys_error *err);

APIKEYS_API int apikeys_error_code(const apikeys_error *err) APIKEYS_WARN_UNUSED;

/*
 * What went wrong, in one English sentence for a log: "name: must be 1 to 255 bytes long".
 * Lives until the error is used again or freed; never NULL.
 */
APIKEYS_API const char *apikeys_error_message(const apikeys_error *err);

/*
 * The part of the input that is at fault, as a short word ("name", "permissions", "expires_at"),
 * for interfaces that mark a field; "" if it is none in particular.
 */
APIKEYS_API const char *apikeys_error_field(const apikeys_error *err);

/*
 * The id of the object that stands in the way, if one does (the key that an idempotency key made
 * before; the slug that does not exist); "" otherwise.
 */
APIKEYS_API const char *apikeys_error_subject(const apikeys_error *err);

#ifdef __cplusplus
}
#endif
#endif
