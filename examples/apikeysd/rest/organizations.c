/* SPDX-License-Identifier: MIT */
/* Routes for organizations: create, list, show, change, delete. */
#include "http/body.h"
#include "http/reply.h"
#include "rest/filtered_list.h"
#include "rest/idempotent_post.h"
#include "rest/list.h"
#include "routes.h"
#include "service.h"

#include <string.h>
#include <strings.h>

/* -- An organization as JSON ------------------------------------------------------------------- */

static json_t *organization_json(apikeys_organization *organization) {
  size_t length;
  const char *text = apikeys_organization_json(organization, &length);
  return text != NULL ? json_loadb(text, length, 0, NULL) : NULL;
}

/* -- Key counts: "include=api_key_count", ours alone ------------------------------------------- */

static bool wants_counts(const struct exchange *x) {
  const char *include = exchange_parameter(x, "include", NULL);
  return include != NULL && strcmp(include, "api_key_count") == 0;
}

static int count_keys(struct exchange *x, const char *id, size_t length, uint64_t *count) {
  apikeys_filter *filter = apikeys_filter_new();
  int rc = filter == NULL ? APIKEYS_ERROR_NO_MEMORY
                          : apikeys_filter_set_organization_id(filter, id, length);
  if (rc == APIKEYS_OK)
    rc = apikeys_key_count(x->service->env, x->actor, filter, count, x->err);
  apikeys_filter_free(filter);
  return rc;
}

static int with_count(struct exchange *x, apikeys_organization *organization, json_t **json) {
  size_t id_length;
  uint64_t count;
  const char *id = apikeys_organization_id(organization, &id_length);
  int rc = count_keys(x, id, id_length, &count);
  if (rc != APIKEYS_OK)
    return rc;
  *json = organization_json(organization);
  json_object_set_new(*json, "api_key_count", json_integer((json_int_t)count));
  return *json != NULL ? APIKEYS_OK : APIKEYS_ERROR_NO_MEMORY;
}

static void answer_with_count(struct exchange *x, apikeys_organization *organization) {
  json_t *json;
  int rc = with_count(x, organization, &json);
  if (rc == APIKEYS_OK)
    reply_json(x, 200, json);
  else
    reply_failure(x, rc, "Organization", apikeys_organization_id(organization, NULL));
}

static void list_with_counts(struct list *list) {
  json_t *values = json_array(), *json;
  int rc = APIKEYS_OK;
  for (size_t i = 0; rc == APIKEYS_OK && i < apikeys_page_count(list->page); i++) {
    rc = with_count(list->x, apikeys_page_organization(list->page, i), &json);
    if (rc == APIKEYS_OK)
      json_array_append_new(values, json);
  }
  if (rc == APIKEYS_OK)
    list_reply_values(list, values);
  else
    list_fail(list, rc, "Organization", "");
  json_decref(values);
}

/* -- Organizations ----------------------------------------------------------------------------- */

static void answer(struct exchange *x, int rc, int status, apikeys_organization *organization,
                   const char *id) {
  size_t length = 0;
  if (rc == APIKEYS_OK) {
    const char *json = apikeys_organization_json(organization, &length);
    reply_text(x, status, json, length);
  } else if (rc == APIKEYS_ERROR_EXISTS) {
    reply_error(x, 409, "external_id_conflict", "Another organization has this external id.");
  } else {
    reply_failure(x, rc, "Organization", id);
  }
}

/* [{"domain":"a.example","state":"verified"}]: the state is not kept. */
static int set_domains(struct form *form, apikeys_organization *organization) {
  const json_t *domains = json_object_get(form->object, "domain_data");
  if (domains == NULL || json_is_null(domains))
    return APIKEYS_OK;
  static const char wanted[] =
      "must be a list of {\"domain\":…}, at most 100, each a domain name such as acme.example";
  int rc = apikeys_organization_clear_domains(organization);
  bool good = json_is_array(domains);
  for (size_t i = 0; rc == APIKEYS_OK && good && i < json_array_size(domains); i++) {
    const json_t *domain = json_object_get(json_array_get(domains, i), "domain");
    good = json_is_string(domain);
    if (good)
      rc = apikeys_organization_add_domain(organization, json_string_value(domain),
                                           json_string_length(domain));
  }
  if (!good || rc == APIKEYS_ERROR_INVALID_ARGUMENT)
    form_explain(form, "invalid", "domain_data", wanted);
  return rc == APIKEYS_ERROR_INVALID_ARGUMENT ? APIKEYS_OK : rc;
}

