/* SPDX-License-Identifier: MIT */
/* Callbacks of the options: used, destroyed once, and kept from calling back. */
#include "support/deeds.h"
#include "support/suite.h"
#include "support/wrapped_storage.h"

#include <stdio.h>
#include <stdlib.h>

struct probe {
  apikeys_env *env;
  int called, destroyed, lines, answer;
  int wrong; /* calls back that were answered otherwise than REENTERED */
  char text[4096];
};

static void call_back(struct probe *probe) {
  probe->called++;
  if (probe->env == NULL)
    return;
  static const char value[64] = "sk_x";
  int rc = apikeys_validate(probe->env, value, 60, NULL, NULL, NULL, NULL);
  if (rc != APIKEYS_ERROR_REENTERED || apikeys_maintain(probe->env, NULL) != rc)
    probe->wrong++;
}

static void destroy_probe(void *user_data) {
  ((struct probe *)user_data)->destroyed++;
}

static int64_t tell_time(void *user_data) {
  call_back(user_data);
  return 86400000;
}

static int fill(void *out, size_t length, void *user_data) {
  struct probe *probe = user_data;
  call_back(probe);
  for (size_t i = 0; i < length; i++)
    ((unsigned char *)out)[i] = (unsigned char)rand();
  return probe->answer;
}

static void write_line(int level, const char *message, size_t length, void *user_data) {
  struct probe *probe = user_data;
  call_back(probe);
  ck_assert_int_eq(level, APIKEYS_LOG_SECURITY);
  ck_assert_uint_eq(strlen(message), length);
  ck_assert_ptr_null(strchr(message, '\n'));
  probe->lines++;
  size_t used = strlen(probe->text);
  snprintf(probe->text + used, sizeof probe->text - used, "%s\n", message);
}

static void intrude(enum wrapped_slot slot, void *data) {
  (void)slot;
  call_back(data);
}

START_TEST(callbacks_serve_and_are_destroyed_once) {
  struct probe clock = {.env = NULL}, log = {.env = NULL}, random = {.env = NULL};
  apikeys_options *options = apikeys_options_new();
  apikeys_env *first = NULL, *second = NULL;
  ck_assert_int_eq(apikeys_options_set_clock(options, tell_time, &clock, destroy_probe), 0);
  ck_assert_int_eq(apikeys_options_set_log(options, write_line, &log, destroy_probe), 0);
  ck_assert_int_eq(apikeys_options_set_random(options, fill, &random, destroy_probe), 0);
  ck_assert_int_eq(apikeys_open_memory(&first, options, NULL), 0);
  ck_assert_int_eq(apikeys_open_memory(&second, options, NULL), 0);
  ck_assert_int_gt(clock.called, 0);
  ck_assert_int_gt(random.called, 0);
  apikeys_options_free(options);
  apikeys_close(first);
  ck_assert_int_eq(clock.destroyed + log.destroyed + random.destroyed, 0);
  apikeys_close(second);
  ck_assert_int_eq(clock.destroyed, 1);
  ck_assert_int_eq(log.destroyed, 1);
  ck_assert_int_eq(random.destroyed, 1);
}
END_TEST

START_TEST(a_callback_that_is_replaced_or_refused_is_destroyed) {
  struct probe probe = {.env = NULL};
  apikeys_options *options = apikeys_options_new();
  ck_assert_int_eq(apikeys_options_set_clock(options, tell_time, &probe, destroy_probe), 0);
  ck_assert_int_eq(apikeys_options_set_clock(options, tell_time, NULL, NULL), 0);
  ck_assert_int_eq(probe.destroyed, 1);
  ck_assert_int_ne(apikeys_options_set_clock(options, NULL, &probe, destroy_probe), 0);
  ck_assert_int_ne(apikeys_options_set_log(NULL, write_line, &probe, destroy_probe), 0);
  ck_assert_int_ne(apikeys_options_set_random(options, NULL, &probe, destroy_probe), 0);
  ck_assert_int_eq(probe.destroyed, 4);
  ck_assert_int_ne(apikeys_options_set_busy_timeout_ms(options, -1), 0);
  ck_assert_int_ne(apikeys_options_set_busy_timeout_ms(options, 600001), 0);
  apikeys_options_free(options);
}
END_TEST

