/* SPDX-License-Identifier: MIT */
/* Documents: what the host keeps beside its keys. */
#include "support/deeds.h"
#include "support/expect.h"

#include <apikeys/document.h>

#include <stdio.h>
#include <stdlib.h>

static apikeys_document *document(const char *id, const char *body) {
  apikeys_document *made = apikeys_document_new();
  ck_assert_int_eq(apikeys_document_set_collection(made, S("jobs")), 0);
  ck_assert_int_eq(apikeys_document_set_id(made, S(id)), 0);
  ck_assert_int_eq(apikeys_document_set_body(made, S(body)), 0);
  return made;
}

static int create(struct world *world, apikeys_document *made) {
  return apikeys_document_create(world->env, world->system, made, world->err);
}

static int get(struct world *world, const char *id, apikeys_document *out) {
  return apikeys_document_get(world->env, world->system, S("jobs"), S(id), out, world->err);
}

START_TEST(a_document_is_kept_as_it_was_made) {
  struct world world;
  char secret[16];
  size_t length;
  world_open(&world, (enum backend)_i);
  apikeys_document *made = document("one", "{\"a\":\n\"\xc3\xa9\"}");
  ck_assert_int_eq(apikeys_document_set_group(made, S("g")), 0);
  ck_assert_int_eq(apikeys_document_set_due_at_ms(made, 7), 0);
  ck_assert_int_eq(apikeys_document_set_secret(made, "s\0t", 3), 0);
  ck_assert_int_eq(create(&world, made), 0);
  ck_assert_int_eq(create(&world, made), APIKEYS_ERROR_EXISTS);
  apikeys_document *got = apikeys_document_new();
  ck_assert_int_eq(get(&world, "one", got), 0);
  ck_assert_str_eq(apikeys_document_collection(got, NULL), "jobs");
  ck_assert_str_eq(apikeys_document_id(got, NULL), "one");
  ck_assert_str_eq(apikeys_document_group(got, NULL), "g");
  ck_assert_str_eq(apikeys_document_body(got, NULL), "{\"a\":\n\"\xc3\xa9\"}");
  ck_assert_int_eq(apikeys_document_due_at_ms(got), 7);
  ck_assert_int_eq(apikeys_document_version(got), 1);
  ck_assert_int_eq(apikeys_document_created_at_ms(got), world.now_ms);
  ck_assert_int_eq(apikeys_document_secret(got, secret, 2, &length),
                   APIKEYS_ERROR_BUFFER_TOO_SMALL);
  ck_assert_uint_eq(length, 3);
  ck_assert_int_eq(apikeys_document_secret(got, secret, sizeof secret, &length), 0);
  ck_assert_uint_eq(length, 3);
  ck_assert_mem_eq(secret, "s\0t", 3);
  ck_assert_ptr_null(strstr(apikeys_document_json(got, NULL), "secret"));
  ck_assert_int_eq(get(&world, "two", got), APIKEYS_ERROR_NOT_FOUND);
  ck_assert_str_eq(apikeys_document_id(got, NULL), "one"); /* untouched by the failure */
  apikeys_document_free(got);
  apikeys_document_free(made);
  world_close(&world);
}
END_TEST

START_TEST(documents_leave_no_events) {
  struct world world;
  world_open(&world, (enum backend)_i);
  int64_t before = last_event(&world, NULL);
  apikeys_document *made = document("one", "");
  ck_assert_int_eq(create(&world, made), 0);
  ck_assert_int_eq(apikeys_document_put(world.env, world.system, made, world.err), 0);
  ck_assert_int_eq(
      apikeys_document_delete(world.env, world.system, S("jobs"), S("one"), 0, world.err), 0);
  ck_assert_int_eq(last_event(&world, NULL), before);
  apikeys_document_free(made);
  world_close(&world);
}
END_TEST