/* Reads {"key":"text"}; null removes a pair. */
static int set_metadata(struct form *form, apikeys_organization *organization) {
  json_t *metadata = json_object_get(form->object, "metadata"), *value;
  const char *key;
  int rc = APIKEYS_OK;
  if (metadata == NULL || json_is_null(metadata))
    return APIKEYS_OK;
  bool good = json_is_object(metadata);
  json_object_foreach(metadata, key, value) {
    good = good && (json_is_string(value) || json_is_null(value));
    if (rc == APIKEYS_OK && good)
      rc = apikeys_organization_set_metadata(organization, key, strlen(key),
                                             json_is_string(value) ? json_string_value(value) : "",
                                             json_is_string(value) ? json_string_length(value) : 0);
  }
  if (!good || rc == APIKEYS_ERROR_INVALID_ARGUMENT)
    form_refuse(form, "invalid", "metadata");
  return rc == APIKEYS_ERROR_INVALID_ARGUMENT ? APIKEYS_OK : rc;
}

static int set_all(struct form *form, apikeys_organization *organization,
                   enum presence name_needed) {
  size_t length;
  int rc = APIKEYS_OK;
  const char *text = form_text(form, "name", name_needed, &length);
  if (text != NULL)
    rc = apikeys_organization_set_name(organization, text, length);
  text = form_text(form, "external_id", FORM_OPTIONAL, &length);
  if (rc == APIKEYS_OK && form_has(form, "external_id"))
    rc = apikeys_organization_set_external_id(organization, text != NULL ? text : "", length);
  if (rc == APIKEYS_OK)
    rc = set_domains(form, organization);
  if (rc == APIKEYS_OK)
    rc = set_metadata(form, organization);
  return rc;
}

static void make_organization(struct exchange *x) {
  struct form form;
  if (!form_open(&form, x))
    return;
  apikeys_organization *organization = apikeys_organization_new();
  int rc =
      organization == NULL ? APIKEYS_ERROR_NO_MEMORY : set_all(&form, organization, FORM_REQUIRED);
  if (rc != APIKEYS_OK || form_good(&form)) {
    if (rc == APIKEYS_OK)
      rc = apikeys_organization_create(x->service->env, x->actor, organization, x->err);
    answer(x, rc, 201, organization, "");
  }
  apikeys_organization_free(organization);
  form_close(&form);
}

static void create_organization(struct exchange *x) {
  idempotent_post(x, make_organization);
}

static void show_organization(struct exchange *x) {
  size_t length;
  const char *id = exchange_argument(x, "organization", &length);
  apikeys_organization *organization = apikeys_organization_new();
  int rc = organization == NULL ? APIKEYS_ERROR_NO_MEMORY
                                : apikeys_organization_get(x->service->env, x->actor, id, length,
                                                           organization, x->err);
  if (rc == APIKEYS_OK && wants_counts(x))
    answer_with_count(x, organization);
  else
    answer(x, rc, 200, organization, id);
  apikeys_organization_free(organization);
}

static void show_by_external_id(struct exchange *x) {
  size_t length;
  const char *id = exchange_argument(x, "external_id", &length);
  apikeys_organization *organization = apikeys_organization_new();
  int rc = organization == NULL ? APIKEYS_ERROR_NO_MEMORY
                                : apikeys_organization_get_by_external_id(
                                      x->service->env, x->actor, id, length, organization, x->err);
  answer(x, rc, 200, organization, id);
  apikeys_organization_free(organization);
}