START_TEST(no_callback_gets_back_in) {
  static const char root[32] = "root";
  struct probe clock = {.env = NULL}, log = clock, random = clock, slots = clock;
  struct world world;
  struct made_key key;
  struct wrapped_storage wrapped;
  apikeys_storage storage;
  char organization[64], forged[APIKEYS_VALUE_MAX];
  world_open(&world, BACKEND_MEMORY);
  apikeys_close(world.env);
  ok(&world, apikeys_options_set_root_key(world.options, root, sizeof root));
  ok(&world, apikeys_options_set_clock(world.options, tell_time, &clock, NULL));
  ok(&world, apikeys_options_set_log(world.options, write_line, &log, NULL));
  ok(&world, apikeys_options_set_random(world.options, fill, &random, NULL));
  wrap_memory_storage(&wrapped, &storage);
  ok(&world, apikeys_open_storage(&world.env, &storage, world.options, world.err));
  clock.env = log.env = random.env = slots.env = world.env;
  wrapped.intrude = intrude;
  wrapped.intrude_data = &slots;
  make_organization(&world, "Acme", organization);
  make_key(&world, key_spec(organization, "CI", ""), &key);
  forge_value(forged, key.value);
  ok(&world, validate(&world, key.value, NULL));
  ck_assert_int_eq(validate(&world, forged, NULL), APIKEYS_UNKNOWN);
  ok(&world, apikeys_maintain(world.env, world.err));
  ck_assert_int_gt(slots.called, 0);
  ck_assert_int_gt(log.called, 0);
  ck_assert_int_eq(clock.wrong + log.wrong + random.wrong + slots.wrong, 0);
  wrapped.intrude = NULL;
  world_close(&world);
}
END_TEST

START_TEST(a_failing_random_source_fails_the_call) {
  struct probe random = {.env = NULL};
  struct world world;
  char organization[64];
  world_open(&world, BACKEND_MEMORY);
  apikeys_close(world.env);
  ok(&world, apikeys_options_set_random(world.options, fill, &random, NULL));
  ok(&world, apikeys_open_memory(&world.env, world.options, world.err));
  make_organization(&world, "Acme", organization);
  int64_t events = last_event(&world, NULL);
  random.answer = -1;
  ck_assert_int_eq(try_key(&world, world.system, key_spec(organization, "CI", ""), NULL),
                   APIKEYS_ERROR_RANDOM);
  ck_assert_int_eq(last_event(&world, NULL), events);
  world_close(&world);
}
END_TEST

START_TEST(the_security_log_is_limited_and_counts_what_it_left_out) {
  struct probe log = {.env = NULL};
  struct world world;
  world_open(&world, BACKEND_MEMORY);
  apikeys_close(world.env);
  ok(&world, apikeys_options_set_log(world.options, write_line, &log, NULL));
  ok(&world, apikeys_open_memory(&world.env, world.options, world.err));
  apikeys_request *request = apikeys_request_new();
  ok(&world, apikeys_request_set_address(request, S("192.0.2.7")));
  ck_assert_int_ne(apikeys_request_set_address(request, S("a\nb")), 0);
  ok(&world, apikeys_request_set_address(request, S("192.0.2.7")));
  for (int i = 0; i < 25; i++)
    ck_assert_int_eq(apikeys_validate(world.env, S("secret-ish"), NULL, request, NULL, NULL),
                     APIKEYS_MALFORMED);
  ck_assert_int_eq(log.lines, 10);
  world.now_ms += 1000;
  ck_assert_int_eq(apikeys_validate(world.env, S("secret-ish"), NULL, request, NULL, NULL),
                   APIKEYS_MALFORMED);
  ck_assert_int_eq(log.lines, 12);
  ck_assert_ptr_nonnull(strstr(log.text, "15 refusals were left out"));
  ck_assert_ptr_nonnull(strstr(log.text, "192.0.2.7"));
  ck_assert_ptr_nonnull(strstr(log.text, "MALFORMED"));
  ck_assert_ptr_null(strstr(log.text, "secret-ish"));
  apikeys_request_free(request);
  world_close(&world);
}
END_TEST

int main(void) {
  Suite *s = suite_create("options");
  TCase *tc = tcase_create("options");
  tcase_add_test(tc, callbacks_serve_and_are_destroyed_once);
  tcase_add_test(tc, a_callback_that_is_replaced_or_refused_is_destroyed);
  tcase_add_test(tc, no_callback_gets_back_in);
  tcase_add_test(tc, a_failing_random_source_fails_the_call);
  tcase_add_test(tc, the_security_log_is_limited_and_counts_what_it_left_out);
  suite_add_tcase(s, tc);
  return run_suite(s);
}
