/* SPDX-License-Identifier: MIT */
/* Options of an environment, with the clock, random source and log that they can replace. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* CLOCK_REALTIME_COARSE */
#endif
#include "operation/options.h"

#include "base/misplaced_secret.h"
#include "cache/cache.h"
#include "storage/storage.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BUSY_TIMEOUT_MAX_MS = 600000 };
enum { FLUSH_INTERVAL_MIN_MS = 100, FLUSH_INTERVAL_MAX_MS = 3600000 };

static struct ak_callback_data *callback_data_new(void *user_data, void (*destroy)(void *)) {
  struct ak_callback_data *data = malloc(sizeof *data);
  if (data == NULL) {
    if (destroy != NULL)
      destroy(user_data);
    return NULL;
  }
  atomic_init(&data->references, 1);
  data->user_data = user_data;
  data->destroy = destroy;
  return data;
}

static struct ak_callback_data *callback_data_share(struct ak_callback_data *data) {
  if (data != NULL)
    atomic_fetch_add_explicit(&data->references, 1, memory_order_relaxed);
  return data;
}

static void callback_data_drop(struct ak_callback_data **data) {
  struct ak_callback_data *old = *data;
  *data = NULL;
  if (old == NULL || atomic_fetch_sub_explicit(&old->references, 1, memory_order_acq_rel) != 1)
    return;
  if (old->destroy != NULL)
    old->destroy(old->user_data);
  free(old);
}