/* Metadata is merged into the stored pairs, so the organization is read first. */
static void update_organization(struct exchange *x) {
  struct form form;
  size_t length;
  const char *id = exchange_argument(x, "organization", &length);
  if (!form_open(&form, x))
    return;
  apikeys_organization *organization = apikeys_organization_new();
  int rc = organization == NULL ? APIKEYS_ERROR_NO_MEMORY
                                : apikeys_organization_get(x->service->env, x->actor, id, length,
                                                           organization, x->err);
  if (rc == APIKEYS_OK)
    rc = set_all(&form, organization, FORM_OPTIONAL);
  if (rc != APIKEYS_OK || form_good(&form)) {
    if (rc == APIKEYS_OK)
      rc = apikeys_organization_update(x->service->env, x->actor, organization, x->err);
    answer(x, rc, 200, organization, id);
  }
  apikeys_organization_free(organization);
  form_close(&form);
}

static void delete_organization(struct exchange *x) {
  size_t length;
  const char *id = exchange_argument(x, "organization", &length);
  int rc = apikeys_organization_delete(x->service->env, x->actor, id, length, x->err);
  if (rc == APIKEYS_OK)
    reply_nothing(x);
  else
    reply_failure(x, rc, "Organization", id);
}

/* -- Lists ------------------------------------------------------------------------------------- */

/* True if the name is in the comma-separated list. Host names ignore case. */
static bool is_among(const char *names, const char *name, size_t length) {
  for (;; names++) {
    size_t at = strcspn(names, ",");
    if (at == length && strncasecmp(names, name, length) == 0)
      return true;
    names += at;
    if (*names == '\0')
      return false;
  }
}

/* "domains=a.example,b.example": one match is enough. */
static bool has_wanted_domain(const struct exchange *x, const apikeys_organization *organization) {
  const char *wanted = exchange_parameter(x, "domains", NULL);
  const char *domains = apikeys_organization_domains(organization, NULL);
  while (*domains != '\0') {
    size_t length = strcspn(domains, " ");
    if (is_among(wanted, domains, length))
      return true;
    domains += length + strspn(domains + length, " ");
  }
  return false;
}

static int fetch(struct list *list) {
  return apikeys_organization_list(list->x->service->env, list->x->actor, list->filter, list->page,
                                   list->x->err);
}

static int as_asked(struct exchange *x, apikeys_organization *organization, json_t **json) {
  if (wants_counts(x))
    return with_count(x, organization, json);
  *json = organization_json(organization);
  return *json != NULL ? APIKEYS_OK : APIKEYS_ERROR_NO_MEMORY;
}

static int look_for_domain(const struct list *list, size_t i, json_t **value) {
  apikeys_organization *organization = apikeys_page_organization(list->page, i);
  if (!has_wanted_domain(list->x, organization))
    return APIKEYS_OK;
  return as_asked(list->x, organization, value);
}

static void list_organizations(struct exchange *x) {
  static const struct filtered_list by_domain = {fetch, look_for_domain};
  struct list list;
  if (!list_open(&list, x))
    return;
  int rc = list_set(&list, apikeys_filter_set_search, "search");
  bool sifted = exchange_parameter(x, "domains", NULL) != NULL;
  if (rc == APIKEYS_OK && !sifted)
    rc = fetch(&list);
  if (rc != APIKEYS_OK)
    list_fail(&list, rc, "Organization", "");
  else if (sifted)
    filtered_list_reply(&list, &by_domain, "Organization");
  else if (wants_counts(x))
    list_with_counts(&list);
  else
    list_reply(&list, rc, list_organization);
  list_close(&list);
}

const struct route organization_routes[] = {
    {METHOD_POST, "/organizations", ACCESS_MANAGEMENT, create_organization},
    {METHOD_GET, "/organizations", ACCESS_MANAGEMENT, list_organizations},
    {METHOD_GET, "/organizations/external_id/:external_id", ACCESS_MANAGEMENT, show_by_external_id},
    {METHOD_GET, "/organizations/:organization", ACCESS_MANAGEMENT, show_organization},
    {METHOD_PUT, "/organizations/:organization", ACCESS_MANAGEMENT, update_organization},
    {METHOD_DELETE, "/organizations/:organization", ACCESS_MANAGEMENT, delete_organization},
    {0},
};
