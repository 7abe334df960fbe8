/* SPDX-License-Identifier: MIT */
/*
 * Management keys that the service makes by itself: the first one, and one for `apikeysd recover`.
 */
#include "first_key.h"

#include "clock.h"
#include "config.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define S(text) (text), strlen(text)

#define MANAGES "apikeys:management-keys:write"

/* The management keys that are not revoked. */
struct present {
  bool any;
  bool manager; /* one that can make others, and has not expired */
};

static bool is_manager(const apikeys_key *key) {
  int64_t expires_at_ms = apikeys_key_expires_at_ms(key);
  const char *slug, *scopes = apikeys_key_permissions(key, NULL);
  size_t length = strlen(MANAGES);
  bool found = false;
  for (slug = scopes; !found && (slug = strstr(slug, MANAGES)) != NULL; slug += length)
    found = (slug == scopes || slug[-1] == ' ') && (slug[length] == '\0' || slug[length] == ' ');
  return found && (expires_at_ms == 0 || expires_at_ms > clock_unix_ms());
}

/* Reads pages until it finds a manager. */
static int find_management_keys(apikeys_env *env, const apikeys_actor *system,
                                struct present *present, apikeys_error *err) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  const char *after = "";
  size_t length = 0;
  int rc = filter == NULL || page == NULL
               ? APIKEYS_ERROR_NO_MEMORY
               : apikeys_filter_set_owner_type(filter, APIKEYS_OWNER_ENVIRONMENT);
  do {
    if (rc == APIKEYS_OK)
      rc = apikeys_filter_set_after(filter, after, length);
    if (rc == APIKEYS_OK)
      rc = apikeys_key_list(env, system, filter, page, err);
    for (size_t i = 0; rc == APIKEYS_OK && i < apikeys_page_count(page); i++) {
      present->any = true;
      present->manager = present->manager || is_manager(apikeys_page_key(page, i));
    }
    after = rc == APIKEYS_OK && !present->manager ? apikeys_page_after(page, &length) : "";
  } while (*after != '\0');
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  return rc;
}

static int make_key(apikeys_env *env, const apikeys_actor *system, const char *name,
                    apikeys_key *key, char *value, size_t size, apikeys_error *err) {
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
      MANAGES,
      "apikeys:widget-tokens:write",
      "apikeys:events:read",
      "apikeys:documents:read",
      "apikeys:documents:write",
  };
  apikeys_key_spec *spec = apikeys_key_spec_new();
  if (spec == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  apikeys_key_spec_set_environment(spec);
  apikeys_key_spec_set_name(spec, S(name));
  for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++)
    apikeys_key_spec_add_permission(spec, S(scopes[i]));
  int rc = apikeys_key_create(env, system, spec, key, value, size, NULL, err);
  apikeys_key_spec_free(spec);
  return rc;
}

/* Revokes a key whose value could not be written, so that it does not count as one that is left. */
static void take_back(struct service *service, const apikeys_actor *system, const apikeys_key *key,
                      apikeys_error *err) {
  const char *id = apikeys_key_id(key, NULL);
  if (apikeys_key_revoke(service->env, system, S(id), S("its value could not be written"), NULL,
                         err) != APIKEYS_OK)
    log_line(service->log, LOG_ERROR, "%s cannot be revoked: %s", id, apikeys_error_message(err));
}

/* Opens the file before the key is made, so that no key exists whose value is lost. */
static int open_file(struct service *service) {
  const char *path = service->config->management_key_file;
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    log_line(service->log, LOG_ERROR,
             "%s: a management key cannot be put there: %s; name another file with "
             "--management-key-file, or move this one away",
             path, strerror(errno));
  return fd;
}

static bool write_value(int fd, const char *value) {
  size_t length = strlen(value);
  return write(fd, value, length) == (ssize_t)length && write(fd, "\n", 1) == 1 && fsync(fd) == 0;
}

static bool hand_over(struct service *service, const apikeys_actor *system, const char *name,
                      int fd, apikeys_error *err) {
  char value[APIKEYS_VALUE_MAX];
  const char *path = service->config->management_key_file;
  apikeys_key *key = apikeys_key_new();
  int rc = key == NULL ? APIKEYS_ERROR_NO_MEMORY
                       : make_key(service->env, system, name, key, value, sizeof value, err);
  bool written = rc == APIKEYS_OK && write_value(fd, value);
  if (rc != APIKEYS_OK)
    log_line(service->log, LOG_ERROR, "%s: %s", name, apikeys_error_message(err));
  else if (!written)
    log_line(service->log, LOG_ERROR, "%s: cannot be written", path);
  if (written) {
    log_line(service->log, LOG_INFO, "%s: its value is in %s", name, path);
    if (isatty(STDOUT_FILENO))
      printf("%s, also in %s:\n\n  %s\n\n", name, path, value);
  } else {
    unlink(path);
    if (rc == APIKEYS_OK)
      take_back(service, system, key, err);
  }
  apikeys_key_free(key);
  sodium_memzero(value, sizeof value);
  return written;
}

static bool make_and_hand_over(struct service *service, const apikeys_actor *system,
                               const char *name, apikeys_error *err) {
  int fd = open_file(service);
  bool good = fd >= 0 && hand_over(service, system, name, fd, err);
  if (fd >= 0)
    close(fd);
  return good;
}

static apikeys_actor *system_actor(const char *reason) {
  apikeys_actor *system = apikeys_actor_new();
  if (system != NULL && apikeys_actor_set_system(system, S(reason)) != APIKEYS_OK) {
    apikeys_actor_free(system);
    system = NULL;
  }
  return system;
}

void first_key_ensure(struct service *service) {
  apikeys_actor *system = system_actor("first management key");
  apikeys_error *err = apikeys_error_new();
  struct present present = {false, false};
  int rc = system == NULL ? APIKEYS_ERROR_NO_MEMORY
                          : find_management_keys(service->env, system, &present, err);
  if (rc != APIKEYS_OK)
    log_line(service->log, LOG_ERROR, "the first management key: %s", apikeys_error_message(err));
  else if (present.any && !present.manager)
    log_line(service->log, LOG_WARNING,
             "no management key can make others: \"apikeysd recover\" makes one that can, also "
             "while this runs");
  else if (!present.any && !make_and_hand_over(service, system, "First management key", err))
    log_line(service->log, LOG_WARNING,
             "there is no management key: \"apikeysd recover\" makes one, also while this runs");
  apikeys_error_free(err);
  apikeys_actor_free(system);
}

bool first_key_recover(struct service *service) {
  apikeys_actor *system = system_actor("recover: by who owns the files");
  apikeys_error *err = apikeys_error_new();
  bool good =
      system != NULL && make_and_hand_over(service, system, "Recovered management key", err);
  apikeys_error_free(err);
  apikeys_actor_free(system);
  return good;
}
