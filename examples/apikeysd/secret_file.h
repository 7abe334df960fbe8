/* SPDX-License-Identifier: MIT */
/* Reads files that hold secrets: whole, and only if no other user can read them. */
#ifndef SERVER_SECRET_FILE_H
#define SERVER_SECRET_FILE_H

#include "log.h"

#include <stddef.h>
#include <sys/stat.h>

/* Other readers that the file's mode may allow. A group may be intended (Debian's ssl-cert). With
 * access lists, as systemd's credentials have, the group's bits say nothing about the group. */
enum secret_readers {
  SECRET_OF_OWNER = S_IRWXG | S_IRWXO,
  SECRET_OF_GROUP = S_IRWXO,
  SECRET_OF_ALL = 0 /* a certificate: readers do not matter */
};

/* The file's bytes with a NUL behind, from malloc. NULL: the log says why, with the name of the
 * setting that names the file. `max`: the most bytes that it may have. */
char *secret_file_read(struct log *log, const char *setting, const char *path, size_t max,
                       enum secret_readers readers, size_t *length);
/* Wipes and frees the bytes. NULL does nothing. */
void secret_file_free(char *bytes, size_t length);

#endif
