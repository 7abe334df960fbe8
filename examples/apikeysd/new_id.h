/* SPDX-License-Identifier: MIT */
/* Ids for the service's own objects, in the library's form: "user_" and a ULID. */
#ifndef SERVER_NEW_ID_H
#define SERVER_NEW_ID_H

#include <stddef.h>

enum { NEW_ID_MAX = 48 };

/* `prefix` without the '_'. */
void new_id(const char *prefix, char out[NEW_ID_MAX]);

#endif
