/* SPDX-License-Identifier: MIT */
/* The SQLite back-end. Nothing but storage/sqlite*.c includes sqlite3.h. */
#ifndef AK_STORAGE_SQLITE_H
#define AK_STORAGE_SQLITE_H

#include <apikeys/storage.h>

enum { AK_SQLITE_APPLICATION_ID = 0x414b6579 /* "AKey" */, AK_BUSY_TIMEOUT_DEFAULT_MS = 5000 };

#endif
