/* SPDX-License-Identifier: MIT */
/* Writes --ready-file, and tells the supervisor. */
#include "ready_file.h"

#include "config.h"
#include "demo.h"
#include "log.h"
#include "notify.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *read_line(const char *path) {
  char *line = NULL;
  size_t size = 0;
  FILE *file = fopen(path, "re");
  if (file == NULL)
    return NULL;
  ssize_t length = getline(&line, &size, file);
  fclose(file);
  if (length > 0)
    line[strcspn(line, "\n")] = '\0';
  return line;
}

/* The URLs that a person or a test needs to begin. Includes the management key in a demo only:
 * otherwise it is in a file of its own. */
static json_t *describe(const struct service *service, const struct http_server *http,
                        const struct http_server *metrics) {
  json_t *about = json_pack("{s:s}", "url", http_server_url(http));
  if (about != NULL && metrics != NULL)
    json_object_set_new(about, "metrics_url", json_sprintf("%s/metrics", http_server_url(metrics)));
  if (about == NULL || service->demo == NULL)
    return about;
  char *value = read_line(service->config->management_key_file);
  json_object_set_new(about, "organization_id", json_string(demo_organization_id(service->demo)));
  if (value != NULL)
    json_object_set_new(about, "management_key", json_string(value));
  free(value);
  return about;
}

/* Writes under another name first, so that the file appears whole or not at all. */
static bool write_file(const char *path, const char *text) {
  size_t size = strlen(path) + 5, length = strlen(text);
  char *temporary = malloc(size);
  if (temporary == NULL)
    return false;
  snprintf(temporary, size, "%s.new", path);
  int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  bool good = fd >= 0 && write(fd, text, length) == (ssize_t)length;
  if (fd >= 0)
    good = close(fd) == 0 && good;
  good = good && rename(temporary, path) == 0;
  free(temporary);
  return good;
}

bool ready_file_write(struct service *service, const struct http_server *http,
                      const struct http_server *metrics) {
  const char *path = service->config->ready_file;
  bool good = true;
  if (path != NULL) {
    json_t *about = describe(service, http, metrics);
    char *text = about != NULL ? json_dumps(about, JSON_INDENT(2)) : NULL;
    good = text != NULL && write_file(path, text);
    if (!good)
      log_line(service->log, LOG_ERROR, "%s: %s", path, strerror(errno));
    free(text);
    json_decref(about);
  }
  if (good && metrics != NULL)
    log_line(service->log, LOG_INFO, "metrics on %s/metrics", http_server_url(metrics));
  if (good) {
    log_line(service->log, LOG_INFO, "serving on %s", http_server_url(http));
    notify_supervisor("READY=1");
  }
  return good;
}
