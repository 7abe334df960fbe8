/* SPDX-License-Identifier: MIT */
/*
 * Refuses names that a route does not know, and says which one was meant; and texts that hold a
 * secret, which would be stored and shown.
 */
#include "http/name_check.h"

#include "clock.h"
#include "http/reply.h"
#include "http/router.h"
#include "known_names.h"
#include "log.h"
#include "mask.h"
#include "nearest.h"
#include "service.h"

#include <stdatomic.h>
#include <string.h>

enum { SHOWN_MAX = 64, REFUSED_MAX = 16, NOTE_SECONDS = 60 };

/* One request's names being checked. */
struct name_check {
  struct exchange *x;
  const struct known_names *known;
  const char *names; /* the query's, or the body's */
  json_t *errors;    /* NULL until one is refused */
};

static bool next_name(const char **rest, struct name *out) {
  *rest += strspn(*rest, " ");
  *out = (struct name){*rest, strcspn(*rest, " ")};
  *rest += out->length;
  return out->length > 0;
}

static bool is_in(const char *names, struct name name) {
  struct name known;
  while (names != NULL && next_name(&names, &known))
    if (known.length == name.length && memcmp(known.text, name.text, name.length) == 0)
      return true;
  return false;
}

/* The known name that is nearest, if any is near. */
static bool find_nearest(const char *names, struct name name, struct name *nearest) {
  struct name known;
  size_t distance, least = SIZE_MAX;
  while (names != NULL && next_name(&names, &known)) {
    if (name_is_near(name, known, &distance) && distance < least) {
      least = distance;
      *nearest = known;
    }
  }
  return least != SIZE_MAX;
}

/* -- Refusing ---------------------------------------------------------------------------------- */

/* The names with commas, those of nested objects left out. NULL: there are none. */
static const char *list_names(struct exchange *x, const char *names) {
  char *list = names != NULL ? exchange_memory(x, 2 * strlen(names) + 1) : NULL;
  struct name name;
  size_t used = 0;
  while (list != NULL && next_name(&names, &name)) {
    if (memchr(name.text, '.', name.length) != NULL)
      continue;
    if (used > 0) {
      memcpy(list + used, ", ", 2);
      used += 2;
    }
    memcpy(list + used, name.text, name.length);
    used += name.length;
  }
  return used > 0 ? list : NULL;
}

static const char *hint(const struct name_check *check, bool near, struct name nearest) {
  const char *all = near ? NULL : list_names(check->x, check->names);
  if (near)
    return exchange_format(check->x, "did you mean %.*s?", (int)nearest.length, nearest.text);
  return all != NULL ? exchange_format(check->x, "unknown here; known are: %s", all)
                     : "unknown here; none is known";
}

/* The client's own text may be a secret, pasted into the wrong place, or very long. */
static const char *shown(struct exchange *x, struct name name) {
  bool cut = name.length > SHOWN_MAX;
  char *text = exchange_copy(x, name.text, name.length);
  if (text == NULL)
    return "?";
  mask_secrets(text);
  if (!cut)
    return text;
  size_t length = SHOWN_MAX;
  while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
    length--; /* no half of a character */
  text[length] = '\0';
  return text;
}

static void refuse(struct name_check *check, struct name name, bool near, struct name nearest) {
  const char *said = hint(check, near, nearest), *field = shown(check->x, name);
  const char *message = said != NULL ? exchange_format(check->x, "%s: %s", field, said) : NULL;
  if (check->errors == NULL)
    check->errors = json_array();
  json_array_append_new(check->errors,
                        json_pack("{s:s,s:s,s:s}", "code", "unknown_field", "field", field,
                                  "message", message != NULL ? message : field));
}

/* The first one's message is the answer's: some clients show that alone. */
static bool finish(struct name_check *check) {
  if (check->errors == NULL)
    return true;
  const json_t *message = json_object_get(json_array_get(check->errors, 0), "message");
  reply_json(check->x, check->known->status,
             json_pack("{s:s,s:o}", "message",
                       message != NULL ? json_string_value(message) : "Validation failed.",
                       "errors", check->errors));
  return false;
}

/* -- Checking ---------------------------------------------------------------------------------- */

static void note(const struct name_check *check, struct name name) {
  static _Atomic int64_t next_s;
  struct exchange *x = check->x;
  int64_t now_s = clock_monotonic_ns() / 1000000000;
  int64_t due_s = atomic_load_explicit(&next_s, memory_order_relaxed);
  if (now_s < due_s || !atomic_compare_exchange_strong(&next_s, &due_s, now_s + NOTE_SECONDS))
    return;
  log_line(x->service->log, LOG_INFO, "%s: the name '%s' in a request has no effect",
           check->known->pattern, shown(x, name));
}

static void look_at(struct name_check *check, struct name name) {
  struct name nearest = {NULL, 0};
  if (is_in(check->names, name) || json_array_size(check->errors) >= REFUSED_MAX)
    return;
  if (is_in(check->known->unused, name)) {
    if (strcmp(check->known->unused, "events[]") != 0)
      note(check, name);
    return;
  }
  bool near = find_nearest(check->names, name, &nearest);
  if (near || !check->known->contract)
    refuse(check, name, near, nearest);
  else
    note(check, name);
}