START_TEST(of_two_writers_one_is_told) {
  struct world world;
  world_open(&world, (enum backend)_i);
  apikeys_document *made = document("one", "first");
  apikeys_document *mine = apikeys_document_new(), *theirs = apikeys_document_new();
  ck_assert_int_eq(create(&world, made), 0);
  ck_assert_int_eq(get(&world, "one", mine), 0);
  ck_assert_int_eq(get(&world, "one", theirs), 0);
  apikeys_document_set_body(theirs, S("theirs"));
  apikeys_document_set_body(mine, S("mine"));
  ck_assert_int_eq(apikeys_document_update(world.env, world.system, theirs, world.err), 0);
  ck_assert_int_eq(apikeys_document_version(theirs), 2);
  expect_failure(&world, apikeys_document_update(world.env, world.system, mine, world.err),
                 APIKEYS_ERROR_CHANGED, "version");
  ck_assert_int_eq(get(&world, "one", mine), 0);
  ck_assert_str_eq(apikeys_document_body(mine, NULL), "theirs");
  ck_assert_int_eq(
      apikeys_document_delete(world.env, world.system, S("jobs"), S("one"), 1, world.err),
      APIKEYS_ERROR_CHANGED);
  ck_assert_int_eq(
      apikeys_document_delete(world.env, world.system, S("jobs"), S("one"), 2, world.err), 0);
  ck_assert_int_eq(get(&world, "one", mine), APIKEYS_ERROR_NOT_FOUND);
  apikeys_document_free(theirs);
  apikeys_document_free(mine);
  apikeys_document_free(made);
  world_close(&world);
}
END_TEST

/* A secret stays through an update that does not speak of it, and through a new root key. */
START_TEST(secrets_are_sealed_and_stay) {
  struct world world;
  char secret[16];
  size_t length = 0;
  world_open(&world, (enum backend)_i);
  apikeys_document *made = document("one", "a");
  apikeys_document_set_secret(made, S("0123456789"));
  ck_assert_int_eq(create(&world, made), 0);
  ck_assert_int_eq(get(&world, "one", made), 0);
  apikeys_document_set_body(made, S("b"));
  ck_assert_int_eq(apikeys_document_update(world.env, world.system, made, world.err), 0);
  ck_assert_int_eq(apikeys_rotate_root_key(world.env, world.system, NULL, 0, 0, world.err), 0);
  ck_assert_int_eq(get(&world, "one", made), 0);
  ck_assert_int_eq(apikeys_document_secret(made, secret, sizeof secret, &length), 0);
  ck_assert_uint_eq(length, 10);
  ck_assert_mem_eq(secret, "0123456789", 10);
  apikeys_document_free(made);
  made = document("one", "c"); /* a put says everything, so also that there is no secret */
  ck_assert_int_eq(apikeys_document_put(world.env, world.system, made, world.err), 0);
  ck_assert_int_eq(get(&world, "one", made), 0);
  ck_assert_int_eq(apikeys_document_secret(made, secret, sizeof secret, &length),
                   APIKEYS_ERROR_NOT_FOUND);
  apikeys_document_free(made);
  world_close(&world);
}
END_TEST

