/* SPDX-License-Identifier: MIT */
/* The options of an environment, and the three things that it takes from outside: time, random
 * bytes, and a log. No other path to them exists in the library. */
#ifndef AK_OPERATION_OPTIONS_H
#define AK_OPERATION_OPTIONS_H

#include "crypto/crypto.h"

#include <apikeys/environment.h>

#include <stdatomic.h>
#include <stdbool.h>

/* User data with a destroy hook, shared by the options and the environments made from them. */
struct ak_callback_data {
  _Atomic unsigned references;
  void *user_data;
  void (*destroy)(void *user_data);
};

enum ak_root_source {
  AK_ROOT_UNSET = 0,
  AK_ROOT_BYTES,
  AK_ROOT_CALLBACK,
  AK_ROOT_FILE,
  AK_ROOT_IN_STORE
};

struct apikeys_options {
  enum ak_root_source root_source;
  uint8_t *root_key; /* AK_ROOT_BYTES: ak_secret_alloc */
  char *root_path;   /* AK_ROOT_FILE */
  apikeys_root_key_callback root_callback;
  struct ak_callback_data *root_data;
  int busy_timeout_ms; /* below 0: the default */
  size_t cache_keys;
  int flush_interval_ms; /* 0: no thread */
  char *journal_path;    /* NULL: beside a SQLite database; "": no journal */
  bool require_journal;
  bool accept_restore;
  int64_t journal_retention_ms;
  apikeys_clock_callback clock;
  struct ak_callback_data *clock_data;
  apikeys_log_callback log;
  struct ak_callback_data *log_data;
  apikeys_random_callback random;
  struct ak_callback_data *random_data;
};

/* A copy that shares the callbacks' data; NULL copies the defaults. */
int ak_options_copy(struct apikeys_options *to, const struct apikeys_options *from);
void ak_options_release(struct apikeys_options *options);
/* The root key comes from this file. */
int ak_options_set_root_path(struct apikeys_options *options, const char *path);

int64_t ak_now_ms(const struct apikeys_options *options);
/* The same, quicker, and up to AK_ROUGH_MS late (the system's tick: 1 to 10 ms). */
enum { AK_ROUGH_MS = 500 };
int64_t ak_now_roughly_ms(const struct apikeys_options *options);
struct ak_random ak_random_source(struct apikeys_options *options);
void ak_log(const struct apikeys_options *options, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
