/* SPDX-License-Identifier: MIT */
/* A key's whole life, with everything that comes out of the library kept, and searched for it. */
#include "support/deeds.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>

struct outputs {
  char *text;
  size_t length;
};

static void keep(struct outputs *outputs, const char *bytes, size_t length) {
  outputs->text = realloc(outputs->text, outputs->length + length + 1);
  memcpy(outputs->text + outputs->length, bytes, length);
  outputs->length += length;
  outputs->text[outputs->length++] = '\n';
}

static void keep_log(int level, const char *message, size_t length, void *user_data) {
  (void)level;
  keep(user_data, message, length);
}

static void keep_error(struct outputs *outputs, struct world *world, int rc) {
  ck_assert_int_ne(rc, 0);
  keep(outputs, S(apikeys_error_message(world->err)));
  keep(outputs, S(apikeys_error_field(world->err)));
  keep(outputs, S(apikeys_error_subject(world->err)));
}

static void keep_file(struct outputs *outputs, const struct world *world, const char *suffix) {
  char path[128];
  size_t length;
  snprintf(path, sizeof path, "%s%s", world->path, suffix);
  char *bytes = read_bytes(path, &length);
  ck_assert_ptr_nonnull(bytes);
  keep(outputs, bytes, length);
  free(bytes);
}

static void keep_events(struct outputs *outputs, struct world *world) {
  apikeys_page *page = list_all_events(world);
  for (size_t i = 0; i < apikeys_page_count(page); i++)
    keep(outputs, S(apikeys_event_json(apikeys_page_event(page, i), NULL)));
  apikeys_page_free(page);
}

static void live(struct world *world, struct outputs *outputs, const struct made_key *key) {
  char forged[APIKEYS_VALUE_MAX], damaged[APIKEYS_VALUE_MAX];
  forge_value(forged, key->value);
  snprintf(damaged, sizeof damaged, "%s", key->value);
  damaged[strlen(damaged) - 1] ^= 1;
  ok(world, validate(world, key->value, NULL));
  keep_error(outputs, world, validate(world, key->value, "posts:write"));
  keep_error(outputs, world, validate(world, forged, NULL));
  keep_error(outputs, world, validate(world, damaged, NULL));
  keep_error(outputs, world, revoke_key(world, key->value, NULL)); /* the value for the id */
  apikeys_page *page = apikeys_page_new();
  ok(world, apikeys_key_find(world->env, world->system, S(key->value), page, world->err));
  ck_assert_uint_eq(apikeys_page_count(page), 1);
  keep(outputs, S(apikeys_key_json(apikeys_page_key(page, 0), NULL)));
  keep_error(outputs, world,
             apikeys_key_find(world->env, world->system, S(damaged), page, world->err));
  apikeys_page_free(page);
  apikeys_actor *actor = apikeys_actor_new();
  keep_error(outputs, world,
             apikeys_actor_set_management_key(world->env, actor, S(key->value), world->err));
  keep_error(outputs, world,
             apikeys_actor_set_widget_token(world->env, actor, S(key->value), world->err));
  apikeys_actor_free(actor);
  ok(world, apikeys_maintain(world->env, world->err));
  ok(world, apikeys_rotate_root_key(world->env, world->system, NULL, 0, 0, world->err));
  ok(world, validate(world, key->value, NULL));
  ok(world, expire_key(world, key->id, 1));
  keep_error(outputs, world, validate(world, key->value, NULL));
  ok(world, revoke_key(world, key->id, "over"));
  keep_error(outputs, world, validate(world, key->value, NULL));
  keep_error(outputs, world, revoke_key(world, key->id, NULL));
}

START_TEST(no_output_holds_the_value_or_its_secret) {
  enum { SECRET = 32, CHECKSUM = 6, PART = 12 };
  struct world world;
  struct outputs outputs = {NULL, 0};
  struct made_key key;
  char organization[64], lookup_id[17];
  world_open(&world, BACKEND_SQLITE);
  ok(&world, apikeys_options_set_log(world.options, keep_log, &outputs, NULL));
  world_reopen(&world);
  make_posts(&world);
  make_organization(&world, "Acme", organization);
  make_key(&world, key_spec(organization, "CI", "posts:read"), &key);
  live(&world, &outputs, &key);
  keep_events(&outputs, &world);
  keep_file(&outputs, &world, "");
  keep_file(&outputs, &world, "-wal");

  /* The search finds what is there. */
  lookup_id_of(lookup_id, key.value);
  ck_assert_int_eq(holds_bytes(outputs.text, outputs.length, S(lookup_id)), 1);
  ck_assert_int_eq(holds_bytes(outputs.text, outputs.length, S("validation refused")), 1);
  ck_assert_int_eq(holds_bytes(outputs.text, outputs.length, S(key.value)), 0);
  const char *secret = key.value + strlen(key.value) - SECRET - CHECKSUM;
  for (size_t i = 0; i + PART <= SECRET; i++)
    ck_assert_int_eq(holds_bytes(outputs.text, outputs.length, secret + i, PART), 0);
  free(outputs.text);
  world_close(&world);
}
END_TEST

/* Each way of pasting a value wrongly, and what the log says of it. */
START_TEST(the_log_says_what_stands_around_a_malformed_value) {
  static const struct {
    const char *before, *behind, *said;
  } wrong[] = {{"", " ", "(blanks around the value)"},
               {"\t", "", "(blanks around the value)"},
               {"", "\r\n", "(a newline around the value)"},
               {"\"", "\"", "(quotes around the value)"},
               {"", ",", "(a comma or semicolon behind the value)"},
               {"\xEF\xBB\xBF", "", "(a byte order mark before the value)"}};
  struct world world;
  struct outputs outputs = {NULL, 0};
  struct made_key key;
  char organization[64], text[APIKEYS_VALUE_MAX + 8];
  world_open(&world, BACKEND_SQLITE);
  ok(&world, apikeys_options_set_log(world.options, keep_log, &outputs, NULL));
  world_reopen(&world);
  make_posts(&world);
  make_organization(&world, "Acme", organization);
  make_key(&world, key_spec(organization, "CI", "posts:read"), &key);
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    outputs.length = 0;
    snprintf(text, sizeof text, "%s%s%s", wrong[i].before, key.value, wrong[i].behind);
    ck_assert_int_eq(validate(&world, text, NULL), APIKEYS_MALFORMED);
    ck_assert_int_eq(holds_bytes(outputs.text, outputs.length, S(wrong[i].said)), 1);
    ck_assert_int_eq(holds_bytes(outputs.text, outputs.length, S(key.value)), 0);
  }
  outputs.length = 0;
  ck_assert_int_eq(validate(&world, "", NULL), APIKEYS_MALFORMED);
  ck_assert_int_eq(holds_bytes(outputs.text, outputs.length, S("(no value)")), 1);
  free(outputs.text);
  world_close(&world);
}
END_TEST

int main(void) {
  Suite *s = suite_create("canary");
  TCase *tc = tcase_create("canary");
  tcase_add_test(tc, no_output_holds_the_value_or_its_secret);
  tcase_add_test(tc, the_log_says_what_stands_around_a_malformed_value);
  suite_add_tcase(s, tc);
  return run_suite(s);
}
