/* SPDX-License-Identifier: MIT */
/*
 * Lists against a model: random keys, revoked now and then, asked for with random limits, orders,
 * searches and cursors. The seed is printed; APIKEYS_SEED runs one again.
 */
#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>

enum { KEYS = 60, QUESTIONS = 1500 };

struct model_key {
  char id[64];
  char name[16];
  int revoked;
};

struct model {
  struct world world;
  uint64_t seed;
  char organization[64];
  struct model_key keys[KEYS]; /* in the order they were made */
};

/* What is asked; cursors are indexes of keys, -1: none. */
struct question {
  int limit, newest_first, revoked, after, before;
  char search[4];
};

static unsigned draw(struct model *model, unsigned below) {
  model->seed ^= model->seed << 13;
  model->seed ^= model->seed >> 7;
  model->seed ^= model->seed << 17;
  return (unsigned)(model->seed >> 33) % below;
}

static void found(struct model *model, int backend) {
  const char *given = getenv("APIKEYS_SEED");
  model->seed = given != NULL ? strtoull(given, NULL, 10) : UINT64_C(4101842887655102017);
  printf("seed %llu\n", (unsigned long long)model->seed);
  world_open(&model->world, (enum backend)backend);
  make_organization(&model->world, "Acme", model->organization);
  char other[64];
  make_organization(&model->world, "Other", other);
  for (int i = 0; i < KEYS; i++) {
    struct model_key *key = &model->keys[i];
    struct made_key made;
    for (int c = 0; c < 4; c++)
      key->name[c] = "abAB"[draw(model, 4)];
    make_key(&model->world, key_spec(model->organization, key->name, ""), &made);
    struct made_key noise;
    make_key(&model->world, key_spec(other, key->name, ""), &noise);
    memcpy(key->id, made.id, sizeof key->id);
    model->world.now_ms -= draw(model, 3); /* lists go by number, whatever the clock does */
  }
}

static void revoke_one(struct model *model) {
  struct world *world = &model->world;
  struct model_key *key = &model->keys[draw(model, KEYS)];
  int rc = apikeys_key_revoke(world->env, world->system, S(key->id), NULL, 0, NULL, world->err);
  ck_assert_int_eq(rc, key->revoked ? APIKEYS_ERROR_ALREADY_REVOKED : APIKEYS_OK);
  key->revoked = 1;
}

static int same_letter(char a, char b) {
  return (a | 0x20) == (b | 0x20);
}

static int shown(const struct model *model, const struct question *question, int i) {
  const struct model_key *key = &model->keys[i];
  if (key->revoked && !question->revoked)
    return 0;
  size_t length = strlen(question->search);
  for (size_t at = 0; at + length <= strlen(key->name); at++) {
    size_t same = 0;
    while (same < length && same_letter(key->name[at + same], question->search[same]))
      same++;
    if (same == length)
      return 1;
  }
  return 0;
}

/* Up to `max` shown keys in steps from `from`; those the question may give, in walking order. */
static int walk(const struct model *model, const struct question *question, int from, int step,
                int max, int *found_keys) {
  int count = 0;
  for (int i = from; i >= 0 && i < KEYS && count < max; i += step)
    if (shown(model, question, i))
      found_keys[count++] = i;
  return count;
}

static int expected_page(const struct model *model, const struct question *question, int *keys) {
  int step = question->newest_first ? -1 : 1;
  if (question->before < 0) {
    int from = question->after >= 0 ? question->after + step : step > 0 ? 0 : KEYS - 1;
    return walk(model, question, from, step, question->limit, keys);
  }
  int back[KEYS];
  int count = walk(model, question, question->before - step, -step, question->limit, back);
  for (int i = 0; i < count; i++)
    keys[i] = back[count - 1 - i];
  return count;
}

static apikeys_filter *filter_of(const struct model *model, const struct question *question) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_filter_set_organization_id(filter, S(model->organization));
  apikeys_filter_set_limit(filter, question->limit);
  apikeys_filter_set_order(filter, question->newest_first ? APIKEYS_ORDER_NEWEST_FIRST
                                                          : APIKEYS_ORDER_OLDEST_FIRST);
  if (question->revoked)
    apikeys_filter_set_revoked(filter, 1);
  apikeys_filter_set_search(filter, S(question->search));
  if (question->after >= 0)
    apikeys_filter_set_after(filter, S(model->keys[question->after].id));
  if (question->before >= 0)
    apikeys_filter_set_before(filter, S(model->keys[question->before].id));
  return filter;
}

static void ask(struct model *model, const struct question *question, apikeys_page *page) {
  struct world *world = &model->world;
  apikeys_filter *filter = filter_of(model, question);
  int rc = apikeys_key_list(world->env, world->system, filter, page, world->err);
  ck_assert_msg(rc == 0, "%s", apikeys_error_message(world->err));
  apikeys_filter_free(filter);
}

/* Is there a shown key beyond this end of the page? */
static int beyond(const struct model *model, const struct question *question, int end, int step) {
  int next;
  return walk(model, question, end + step, step, 1, &next) > 0;
}

static void check_cursors(const struct model *model, const struct question *question,
                          const apikeys_page *page, const int *keys, int count) {
  int step = question->newest_first ? -1 : 1;
  const char *after = apikeys_page_after(page, NULL), *before = apikeys_page_before(page, NULL);
  if (count == 0) {
    ck_assert_str_eq(after, "");
    ck_assert_str_eq(before, "");
    return;
  }
  int first = keys[0], last = keys[count - 1];
  /* A cursor may be a key that the list does not show: then there may be less than it promises. */
  int hidden_after = question->before >= 0 && !shown(model, question, question->before);
  int hidden_before = question->after >= 0 && !shown(model, question, question->after);
  if (beyond(model, question, last, step))
    ck_assert_str_eq(after, model->keys[last].id);
  else if (!hidden_after)
    ck_assert_str_eq(after, "");
  if (beyond(model, question, first, -step))
    ck_assert_str_eq(before, model->keys[first].id);
  else if (!hidden_before)
    ck_assert_str_eq(before, "");
}

