/* SPDX-License-Identifier: MIT */
/* The environment's settings: the keys' prefix and the policies. Our own routes, not the
 * contract's. */
#include "http/body.h"
#include "http/reply.h"
#include "routes.h"
#include "service.h"

#include <string.h>

/* A duration of 0, or null in a request, means "off". */
static const struct number {
  const char *field;
  int64_t (*get)(const apikeys_settings *settings);
  int (*set)(apikeys_settings *settings, int64_t value);
} numbers[] = {
    {"max_lifetime_ms", apikeys_settings_max_lifetime_ms, apikeys_settings_set_max_lifetime_ms},
    {"idle_lifetime_ms", apikeys_settings_idle_lifetime_ms, apikeys_settings_set_idle_lifetime_ms},
    {"max_keys_per_owner", apikeys_settings_max_keys_per_owner,
     apikeys_settings_set_max_keys_per_owner},
    {"event_retention_ms", apikeys_settings_event_retention_ms,
     apikeys_settings_set_event_retention_ms},
};

static const struct flag {
  const char *field;
  int (*get)(const apikeys_settings *settings);
  int (*set)(apikeys_settings *settings, int value);
} flags[] = {
    {"expiry_required", apikeys_settings_expiry_required, apikeys_settings_set_expiry_required},
    {"grants_must_be_held", apikeys_settings_grants_must_be_held,
     apikeys_settings_set_grants_must_be_held},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* -- Telling ----------------------------------------------------------------------------------- */

static json_t *prefixes_json(const char *set) {
  json_t *array = json_array();
  while (*set != '\0') {
    size_t length = strcspn(set, " ");
    json_array_append_new(array, json_stringn(set, length));
    set += length + (set[length] == ' ');
  }
  return array;
}

static json_t *settings_json(const apikeys_settings *settings) {
  json_t *object = json_pack("{s:s,s:s,s:o}", "object", "environment", "prefix",
                             apikeys_settings_prefix(settings, NULL), "accepted_prefixes",
                             prefixes_json(apikeys_settings_accepted_prefixes(settings, NULL)));
  for (size_t i = 0; i < COUNT(numbers); i++)
    json_object_set_new(object, numbers[i].field, json_integer(numbers[i].get(settings)));
  for (size_t i = 0; i < COUNT(flags); i++)
    json_object_set_new(object, flags[i].field, json_boolean(flags[i].get(settings)));
  return object;
}

static void answer(struct exchange *x, int rc, const apikeys_settings *settings) {
  if (rc == APIKEYS_OK)
    reply_json(x, 200, settings_json(settings));
  else
    reply_failure(x, rc, "Environment", "");
}

static int get(struct exchange *x, apikeys_settings *settings) {
  return settings == NULL ? APIKEYS_ERROR_NO_MEMORY
                          : apikeys_settings_get(x->service->env, x->actor, settings, x->err);
}

static void show_environment(struct exchange *x) {
  apikeys_settings *settings = apikeys_settings_new();
  answer(x, get(x, settings), settings);
  apikeys_settings_free(settings);
}

/* -- Changing ---------------------------------------------------------------------------------- */

static int set_numbers(struct form *form, apikeys_settings *settings) {
  int rc = APIKEYS_OK;
  for (size_t i = 0; rc == APIKEYS_OK && i < COUNT(numbers); i++) {
    const json_t *value = json_object_get(form->object, numbers[i].field);
    if (json_is_integer(value) || json_is_null(value))
      rc = numbers[i].set(settings, json_integer_value(value));
    else if (value != NULL)
      form_refuse(form, "invalid", numbers[i].field);
  }
  return rc;
}

static int set_flags(struct form *form, apikeys_settings *settings) {
  int rc = APIKEYS_OK;
  for (size_t i = 0; rc == APIKEYS_OK && i < COUNT(flags); i++) {
    const json_t *value = json_object_get(form->object, flags[i].field);
    if (json_is_boolean(value))
      rc = flags[i].set(settings, json_is_true(value));
    else if (value != NULL)
      form_refuse(form, "invalid", flags[i].field);
  }
  return rc;
}

static bool among(const json_t *texts, const char *text, size_t length) {
  for (size_t i = 0; i < json_array_size(texts); i++) {
    const json_t *element = json_array_get(texts, i);
    if (json_string_length(element) == length &&
        memcmp(json_string_value(element), text, length) == 0)
      return true;
  }
  return false;
}

/* True if this value begins with "<prefix>_". */
static bool has_prefix(const char *obfuscated, const char *prefix, size_t length) {
  return strncmp(obfuscated, prefix, length) == 0 && strncmp(obfuscated + length, "_...", 4) == 0;
}

static int page_through_management_keys(struct exchange *x, const apikeys_actor *system,
                                        apikeys_filter *filter, const char *prefix, size_t length,
                                        bool *used) {
  apikeys_page *page = apikeys_page_new();
  const char *after = "";
  size_t after_length = 0;
  int rc = page == NULL ? APIKEYS_ERROR_NO_MEMORY : APIKEYS_OK;
  do {
    if (rc == APIKEYS_OK)
      rc = apikeys_filter_set_after(filter, after, after_length);
    if (rc == APIKEYS_OK)
      rc = apikeys_key_list(x->service->env, system, filter, page, x->err);
    for (size_t i = 0; rc == APIKEYS_OK && !*used && i < apikeys_page_count(page); i++)
      *used =
          has_prefix(apikeys_key_obfuscated_value(apikeys_page_key(page, i), NULL), prefix, length);
    after = rc == APIKEYS_OK ? apikeys_page_after(page, &after_length) : "";
  } while (*after != '\0' && !*used);
  apikeys_page_free(page);
  return rc;
}

/* *used: a management key has this prefix. Removing such a prefix would lock operators out, and no
 * operator could undo that. */
static int has_management_keys(struct exchange *x, const char *prefix, size_t length, bool *used) {
  apikeys_actor *system = apikeys_actor_new();
  apikeys_filter *filter = apikeys_filter_new();
  int rc = system == NULL || filter == NULL
               ? APIKEYS_ERROR_NO_MEMORY
               : apikeys_actor_set_system(system, "prefixes in use", 15);
  *used = false;
  if (rc == APIKEYS_OK)
    rc = apikeys_filter_set_owner_type(filter, APIKEYS_OWNER_ENVIRONMENT);
  if (rc == APIKEYS_OK)
    rc = page_through_management_keys(x, system, filter, prefix, length, used);
  apikeys_filter_free(filter);
  apikeys_actor_free(system);
  return rc;
}

/* Values with a prefix that was removed are refused from then on. */
static int remove_other_prefixes(struct form *form, apikeys_settings *settings,
                                 const json_t *wanted) {
  size_t length;
  bool used;
  int rc = APIKEYS_OK;
  const char *set = apikeys_settings_accepted_prefixes(settings, &length);
  if ((set = exchange_copy(form->x, set, length)) == NULL)
    return APIKEYS_ERROR_NO_MEMORY;
  while (rc == APIKEYS_OK && *set != '\0') {
    length = strcspn(set, " ");
    if (!among(wanted, set, length)) {
      rc = has_management_keys(form->x, set, length, &used);
      if (rc == APIKEYS_OK && used)
        form_refuse(form, "in_use_by_management_keys", "accepted_prefixes");
      else if (rc == APIKEYS_OK)
        rc = apikeys_settings_remove_accepted_prefix(settings, set, length);
    }
    set += length + (set[length] == ' ');
  }
  return rc;
}

static int add_prefixes(struct form *form, apikeys_settings *settings, const json_t *wanted) {
  int rc = APIKEYS_OK;
  for (size_t i = 0; rc == APIKEYS_OK && i < json_array_size(wanted); i++) {
    const json_t *one = json_array_get(wanted, i);
    rc = apikeys_settings_add_accepted_prefix(settings, json_string_value(one),
                                              json_string_length(one));
  }
  if (rc == APIKEYS_ERROR_INVALID_ARGUMENT)
    form_refuse(form, "invalid", "accepted_prefixes");
  return rc == APIKEYS_ERROR_INVALID_ARGUMENT ? APIKEYS_OK : rc;
}

static int set_prefixes(struct form *form, apikeys_settings *settings) {
  size_t length;
  int rc = APIKEYS_OK;
  const char *prefix = form_text(form, "prefix", FORM_OPTIONAL, &length);
  if (prefix != NULL)
    rc = apikeys_settings_set_prefix(settings, prefix, length);
  const json_t *wanted = form_texts(form, "accepted_prefixes");
  if (rc == APIKEYS_OK && wanted != NULL)
    rc = remove_other_prefixes(form, settings, wanted);
  return rc == APIKEYS_OK && wanted != NULL ? add_prefixes(form, settings, wanted) : rc;
}

static void update_environment(struct exchange *x) {
  struct form form;
  if (!form_open(&form, x))
    return;
  apikeys_settings *settings = apikeys_settings_new();
  int rc = get(x, settings);
  if (rc == APIKEYS_OK)
    rc = set_prefixes(&form, settings);
  if (rc == APIKEYS_OK)
    rc = set_numbers(&form, settings);
  if (rc == APIKEYS_OK)
    rc = set_flags(&form, settings);
  if (rc != APIKEYS_OK || form_good(&form)) {
    if (rc == APIKEYS_OK)
      rc = apikeys_settings_update(x->service->env, x->actor, settings, x->err);
    answer(x, rc, settings);
  }
  apikeys_settings_free(settings);
  form_close(&form);
}

const struct route environment_routes[] = {
    {METHOD_GET, "/environment", ACCESS_MANAGEMENT, show_environment},
    {METHOD_PATCH, "/environment", ACCESS_MANAGEMENT, update_environment},
    {0},
};
