/* SPDX-License-Identifier: MIT */
/* Prefixes by which public secret scanners know other companies' keys. Pure. */
#ifndef AK_CRYPTO_KNOWN_PREFIXES_H
#define AK_CRYPTO_KNOWN_PREFIXES_H

#include <stddef.h>

/* The company whose keys a scanner would take ours for; NULL: none that we know of. */
const char *ak_known_prefix_owner(const char *prefix, size_t length);

#endif