static void draw_question(struct model *model, struct question *question) {
  memset(question, 0, sizeof *question);
  question->limit = 1 + (int)draw(model, draw(model, 2) ? 5 : 100);
  question->newest_first = (int)draw(model, 2);
  question->revoked = (int)draw(model, 2);
  question->after = question->before = -1;
  unsigned way = draw(model, 3);
  if (way == 1)
    question->after = (int)draw(model, KEYS);
  if (way == 2)
    question->before = (int)draw(model, KEYS);
  for (unsigned i = 0, length = draw(model, 4); i < length; i++)
    question->search[i] = "abAB"[draw(model, 4)];
}

START_TEST(every_page_is_what_the_model_says) {
  struct model *model = calloc(1, sizeof *model);
  apikeys_page *page = apikeys_page_new();
  found(model, _i);
  for (int n = 0; n < QUESTIONS; n++) {
    struct question question;
    int keys[KEYS];
    if (n % 50 == 49)
      revoke_one(model);
    draw_question(model, &question);
    int count = expected_page(model, &question, keys);
    ask(model, &question, page);
    ck_assert_int_eq((int)apikeys_page_count(page), count);
    for (int i = 0; i < count; i++)
      ck_assert_str_eq(apikeys_key_id(apikeys_page_key(page, (size_t)i), NULL),
                       model->keys[keys[i]].id);
    check_cursors(model, &question, page, keys, count);
  }
  apikeys_page_free(page);
  world_close(&model->world);
  free(model);
}
END_TEST

static int index_of(const struct model *model, const char *id) {
  for (int i = 0; i < KEYS; i++)
    if (strcmp(model->keys[i].id, id) == 0)
      return i;
  ck_abort_msg("a cursor that is no key: %s", id);
  return -1;
}

/* Follows the cursors to the end and back again: each key once, and the pages meet. */
static void walk_there_and_back(struct model *model, struct question question) {
  apikeys_page *page = apikeys_page_new();
  int there = 0, back = 0;
  question.after = question.before = -1;
  ask(model, &question, page);
  there += (int)apikeys_page_count(page);
  while (apikeys_page_after(page, NULL)[0] != '\0') {
    question.after = index_of(model, apikeys_page_after(page, NULL));
    ask(model, &question, page);
    there += (int)apikeys_page_count(page);
  }
  back += (int)apikeys_page_count(page);
  question.after = -1;
  while (apikeys_page_before(page, NULL)[0] != '\0') {
    question.before = index_of(model, apikeys_page_before(page, NULL));
    ask(model, &question, page);
    back += (int)apikeys_page_count(page);
  }
  int all[KEYS];
  int count = walk(model, &question, 0, 1, KEYS, all);
  ck_assert_int_eq(there, count);
  ck_assert_int_eq(back, count);
  apikeys_page_free(page);
}

START_TEST(cursors_lead_to_the_end_and_back) {
  struct model *model = calloc(1, sizeof *model);
  found(model, _i);
  for (int n = 0; n < 60; n++) {
    struct question question;
    draw_question(model, &question);
    if (n % 5 == 4)
      revoke_one(model);
    walk_there_and_back(model, question);
  }
  world_close(&model->world);
  free(model);
}
END_TEST

START_TEST(what_is_no_cursor_is_never_the_first_page) {
  struct model *model = calloc(1, sizeof *model);
  found(model, _i);
  struct world *world = &model->world;
  apikeys_page *page = apikeys_page_new();
  static const char *const bad[] = {"api_key_", "api_key_01ARZ3NDEKTSV4RRFFQ69G5FAV", "x"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct question question = {.limit = 5, .after = -1, .before = -1};
    apikeys_filter *filter = filter_of(model, &question);
    ck_assert_int_eq(apikeys_filter_set_after(filter, S(bad[i])), 0);
    ck_assert_int_eq(apikeys_key_list(world->env, world->system, filter, page, world->err),
                     APIKEYS_ERROR_CURSOR_UNKNOWN);
    apikeys_filter_free(filter);
  }
  ck_assert_uint_eq(apikeys_page_count(page), 0);
  apikeys_page_free(page);
  world_close(world);
  free(model);
}
END_TEST

START_TEST(a_filter_takes_only_what_it_can_mean) {
  (void)_i;
  apikeys_filter *filter = apikeys_filter_new();
  ck_assert_int_eq(apikeys_filter_set_limit(filter, 0), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_filter_set_limit(filter, 101), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_filter_set_limit(filter, 100), 0);
  ck_assert_int_eq(apikeys_filter_set_order(filter, 0), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_filter_set_order(filter, 3), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_filter_set_after(filter, S("x")), 0);
  ck_assert_int_eq(apikeys_filter_set_before(filter, S("x")), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_int_eq(apikeys_filter_set_limit(NULL, 1), APIKEYS_ERROR_INVALID_ARGUMENT);
  ck_assert_uint_eq(apikeys_page_count(NULL), 0);
  ck_assert_ptr_null(apikeys_page_key(NULL, 0));
  apikeys_filter_free(NULL);
  apikeys_page_free(NULL);
  apikeys_filter_free(filter);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      every_page_is_what_the_model_says,
      cursors_lead_to_the_end_and_back,
      what_is_no_cursor_is_never_the_first_page,
      a_filter_takes_only_what_it_can_mean,
  };
  return RUN_ON_EACH_BACKEND("pagination", tests);
}
