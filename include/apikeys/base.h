/* SPDX-License-Identifier: MIT */
/*
 * apikeys/base.h: what every other header needs: visibility, version, fork and size conventions.
 *
 * The contract that holds for all of libapikeys (ownership, threads, errors, units, fork) is
 * stated once, at the top of <apikeys.h>.
 */
#ifndef APIKEYS_BASE_H
#define APIKEYS_BASE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
#define APIKEYS_API __attribute__((visibility("default")))
#define APIKEYS_WARN_UNUSED __attribute__((warn_unused_result))
#else
#define APIKEYS_API
#define APIKEYS_WARN_UNUSED
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * As the length of a text that goes in: "up to its terminating NUL". For values, Authorization
 * headers and tokens the library looks no further than one byte beyond the longest valid text.
 * apikeys_nul() gives the same number to bindings. Since 1.0.
 */
#define APIKEYS_NUL ((size_t)-1)
APIKEYS_API size_t apikeys_nul(void);

/* The version of the headers a program was compiled with: major * 10000 + minor * 100 + patch */
#define APIKEYS_VERSION_NUMBER 10000
#define APIKEYS_VERSION_TEXT "1.0.0"

/*
 * The version of the library a program runs with, in the same form. A library of the same major
 * version with a number at least as large as APIKEYS_VERSION_NUMBER is compatible. Since 1.0.
 */
APIKEYS_API int apikeys_version_number(void);
APIKEYS_API const char *apikeys_version_text(void);

/*
 * For bindings, which cannot read these headers: every constant of theirs by name, without
 * "APIKEYS_" ("OWNER_MEMBER"), and its value, i < apikeys_constant_count(); "" and 0 beyond.
 * Results have a table of their own, in <apikeys/error.h>. Since 1.0.
 */
APIKEYS_API size_t apikeys_constant_count(void);
APIKEYS_API const char *apikeys_constant_name(size_t i);
APIKEYS_API int apikeys_constant_value(size_t i);

#ifdef __cplusplus
}
#endif
#endif
