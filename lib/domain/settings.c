/* SPDX-License-Identifier: MIT */
/* The environment's settings: prefixes and policies for keys. */
#include "access/authority.h"
#include "base/slug_set.h"
#include "crypto/key_text.h"
#include "crypto/known_prefixes.h"
#include "objects/accessors.h"
#include "operation/crud.h"
#include "operation/events.h"

#include <apikeys/environment.h>

#include <string.h>

enum { PREFIXES_MAX = 64 };

/* Far enough for every purpose, and sums of two never overflow. */
static const int64_t duration_max_ms = INT64_C(1000) * 365 * 24 * 60 * 60 * 1000;

static int check_duration(struct ak_op *op, const struct ak_object *given, int field) {
  int64_t value = apikeys_record_integer(&given->record, field);
  if (value >= 0 && value <= duration_max_ms)
    return APIKEYS_OK;
  return ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT,
                      apikeys_schema_field_name(AK_ENVIRONMENT, field),
                      "must be 0 to a thousand years");
}

/* The accepted prefixes are written whole: a set that was never read would take every other one
 * out, and their keys with them. */
static int check_was_read(struct ak_op *op, const struct ak_object *given) {
  if (!ak_object_changed(given, AK_ENVIRONMENT_ACCEPTED_PREFIXES) ||
      apikeys_record_text(&given->record, AK_ID, NULL)[0] != '\0')
    return APIKEYS_OK;
  return ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, "accepted_prefixes",
                      "can be changed after a get only");
}

static int check_prefixes(struct ak_op *op, const struct ak_object *given) {
  size_t length, at = 0, prefix_length, count = 0;
  const char *set = apikeys_record_text(&given->record, AK_ENVIRONMENT_ACCEPTED_PREFIXES, &length);
  const char *prefix;
  while (ak_slugs_next(set, length, &at, &prefix, &prefix_length))
    if (ak_prefix_check(prefix, prefix_length) != 0 || ++count > PREFIXES_MAX)
      return ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, "accepted_prefixes",
                          "must be at most 64 prefixes of 1 to 24 of a-z 0-9 _");
  prefix = apikeys_record_text(&given->record, AK_ENVIRONMENT_PREFIX, &prefix_length);
  if (ak_object_changed(given, AK_ENVIRONMENT_PREFIX) &&
      ak_prefix_check(prefix, prefix_length) != 0)
    return ak_error_set(op->err, APIKEYS_ERROR_INVALID_ARGUMENT, "prefix",
                        "must be 1 to 24 of a-z 0-9 _, begin with a letter, not end with _");
  return APIKEYS_OK;
}

static int check_settings(struct ak_op *op, const struct ak_object *given) {
  static const int durations[] = {AK_ENVIRONMENT_MAX_LIFETIME_MS, AK_ENVIRONMENT_IDLE_LIFETIME_MS,
                                  AK_ENVIRONMENT_MAX_KEYS_PER_OWNER,
                                  AK_ENVIRONMENT_EVENT_RETENTION_MS};
  int rc = check_was_read(op, given);
  if (rc == APIKEYS_OK)
    rc = check_prefixes(op, given);
  for (size_t i = 0; rc == APIKEYS_OK && i < sizeof durations / sizeof durations[0]; i++)
    rc = check_duration(op, given, durations[i]);
  return rc;
}

/* What new keys begin with is always accepted. `given` is ours to change. */
static int accept_current_prefix(struct ak_object *given, const apikeys_record *stored) {
  bool accepted_changed = ak_object_changed(given, AK_ENVIRONMENT_ACCEPTED_PREFIXES);
  if (!accepted_changed && !ak_object_changed(given, AK_ENVIRONMENT_PREFIX))
    return APIKEYS_OK;
  struct ak_slugs set = {0};
  size_t length;
  const char *text = apikeys_record_text(accepted_changed ? &given->record : stored,
                                         AK_ENVIRONMENT_ACCEPTED_PREFIXES, &length);
  ak_slugs_add_all(&set, text, length);
  bool prefix_changed = ak_object_changed(given, AK_ENVIRONMENT_PREFIX);
  text =
      apikeys_record_text(prefix_changed ? &given->record : stored, AK_ENVIRONMENT_PREFIX, &length);
  ak_slugs_add(&set, text, length);
  int rc = set.failed ? APIKEYS_ERROR_NO_MEMORY
                      : ak_object_set_text(given, AK_ENVIRONMENT_ACCEPTED_PREFIXES,
                                           ak_slugs_text(&set), set.length);
  ak_slugs_release(&set);
  return rc;
}

static int get_settings(struct ak_op *op, const struct ak_object *given, const void *arguments,
                        apikeys_record *stored) {
  (void)given, (void)arguments;
  int rc = ak_allow(&op->power, "apikeys:environment:read");
  return rc == APIKEYS_OK ? ak_op_environment(op, stored) : rc;
}