static void look_at_fields(struct name_check *check, const char *under, json_t *object);

/* Of objects under a field whose own fields are listed; metadata, for one, may have any. */
static void look_below(struct name_check *check, const char *field, json_t *value) {
  const char *prefix = exchange_format(check->x, "%s.", field);
  size_t length = prefix != NULL ? strlen(prefix) : 0;
  bool listed = false;
  struct name known;
  for (const char *rest = check->names; rest != NULL && length > 0 && next_name(&rest, &known);)
    listed = listed || (known.length > length && memcmp(known.text, prefix, length) == 0);
  if (!listed)
    return;
  look_at_fields(check, prefix, value);
  for (size_t i = 0; i < json_array_size(value); i++)
    look_at_fields(check, prefix, json_array_get(value, i));
}

static void look_at_fields(struct name_check *check, const char *under, json_t *object) {
  const char *field;
  json_t *value;
  json_object_foreach(object, field, value) {
    const char *name = exchange_format(check->x, "%s%s", under, field);
    if (name == NULL)
      continue;
    look_at(check, (struct name){name, strlen(name)});
    look_below(check, name, value);
  }
}

/* -- Secrets in the wrong place ------------------------------------------------------------------ */

static bool holds_secret(json_t *value) {
  const char *name;
  json_t *member;
  bool found = json_is_string(value) && mask_finds_secret(json_string_value(value));
  json_object_foreach(value, name, member) {
    found = found || mask_finds_secret(name) || holds_secret(member);
  }
  for (size_t i = 0; !found && i < json_array_size(value); i++)
    found = holds_secret(json_array_get(value, i));
  return found;
}

/* The routes that are asked about a secret: it is used, and neither stored nor shown. */
static bool takes_secret(const char *names) {
  return names != NULL && (strcmp(names, "value") == 0 || strcmp(names, "key") == 0);
}

static void look_for_secrets(struct name_check *check, json_t *object) {
  static const char message[] = "holds a key's value or a signed token, which would be stored and "
                                "shown; revoke it if it is in use, and leave it out";
  const char *field;
  json_t *value;
  json_object_foreach(object, field, value) {
    struct name name = {field, strlen(field)};
    if (!mask_finds_secret(field) && !holds_secret(value))
      continue;
    if (check->errors == NULL)
      check->errors = json_array();
    const char *safe = shown(check->x, name);
    const char *said = exchange_format(check->x, "%s: %s.", safe, message);
    json_array_append_new(check->errors,
                          json_pack("{s:s,s:s,s:s}", "code", "secret_in_text", "field", safe,
                                    "message", said != NULL ? said : message));
  }
}

bool name_check_fields(struct exchange *x, json_t *object) {
  const struct known_names *known = known_names_of(x->route->method, x->route->pattern);
  struct name_check check = {x, known, known != NULL ? known->body : NULL, NULL};
  if (known == NULL)
    return true;
  look_at_fields(&check, "", object);
  if (check.errors == NULL && !takes_secret(known->body))
    look_for_secrets(&check, object);
  return finish(&check);
}

/* A list may come as "statuses=active&statuses=inactive": one parameter with commas from here on.
 * Events are read one by one. Any other name that comes twice is ambiguous. */
static void look_for_repeats(struct name_check *check) {
  static const char lists[] = "domains statuses", one_by_one[] = "events events[]";
  struct pairs *query = &check->x->query;
  for (size_t i = 0; i < query->count; i++) {
    struct pair *first = &query->at[i];
    struct name name = {first->name, strlen(first->name)};
    if (!is_in(check->names, name) || is_in(one_by_one, name))
      continue;
    for (size_t j = i + 1; j < query->count; j++) {
      if (strcmp(query->at[j].name, first->name) != 0)
        continue;
      if (!is_in(lists, name)) {
        reply_error(check->x, check->known->status, "invalid", "%s: given more than once.",
                    first->name);
        return;
      }
      first->text = exchange_format(check->x, "%s,%s", first->text, query->at[j].text);
      if (first->text == NULL)
        first->text = "";
      first->length = strlen(first->text);
      query->at[j--] = query->at[--query->count];
    }
  }
}

static bool check_query(struct exchange *x, const struct known_names *known) {
  struct name_check check = {x, known, known->query, NULL};
  for (size_t i = 0; i < x->query.count; i++)
    look_at(&check, (struct name){x->query.at[i].name, strlen(x->query.at[i].name)});
  if (!finish(&check))
    return false;
  look_for_repeats(&check);
  return x->status == 0;
}

/* Nothing else looks at the body of a route that knows no fields. */
static bool check_idle_body(struct exchange *x) {
  json_t *object = json_loadb(x->body, x->body_length, 0, NULL);
  bool good = name_check_fields(x, object);
  json_decref(object);
  return good;
}

bool name_check_request(struct exchange *x) {
  if (x->query.count == 0 && x->body_length == 0)
    return true;
  const struct known_names *known = known_names_of(x->route->method, x->route->pattern);
  if (known == NULL || (x->query.count > 0 && !check_query(x, known)))
    return known == NULL;
  return known->body != NULL || x->body_length == 0 || check_idle_body(x);
}
