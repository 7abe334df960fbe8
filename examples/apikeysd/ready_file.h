/* SPDX-License-Identifier: MIT */
/* Announces that the service serves, and where: in the log, in --ready-file for programs, and to a
 * supervisor. */
#ifndef SERVER_READY_FILE_H
#define SERVER_READY_FILE_H

#include "http/server.h"
#include "service.h"

/* False: the file cannot be written; the log says why. */
/* `metrics` may be NULL. */
bool ready_file_write(struct service *service, const struct http_server *http,
                      const struct http_server *metrics);

#endif