/* The new data into *slot, the old one's reference dropped; the caller sets the function. */
static int replace_data(struct ak_callback_data **slot, bool valid, void *user_data,
                        void (*destroy)(void *)) {
  if (!valid) {
    if (destroy != NULL)
      destroy(user_data);
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  }
  struct ak_callback_data *data = callback_data_new(user_data, destroy);
  if (data == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  callback_data_drop(slot);
  *slot = data;
  return APIKEYS_OK;
}

static void options_set_defaults(apikeys_options *options) {
  options->busy_timeout_ms = -1;
  options->cache_keys = AK_CACHE_KEYS_DEFAULT;
  options->journal_retention_ms = INT64_C(400) * 24 * 3600 * 1000;
}

apikeys_options *apikeys_options_new(void) {
  if (ak_crypto_init() != APIKEYS_OK)
    return NULL;
  apikeys_options *options = calloc(1, sizeof *options);
  if (options != NULL)
    options_set_defaults(options);
  return options;
}

static void forget_root(apikeys_options *options) {
  ak_secret_free(options->root_key);
  options->root_key = NULL;
  free(options->root_path);
  options->root_path = NULL;
  options->root_callback = NULL;
  callback_data_drop(&options->root_data);
  options->root_source = AK_ROOT_UNSET;
}

void ak_options_release(apikeys_options *options) {
  forget_root(options);
  free(options->journal_path);
  callback_data_drop(&options->clock_data);
  callback_data_drop(&options->log_data);
  callback_data_drop(&options->random_data);
}

void apikeys_options_free(apikeys_options *options) {
  if (options == NULL)
    return;
  ak_options_release(options);
  free(options);
}

static uint8_t *copy_root_key(const void *bytes) {
  uint8_t *copy = ak_secret_alloc(AK_KEY_BYTES);
  if (copy != NULL)
    memcpy(copy, bytes, AK_KEY_BYTES);
  return copy;
}

int ak_options_copy(apikeys_options *to, const apikeys_options *from) {
  memset(to, 0, sizeof *to);
  options_set_defaults(to);
  if (from == NULL)
    return APIKEYS_OK;
  *to = *from;
  to->root_key = NULL;
  to->root_path = NULL;
  to->journal_path = NULL;
  to->root_data = callback_data_share(from->root_data);
  to->clock_data = callback_data_share(from->clock_data);
  to->log_data = callback_data_share(from->log_data);
  to->random_data = callback_data_share(from->random_data);
  if (from->root_key != NULL && (to->root_key = copy_root_key(from->root_key)) == NULL)
    goto no_memory;
  if (from->root_path != NULL && (to->root_path = strdup(from->root_path)) == NULL)
    goto no_memory;
  if (from->journal_path != NULL && (to->journal_path = strdup(from->journal_path)) == NULL)
    goto no_memory;
  return APIKEYS_OK;
no_memory:
  ak_options_release(to);
  return APIKEYS_ERROR_NO_MEMORY;
}

int ak_options_set_root_path(apikeys_options *options, const char *path) {
  char *copy = strdup(path);
  if (copy == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  forget_root(options);
  options->root_path = copy;
  options->root_source = AK_ROOT_FILE;
  return APIKEYS_OK;
}

int apikeys_options_set_root_key(apikeys_options *options, const void *bytes, size_t length) {
  if (options == NULL || bytes == NULL || length != AK_KEY_BYTES)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  uint8_t *copy = copy_root_key(bytes);
  if (copy == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  forget_root(options);
  options->root_key = copy;
  options->root_source = AK_ROOT_BYTES;
  return APIKEYS_OK;
}

int apikeys_options_set_root_key_callback(apikeys_options *options,
                                          apikeys_root_key_callback callback, void *user_data,
                                          void (*destroy)(void *user_data)) {
  struct ak_callback_data *data = NULL;
  int rc = replace_data(&data, options != NULL && callback != NULL, user_data, destroy);
  if (rc != APIKEYS_OK)
    return rc;
  forget_root(options);
  options->root_callback = callback;
  options->root_data = data;
  options->root_source = AK_ROOT_CALLBACK;
  return APIKEYS_OK;
}

int apikeys_options_set_root_key_file(apikeys_options *options, const char *path) {
  if (options == NULL || path == NULL || path[0] == '\0')
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  return ak_options_set_root_path(options, path);
}

int apikeys_options_set_root_key_in_store(apikeys_options *options, int in_store) {
  if (options == NULL || (in_store != 0 && in_store != 1))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  forget_root(options);
  options->root_source = in_store != 0 ? AK_ROOT_IN_STORE : AK_ROOT_UNSET;
  return APIKEYS_OK;
}

int apikeys_options_set_busy_timeout_ms(apikeys_options *options, int timeout_ms) {
  if (options == NULL || timeout_ms < 0 || timeout_ms > BUSY_TIMEOUT_MAX_MS)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  options->busy_timeout_ms = timeout_ms;
  return APIKEYS_OK;
}

int apikeys_options_set_cache_keys(apikeys_options *options, size_t keys) {
  if (options == NULL || keys > AK_CACHE_KEYS_MAX)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  options->cache_keys = keys;
  return APIKEYS_OK;
}

int apikeys_options_set_flush_interval_ms(apikeys_options *options, int interval_ms) {
  if (options == NULL || interval_ms > FLUSH_INTERVAL_MAX_MS ||
      (interval_ms != 0 && interval_ms < FLUSH_INTERVAL_MIN_MS))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  options->flush_interval_ms = interval_ms;
  return APIKEYS_OK;
}

int apikeys_options_set_revocation_journal(apikeys_options *options, const char *path) {
  char *copy = options != NULL ? strdup(path != NULL ? path : "") : NULL;
  if (copy == NULL)
    return options == NULL ? APIKEYS_ERROR_INVALID_ARGUMENT : APIKEYS_ERROR_NO_MEMORY;
  free(options->journal_path);
  options->journal_path = copy;
  return APIKEYS_OK;
}

int apikeys_options_set_require_journal(apikeys_options *options, int require) {
  if (options == NULL || (require != 0 && require != 1))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  options->require_journal = require;
  return APIKEYS_OK;
}

int apikeys_options_set_journal_retention_ms(apikeys_options *options, int64_t retention_ms) {
  if (options == NULL || retention_ms < 1)
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  options->journal_retention_ms = retention_ms;
  return APIKEYS_OK;
}

int apikeys_options_set_accept_restore(apikeys_options *options, int accept) {
  if (options == NULL || (accept != 0 && accept != 1))
    return APIKEYS_ERROR_INVALID_ARGUMENT;
  options->accept_restore = accept;
  return APIKEYS_OK;
}

int apikeys_options_set_clock(apikeys_options *options, apikeys_clock_callback callback,
                              void *user_data, void (*destroy)(void *user_data)) {
  bool valid = options != NULL && callback != NULL;
  int rc = replace_data(valid ? &options->clock_data : NULL, valid, user_data, destroy);
  if (rc == APIKEYS_OK)
    options->clock = callback;
  return rc;
}

int apikeys_options_set_log(apikeys_options *options, apikeys_log_callback callback,
                            void *user_data, void (*destroy)(void *user_data)) {
  bool valid = options != NULL && callback != NULL;
  int rc = replace_data(valid ? &options->log_data : NULL, valid, user_data, destroy);
  if (rc == APIKEYS_OK)
    options->log = callback;
  return rc;
}

int apikeys_options_set_random(apikeys_options *options, apikeys_random_callback callback,
                               void *user_data, void (*destroy)(void *user_data)) {
  bool valid = options != NULL && callback != NULL;
  int rc = replace_data(valid ? &options->random_data : NULL, valid, user_data, destroy);
  if (rc == APIKEYS_OK)
    options->random = callback;
  return rc;
}

int64_t ak_now_ms(const apikeys_options *options) {
  if (options->clock != NULL) {
    ak_callback_enter();
    int64_t now = options->clock(options->clock_data->user_data);
    ak_callback_leave();
    return now;
  }
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t ak_now_roughly_ms(const apikeys_options *options) {
#ifdef CLOCK_REALTIME_COARSE
  struct timespec now;
  if (options->clock == NULL && clock_gettime(CLOCK_REALTIME_COARSE, &now) == 0)
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
#endif
  return ak_now_ms(options);
}

static int fill_from_options(void *out, size_t length, void *user_data) {
  const apikeys_options *options = user_data;
  ak_callback_enter();
  int failed = options->random(out, length, options->random_data->user_data);
  ak_callback_leave();
  return failed;
}

struct ak_random ak_random_source(apikeys_options *options) {
  struct ak_random source = {NULL, NULL};
  if (options->random != NULL) {
    source.fill = fill_from_options;
    source.user_data = options;
  }
  return source;
}

void ak_log(const apikeys_options *options, int level, const char *format, ...) {
  if (options->log == NULL)
    return;
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  int written = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (written < 0)
    return;
  size_t length = (size_t)written < sizeof line ? (size_t)written : sizeof line - 1;
  length = ak_mask_secrets(line, length);
  ak_callback_enter();
  options->log(level, line, length, options->log_data->user_data);
  ak_callback_leave();
}
