/* SPDX-License-Identifier: MIT */
#include "first_key.h"

#include "config.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define S(text) (text), strlen(text)

static int count_management_keys(apikeys_env *env, const apikeys_actor *system, size_t *count,
                                 apikeys_error *err) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  int rc = filter == NULL || page == NULL ? APIKEYS_ERROR_NO_MEMORY : APIKEYS_OK;
  if (rc == APIKEYS_OK)
    rc = apikeys_filter_set_owner_type(filter, APIKEYS_OWNER_ENVIRONMENT);
  if (rc == APIKEYS_OK)
    rc = apikeys_filter_set_limit(filter, 1);
  if (rc == APIKEYS_OK)
    rc = apikeys_key_list(env, system, filter, page, err);
  if (rc == APIKEYS_OK)
    *count = apikeys_page_count(page);
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  return rc;
}

static int make_key(apikeys_env *env, const apikeys_actor *system, char *value, size_t size,
                    apikeys_error *err) {
  static const char *const scopes[] = {
      "apikeys:environment:read",
      "apikeys:environment:write",
      "apikeys:permissions:read",
      "apikeys:permissions:write",
      "apikeys:roles:read",
      "apikeys:roles:write",
      "apikeys:organizations:read",
      "apikeys:organizations:write",
      "apikeys:members:read",
      "apikeys:members:write",
      "apikeys:keys:read",
      "apikeys:keys:write",
      "apikeys:management-keys:read",
      "apikeys:management-keys:write",
      "apikeys:widget-tokens:write",
      "apikeys:events:read",
      "apikeys:documents:read",
      "apikeys:documents:write",
  };
  apikeys_key_spec *spec = apikeys_key_spec_new();
  if (spec == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  apikeys_key_spec_set_environment(spec);
  apikeys_key_spec_set_name(spec, S("First management key"));
  for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++)
    apikeys_key_spec_add_permission(spec, S(scopes[i]));
  int rc = apikeys_key_create(env, system, spec, NULL, value, size, NULL, err);
  apikeys_key_spec_free(spec);
  return rc;
}

/* Opened before the key is made, so that no key is made that nobody can read. */
static int open_file(struct service *service) {
  const char *path = service->config->management_key_file;
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    log_line(service->log, LOG_ERROR, "%s: the first management key cannot be put there: %s", path,
             strerror(errno));
  return fd;
}

static bool write_value(int fd, const char *value) {
  size_t length = strlen(value);
  return write(fd, value, length) == (ssize_t)length && write(fd, "\n", 1) == 1 && fsync(fd) == 0;
}

static bool hand_over(struct service *service, const apikeys_actor *system, int fd,
                      apikeys_error *err) {
  char value[APIKEYS_VALUE_MAX];
  const char *path = service->config->management_key_file;
  int rc = make_key(service->env, system, value, sizeof value, err);
  bool written = rc == APIKEYS_OK && write_value(fd, value);
  if (rc != APIKEYS_OK)
    log_line(service->log, LOG_ERROR, "the first management key: %s", apikeys_error_message(err));
  else if (!written)
    log_line(service->log, LOG_ERROR, "%s: cannot be written", path);
  if (written) {
    log_line(service->log, LOG_INFO, "the first management key is in %s", path);
    if (isatty(STDOUT_FILENO))
      printf("The first management key, also in %s:\n\n  %s\n\n", path, value);
  } else {
    unlink(path);
  }
  sodium_memzero(value, sizeof value);
  return written;
}

bool first_key_ensure(struct service *service) {
  apikeys_actor *system = apikeys_actor_new();
  apikeys_error *err = apikeys_error_new();
  size_t count = 0;
  int rc = system == NULL ? APIKEYS_ERROR_NO_MEMORY
                          : apikeys_actor_set_system(system, S("first management key"));
  if (rc == APIKEYS_OK)
    rc = count_management_keys(service->env, system, &count, err);
  bool good = rc == APIKEYS_OK;
  if (!good)
    log_line(service->log, LOG_ERROR, "the first management key: %s", apikeys_error_message(err));
  if (good && count == 0) {
    int fd = open_file(service);
    good = fd >= 0 && hand_over(service, system, fd, err);
    if (fd >= 0)
      close(fd);
  }
  apikeys_error_free(err);
  apikeys_actor_free(system);
  return good;
}