START_TEST(what_has_expired_is_gone) {
  struct world world;
  world_open(&world, (enum backend)_i);
  uint64_t count = 7;
  apikeys_document *made = document("one", "");
  apikeys_document_set_expires_at_ms(made, world.now_ms + 10);
  ck_assert_int_eq(create(&world, made), 0);
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_filter_set_collection(filter, S("jobs"));
  world.now_ms += 9;
  ck_assert_int_eq(get(&world, "one", made), 0);
  world.now_ms += 1;
  apikeys_document *got = apikeys_document_new();
  ck_assert_int_eq(get(&world, "one", got), APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(apikeys_maintain(world.env, world.err), 0);
  ck_assert_int_eq(apikeys_document_count(world.env, world.system, filter, &count, world.err), 0);
  ck_assert_uint_eq(count, 0);
  apikeys_document_set_expires_at_ms(made, 0);
  ck_assert_int_eq(create(&world, made), 0); /* its place is free */
  apikeys_filter_free(filter);
  apikeys_document_free(got);
  apikeys_document_free(made);
  world_close(&world);
}
END_TEST

static void make(struct world *world, const char *id, const char *group, int64_t due_at_ms) {
  apikeys_document *made = document(id, "");
  apikeys_document_set_group(made, S(group));
  apikeys_document_set_due_at_ms(made, due_at_ms);
  ck_assert_int_eq(create(world, made), 0);
  apikeys_document_free(made);
}

/* The ids of a page, separated by blanks. */
static void expect_ids(struct world *world, apikeys_filter *filter, const char *ids) {
  char got[256] = "";
  apikeys_page *page = apikeys_page_new();
  ck_assert_int_eq(apikeys_document_list(world->env, world->system, filter, page, world->err), 0);
  for (size_t i = 0; i < apikeys_page_count(page); i++) {
    strncat(got, i > 0 ? " " : "", sizeof got - strlen(got) - 1);
    strncat(got, apikeys_document_id(apikeys_page_document(page, i), NULL),
            sizeof got - strlen(got) - 1);
  }
  ck_assert_str_eq(got, ids);
  apikeys_page_free(page);
}

START_TEST(lists_give_groups_and_what_is_due) {
  struct world world;
  world_open(&world, (enum backend)_i);
  make(&world, "a", "x", 30);
  make(&world, "b", "y", 10);
  make(&world, "c", "x", 0);
  make(&world, "d", "x", 20);
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  expect_failure(&world, apikeys_document_list(world.env, world.system, filter, page, world.err),
                 APIKEYS_ERROR_INVALID_ARGUMENT, "collection");
  apikeys_filter_set_collection(filter, S("jobs"));
  expect_ids(&world, filter, "d c b a");
  apikeys_filter_set_group(filter, S("x"));
  expect_ids(&world, filter, "d c a");
  apikeys_filter_set_group(filter, "", 0);
  apikeys_filter_set_due_until_ms(filter, 20);
  expect_ids(&world, filter, "b d");
  apikeys_filter_clear(filter);
  apikeys_filter_set_collection(filter, S("jobs"));
  apikeys_filter_set_limit(filter, 2);
  apikeys_filter_set_after(filter, S("c"));
  expect_ids(&world, filter, "b a");
  apikeys_filter_set_after(filter, "", 0);
  apikeys_filter_set_collection(filter, S("other"));
  expect_ids(&world, filter, "");
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  world_close(&world);
}
END_TEST

START_TEST(contents_have_their_bounds) {
  struct world world;
  world_open(&world, (enum backend)_i);
  char *large = malloc(65537);
  memset(large, 'x', 65537);
  apikeys_document *made = document("one", "");
  ck_assert_int_eq(apikeys_document_set_body(made, large, 65536), 0);
  ck_assert_int_eq(create(&world, made), 0);
  apikeys_document_set_id(made, S("has blank"));
  expect_failure(&world, create(&world, made), APIKEYS_ERROR_INVALID_ARGUMENT, "id");
  apikeys_document_set_id(made, S("two"));
  apikeys_document_set_collection(made, S("Upper"));
  expect_failure(&world, create(&world, made), APIKEYS_ERROR_INVALID_ARGUMENT, "collection");
  apikeys_document_set_collection(made, S("jobs"));
  apikeys_document_set_body(made, "\xff", 1);
  expect_failure(&world, create(&world, made), APIKEYS_ERROR_INVALID_ARGUMENT, "body");
  apikeys_document_free(made);
  free(large);
  world_close(&world);
}
END_TEST

START_TEST(an_update_says_which_version_it_means) {
  struct world world;
  world_open(&world, (enum backend)_i);
  apikeys_document *old = document("one", "a"), *blind = document("one", "b");
  ck_assert_int_eq(create(&world, old), 0);
  expect_failure(&world, apikeys_document_update(world.env, world.system, blind, world.err),
                 APIKEYS_ERROR_INVALID_ARGUMENT, "version");
  apikeys_document_set_version(blind, 1);
  ck_assert_int_eq(apikeys_document_update(world.env, world.system, blind, world.err), 0);

  /* One made anew has the version again, but is another document. */
  ck_assert_int_eq(
      apikeys_document_delete(world.env, world.system, S("jobs"), S("one"), 0, world.err), 0);
  apikeys_document *again = document("one", "c");
  ck_assert_int_eq(create(&world, again), 0);
  apikeys_document_set_body(old, S("d"));
  ck_assert_int_eq(apikeys_document_version(old), apikeys_document_version(again));
  expect_failure(&world, apikeys_document_update(world.env, world.system, old, world.err),
                 APIKEYS_ERROR_CHANGED, "version");
  apikeys_document_free(again);
  apikeys_document_free(blind);
  apikeys_document_free(old);
  world_close(&world);
}
END_TEST

START_TEST(many_secrets_survive_new_root_keys) {
  enum { MANY = 150 };
  struct world world;
  char id[16], secret[16];
  size_t length;
  world_open(&world, (enum backend)_i);
  for (int i = 0; i < MANY; i++) {
    snprintf(id, sizeof id, "%d", i);
    apikeys_document *made = document(id, "");
    if (i % 3 != 0)
      apikeys_document_set_secret(made, S(id));
    ck_assert_int_eq(create(&world, made), 0);
    apikeys_document_free(made);
  }
  for (int i = 0; i < 2; i++)
    ok(&world, apikeys_rotate_root_key(world.env, world.system, NULL, 0, 0, world.err));
  if (_i == BACKEND_SQLITE)
    world_reopen(&world);
  for (int i = 0; i < MANY; i++) {
    snprintf(id, sizeof id, "%d", i);
    apikeys_document *got = apikeys_document_new();
    ck_assert_int_eq(get(&world, id, got), 0);
    int rc = apikeys_document_secret(got, secret, sizeof secret, &length);
    ck_assert_int_eq(rc, i % 3 != 0 ? 0 : APIKEYS_ERROR_NOT_FOUND);
    if (rc == 0)
      ck_assert_mem_eq(secret, id, length);
    apikeys_document_free(got);
  }
  world_close(&world);
}
END_TEST

/* Nothing of it in the store's files; and moved to another row, or changed, it does not open. */
START_TEST(a_secret_is_sealed_to_its_place) {
  struct world world;
  if (_i != BACKEND_SQLITE)
    return;
  static const char secret[] = "whsec_0123456789abcdef";
  static const char *const suffixes[] = {"", "-wal"};
  size_t length;
  world_open(&world, BACKEND_SQLITE);
  apikeys_document *one = document("one", "body"), *two = document("two", "");
  apikeys_document_set_secret(one, S(secret));
  apikeys_document_set_secret(two, S("another"));
  ck_assert_int_eq(create(&world, one), 0);
  ck_assert_int_eq(create(&world, two), 0);
  for (size_t i = 0; i < 2; i++) {
    char path[128];
    snprintf(path, sizeof path, "%s%s", world.path, suffixes[i]);
    char *bytes = read_bytes(path, &length);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_int_eq(holds_bytes(bytes, length, secret + 6, 8), 0);
    free(bytes);
  }
  ck_assert_int_eq(run_sql(&world, "UPDATE documents SET sealed_secret = (SELECT sealed_secret FROM"
                                   " documents WHERE id = 'one') WHERE id = 'two'"),
                   1);
  expect_failure(&world, get(&world, "two", two), APIKEYS_ERROR_CORRUPT, "");
  ck_assert_int_eq(get(&world, "one", one), 0);
  ck_assert_int_eq(run_sql(&world, "UPDATE documents SET sealed_secret = x'00' WHERE id = 'one'"),
                   1);
  expect_failure(&world, get(&world, "one", one), APIKEYS_ERROR_CORRUPT, "");
  /* Writing it off is possible. */
  apikeys_document *anew = document("one", "");
  ck_assert_int_eq(apikeys_document_put(world.env, world.system, anew, world.err), 0);
  ck_assert_int_eq(get(&world, "one", one), 0);
  apikeys_document_free(anew);
  apikeys_document_free(two);
  apikeys_document_free(one);
  world_close(&world);
}
END_TEST

START_TEST(lists_give_no_secrets_and_updates_keep_them) {
  struct world world;
  char secret[16];
  world_open(&world, (enum backend)_i);
  apikeys_document *made = document("one", "");
  apikeys_document_set_secret(made, S("hidden"));
  ck_assert_int_eq(create(&world, made), 0);
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  apikeys_filter_set_collection(filter, S("jobs"));
  ok(&world, apikeys_document_list(world.env, world.system, filter, page, world.err));
  apikeys_document *listed = apikeys_page_document(page, 0);
  ck_assert_int_eq(apikeys_document_secret(listed, secret, sizeof secret, NULL),
                   APIKEYS_ERROR_NOT_FOUND);
  apikeys_document_set_body(listed, S("new"));
  ok(&world, apikeys_document_update(world.env, world.system, listed, world.err));
  ok(&world, get(&world, "one", made));
  ck_assert_str_eq(apikeys_document_body(made, NULL), "new");
  ck_assert_int_eq(apikeys_document_secret(made, secret, sizeof secret, NULL), 0);
  ck_assert_mem_eq(secret, "hidden", 6);
  ck_assert_ptr_null(apikeys_page_document(page, 1));
  ck_assert_ptr_null(apikeys_page_key(page, 0));
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  apikeys_document_free(made);
  world_close(&world);
}
END_TEST

/* Before maintenance has been there: no list, no count, and no version that goes on. */
START_TEST(what_has_expired_is_in_no_answer) {
  struct world world;
  uint64_t count = 7;
  world_open(&world, (enum backend)_i);
  apikeys_document *made = document("one", "");
  apikeys_document_set_expires_at_ms(made, world.now_ms + 1);
  apikeys_document_set_due_at_ms(made, 1);
  ck_assert_int_eq(create(&world, made), 0);
  world.now_ms += 1;
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_filter_set_collection(filter, S("jobs"));
  expect_ids(&world, filter, "");
  apikeys_filter_set_due_until_ms(filter, world.now_ms);
  expect_ids(&world, filter, "");
  ok(&world, apikeys_document_count(world.env, world.system, filter, &count, world.err));
  ck_assert_uint_eq(count, 0);
  ck_assert_int_eq(apikeys_document_update(world.env, world.system, made, world.err),
                   APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(
      apikeys_document_delete(world.env, world.system, S("jobs"), S("one"), 0, world.err),
      APIKEYS_ERROR_NOT_FOUND);
  apikeys_document_set_expires_at_ms(made, 0);
  ok(&world, apikeys_document_put(world.env, world.system, made, world.err));
  ck_assert_int_eq(apikeys_document_version(made), 1);
  expect_ids(&world, filter, "one");
  apikeys_filter_set_group(filter, S("x"));
  expect_ids(&world, filter, "");
  apikeys_filter_free(filter);
  apikeys_document_free(made);
  world_close(&world);
}
END_TEST

enum { BATCH_MAX = 100 };

START_TEST(many_are_written_together_each_with_its_result) {
  struct world world;
  int results[3] = {7, 7, 7};
  world_open(&world, (enum backend)_i);
  apikeys_document *first = document("one", "a");
  ck_assert_int_eq(create(&world, first), 0);
  apikeys_document *batch[] = {document("two", "b"), document("one", "c"), document("three", "d")};
  apikeys_document_set_secret(batch[2], S("hidden"));
  ok(&world, apikeys_document_create_many(world.env, world.system, batch, 3, results, world.err));
  ck_assert_int_eq(apikeys_error_code(world.err), 0);
  ck_assert_int_eq(results[0], 0);
  ck_assert_int_eq(results[1], APIKEYS_ERROR_EXISTS);
  ck_assert_int_eq(results[2], 0);
  ck_assert_int_eq(apikeys_document_version(batch[0]), 1);
  ck_assert_int_eq(apikeys_document_version(batch[1]), 0);
  apikeys_document *got = apikeys_document_new();
  char secret[8];
  ck_assert_int_eq(get(&world, "three", got), 0);
  ck_assert_int_eq(apikeys_document_secret(got, secret, sizeof secret, NULL), 0);
  ck_assert_mem_eq(secret, "hidden", 6);

  /* One changed meanwhile, one is gone, one is as it was read. */
  ck_assert_int_eq(get(&world, "two", got), 0);
  apikeys_document_set_body(got, S("theirs"));
  ck_assert_int_eq(apikeys_document_update(world.env, world.system, got, world.err), 0);
  apikeys_document *updates[] = {batch[0], first, batch[2]};
  apikeys_document_set_body(batch[0], S("mine"));
  apikeys_document_set_body(first, S("gone"));
  apikeys_document_set_body(batch[2], S("changed"));
  ok(&world, apikeys_document_delete(world.env, world.system, S("jobs"), S("one"), 0, world.err));
  ok(&world, apikeys_document_update_many(world.env, world.system, updates, 3, results, world.err));
  ck_assert_int_eq(results[0], APIKEYS_ERROR_CHANGED);
  ck_assert_int_eq(results[1], APIKEYS_ERROR_NOT_FOUND);
  ck_assert_int_eq(results[2], 0);
  ck_assert_int_eq(apikeys_document_version(batch[2]), 2);
  ck_assert_int_eq(get(&world, "two", got), 0);
  ck_assert_str_eq(apikeys_document_body(got, NULL), "theirs");
  ck_assert_int_eq(get(&world, "three", got), 0);
  ck_assert_str_eq(apikeys_document_body(got, NULL), "changed");
  ck_assert_int_eq(apikeys_document_secret(got, secret, sizeof secret, NULL), 0);
  for (int i = 0; i < 3; i++)
    apikeys_document_free(batch[i]);
  apikeys_document_free(first);
  apikeys_document_free(got);
  world_close(&world);
}
END_TEST

START_TEST(without_results_all_are_written_or_none) {
  struct world world;
  world_open(&world, (enum backend)_i);
  apikeys_document *got = apikeys_document_new();
  apikeys_document *batch[] = {document("one", "a"), document("one", "b")};
  expect_failure(&world,
                 apikeys_document_create_many(world.env, world.system, batch, 2, NULL, world.err),
                 APIKEYS_ERROR_EXISTS, "id");
  ck_assert_int_eq(apikeys_document_version(batch[0]), 0);
  ck_assert_int_eq(get(&world, "one", got), APIKEYS_ERROR_NOT_FOUND);
  ok(&world, apikeys_document_create_many(world.env, world.system, batch, 1, NULL, world.err));
  ok(&world, apikeys_document_create_many(world.env, world.system, NULL, 0, NULL, world.err));
  /* Named twice, the second meets what the first wrote. */
  int results[2];
  apikeys_document *twice[] = {batch[0], batch[0]};
  apikeys_document_set_body(batch[0], S("c"));
  ok(&world, apikeys_document_update_many(world.env, world.system, twice, 2, results, world.err));
  ck_assert_int_eq(results[0], 0);
  ck_assert_int_eq(results[1], APIKEYS_ERROR_CHANGED);
  ck_assert_int_eq(apikeys_document_version(batch[0]), 2);
  apikeys_document_free(batch[0]);
  apikeys_document_free(batch[1]);
  apikeys_document_free(got);
  world_close(&world);
}
END_TEST

START_TEST(a_batch_has_its_bounds_and_its_actor) {
  struct world world;
  int results[BATCH_MAX + 1] = {7};
  apikeys_document *batch[BATCH_MAX + 1];
  world_open(&world, (enum backend)_i);
  for (int i = 0; i <= BATCH_MAX; i++) {
    char id[8];
    snprintf(id, sizeof id, "d%d", i);
    batch[i] = document(id, "");
  }
  expect_failure(&world,
                 apikeys_document_create_many(world.env, world.system, batch, BATCH_MAX + 1,
                                              results, world.err),
                 APIKEYS_ERROR_INVALID_ARGUMENT, "count");
  apikeys_document *hole[] = {batch[0], NULL};
  expect_failure(&world,
                 apikeys_document_create_many(world.env, world.system, hole, 2, results, world.err),
                 APIKEYS_ERROR_INVALID_ARGUMENT, "documents");
  apikeys_actor *nobody = apikeys_actor_new();
  ck_assert_int_ne(apikeys_document_create_many(world.env, nobody, batch, 1, results, world.err),
                   0);
  ck_assert_int_ne(apikeys_document_update_many(world.env, nobody, batch, 1, results, world.err),
                   0);
  struct made_key reader;
  make_key(&world, management_key_spec("reader", "apikeys:documents:read"), &reader);
  ok(&world, apikeys_actor_set_management_key(world.env, nobody, S(reader.value), world.err));
  expect_failure(&world,
                 apikeys_document_create_many(world.env, nobody, batch, 1, results, world.err),
                 APIKEYS_ERROR_NOT_ALLOWED, "actor");
  ck_assert_int_eq(results[0], 7);
  ok(&world,
     apikeys_document_create_many(world.env, world.system, batch, BATCH_MAX, results, world.err));
  ck_assert_int_eq(results[BATCH_MAX - 1], 0);
  for (int i = 0; i <= BATCH_MAX; i++)
    apikeys_document_free(batch[i]);
  apikeys_actor_free(nobody);
  world_close(&world);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      a_document_is_kept_as_it_was_made,
      documents_leave_no_events,
      of_two_writers_one_is_told,
      secrets_are_sealed_and_stay,
      what_has_expired_is_gone,
      lists_give_groups_and_what_is_due,
      contents_have_their_bounds,
      an_update_says_which_version_it_means,
      many_secrets_survive_new_root_keys,
      a_secret_is_sealed_to_its_place,
      lists_give_no_secrets_and_updates_keep_them,
      what_has_expired_is_in_no_answer,
      many_are_written_together_each_with_its_result,
      without_results_all_are_written_or_none,
      a_batch_has_its_bounds_and_its_actor,
  };
  return RUN_ON_EACH_BACKEND("documents", tests);
}
