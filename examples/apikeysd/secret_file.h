/* SPDX-License-Identifier: MIT */
/* Files with secrets in them: read whole, and only if nobody else can read them. */
#ifndef SERVER_SECRET_FILE_H
#define SERVER_SECRET_FILE_H

#include "log.h"

#include <stddef.h>
#include <sys/stat.h>

/* Who else may be let in by the file's mode. A group may be meant (Debian's ssl-cert); with access
 * lists the group's bits tell nothing about the group, and systemd's credentials have one. */
enum secret_readers {
  SECRET_OF_OWNER = S_IRWXG | S_IRWXO,
  SECRET_OF_GROUP = S_IRWXO,
  SECRET_OF_ALL = 0 /* none, really: a certificate */
};

/*
 * The file's bytes with a NUL behind, from malloc; NULL: said in the log, in the words of the
 * setting that names the file. `max`: bytes that it may have at most.
 */
char *secret_file_read(struct log *log, const char *setting, const char *path, size_t max,
                       enum secret_readers readers, size_t *length);
/* Wipes them. NULL does nothing. */
void secret_file_free(char *bytes, size_t length);

#endif