int apikeys_settings_get(apikeys_env *env, const apikeys_actor *actor, apikeys_settings *settings,
                         apikeys_error *err) {
  return ak_object_op(env, actor, APIKEYS_TRANSACTION_READ,
                      settings != NULL ? &settings->object : NULL, get_settings, NULL, err);
}

/* The caller's object stays as it is unless all goes well: what is added is added to a copy. */
static int write_settings(struct ak_op *op, const struct ak_object *given, apikeys_record *stored) {
  struct ak_object wanted;
  ak_object_init(&wanted, AK_ENVIRONMENT);
  wanted.changed = given->changed;
  int rc = apikeys_record_copy(&wanted.record, &given->record);
  if (rc == APIKEYS_OK)
    rc = accept_current_prefix(&wanted, stored);
  if (rc == APIKEYS_OK)
    rc =
        ak_object_change(op, &wanted, stored, AK_ENVIRONMENT_UPDATED_AT, "environment.updated", "");
  ak_object_release(&wanted);
  return rc;
}

static int update_settings(struct ak_op *op, const struct ak_object *given, const void *arguments,
                           apikeys_record *stored) {
  (void)arguments;
  int rc = ak_allow(&op->power, "apikeys:environment:write");
  if (rc == APIKEYS_OK)
    rc = check_settings(op, given);
  if (rc == APIKEYS_OK)
    rc = ak_op_environment(op, stored);
  return rc == APIKEYS_OK ? write_settings(op, given, stored) : rc;
}

static void warn_of_known_prefix(const apikeys_env *env, const apikeys_settings *settings) {
  size_t length;
  const char *prefix = apikeys_settings_prefix(settings, &length);
  const char *owner = ak_known_prefix_owner(prefix, length);
  if (owner != NULL)
    ak_log(&env->options, APIKEYS_LOG_WARNING,
           "prefix \"%.24s\": public secret scanners take keys with it for keys of %s", prefix,
           owner);
}

int apikeys_settings_update(apikeys_env *env, const apikeys_actor *actor,
                            apikeys_settings *settings, apikeys_error *err) {
  bool given = settings != NULL && ak_object_changed(&settings->object, AK_ENVIRONMENT_PREFIX);
  int rc = ak_object_op(env, actor, APIKEYS_TRANSACTION_WRITE,
                        settings != NULL ? &settings->object : NULL, update_settings, NULL, err);
  if (rc == APIKEYS_OK && given)
    warn_of_known_prefix(env, settings);
  return rc;
}

/* -- The settings object ----------------------------------------------------------------------- */

AK_NEW_AND_FREE(settings, AK_ENVIRONMENT)
AK_GET_TEXT(settings, prefix, AK_ENVIRONMENT_PREFIX)
AK_SET_TEXT(settings, prefix, AK_ENVIRONMENT_PREFIX)
AK_GET_TEXT(settings, accepted_prefixes, AK_ENVIRONMENT_ACCEPTED_PREFIXES)
AK_ADD_SLUG(settings, accepted_prefix, AK_ENVIRONMENT_ACCEPTED_PREFIXES)
AK_REMOVE_SLUG(settings, accepted_prefix, AK_ENVIRONMENT_ACCEPTED_PREFIXES)
AK_GET_INTEGER(settings, int64_t, max_lifetime_ms, AK_ENVIRONMENT_MAX_LIFETIME_MS)
AK_SET_INTEGER(settings, int64_t, max_lifetime_ms, AK_ENVIRONMENT_MAX_LIFETIME_MS)
AK_GET_INTEGER(settings, int, expiry_required, AK_ENVIRONMENT_EXPIRY_REQUIRED)
AK_SET_FLAG(settings, expiry_required, AK_ENVIRONMENT_EXPIRY_REQUIRED)
AK_GET_INTEGER(settings, int64_t, idle_lifetime_ms, AK_ENVIRONMENT_IDLE_LIFETIME_MS)
AK_SET_INTEGER(settings, int64_t, idle_lifetime_ms, AK_ENVIRONMENT_IDLE_LIFETIME_MS)
AK_GET_INTEGER(settings, int64_t, max_keys_per_owner, AK_ENVIRONMENT_MAX_KEYS_PER_OWNER)
AK_SET_INTEGER(settings, int64_t, max_keys_per_owner, AK_ENVIRONMENT_MAX_KEYS_PER_OWNER)
AK_GET_INTEGER(settings, int, grants_must_be_held, AK_ENVIRONMENT_GRANTS_MUST_BE_HELD)
AK_SET_FLAG(settings, grants_must_be_held, AK_ENVIRONMENT_GRANTS_MUST_BE_HELD)
AK_GET_INTEGER(settings, int64_t, event_retention_ms, AK_ENVIRONMENT_EVENT_RETENTION_MS)
AK_SET_INTEGER(settings, int64_t, event_retention_ms, AK_ENVIRONMENT_EVENT_RETENTION_MS)
