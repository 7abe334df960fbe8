/* SPDX-License-Identifier: MIT */
/*
 * Creators that come while another one's commit is under way share the next transaction, and each
 * of them gets what it would have got alone. On both back-ends.
 */
#include "support/creators.h"
#include "support/deeds.h"
#include "support/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EIGHT = 8 };

static struct creators *open_with(int backend, size_t plain) {
  struct creators *creators = creators_open((enum backend)backend);
  creators_add_plain(creators, plain);
  return creators;
}

/* -- What must hold of a key ------------------------------------------------------------------- */

static void expect_value_of(struct creators *creators, const struct made_key *made) {
  struct world *world = &creators->world;
  apikeys_key *key = apikeys_key_new();
  ok(world, apikeys_validate(world->env, S(made->value), NULL, NULL, key, world->err));
  ck_assert_str_eq(apikeys_key_id(key, NULL), made->id);
  apikeys_key_free(key);
}

/* One key, one event that is told once, and on the thread that made the key. */
static void expect_made(struct creators *creators, const struct creator *creator) {
  ck_assert_msg(creator->rc == APIKEYS_OK, "%s: %s", apikeys_result_name(creator->rc),
                apikeys_error_message(creator->err));
  ck_assert_int_eq(apikeys_error_code(creator->err), APIKEYS_OK);
  expect_value_of(creators, &creator->made);
  ck_assert_int_eq(creator->told, 1);
  ck_assert_str_eq(creator->told_of, creator->made.id);
}

static void expect_refused(const struct creator *creator, int code, const char *field) {
  ck_assert_int_eq(creator->rc, code);
  ck_assert_int_eq(apikeys_error_code(creator->err), code);
  ck_assert_str_eq(apikeys_error_field(creator->err), field);
  ck_assert_str_eq(creator->made.value, "");
  ck_assert_int_eq(creator->told, 0);
}

static void expect_all_made(struct creators *creators) {
  for (size_t i = 0; i < creators->count; i++)
    expect_made(creators, &creators->list[i]);
  ck_assert_int_eq(creators->told_elsewhere, 0);
}

/* Events with this text in their data, and that no two have one number. */
static size_t count_events(struct creators *creators, const char *type, const char *text) {
  struct world *world = &creators->world;
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  size_t found = 0, seen;
  int64_t last = 0;
  ok(world, apikeys_filter_set_limit(filter, 100));
  do {
    ok(world, apikeys_event_list(world->env, world->system, filter, page, world->err));
    seen = apikeys_page_count(page);
    for (size_t i = 0; i < seen; i++) {
      const apikeys_event *event = apikeys_page_event(page, i);
      ck_assert_int_gt(apikeys_event_number(event), last);
      last = apikeys_event_number(event);
      found += strcmp(apikeys_event_type(event, NULL), type) == 0 &&
               strstr(apikeys_event_data(event, NULL), text) != NULL;
      ok(world, apikeys_filter_set_after(filter, S(apikeys_event_id(event, NULL))));
    }
  } while (seen > 0);
  apikeys_page_free(page);
  apikeys_filter_free(filter);
  return found;
}

static int begun(const struct creators *creators) {
  return creators->wrapped.calls[SLOT_BEGIN_WRITE];
}

static int rolled_back(const struct creators *creators) {
  return creators->wrapped.calls[SLOT_ROLLBACK];
}

/* -- Sharing ----------------------------------------------------------------------------------- */

START_TEST(who_queues_during_a_commit_shares_the_next_one) {
  struct creators *creators = open_with(_i, EIGHT);
  creators_queue_up(creators);
  int begun_before = begun(creators), rolled_back_before = rolled_back(creators);
  int inserts = creators->wrapped.calls[SLOT_INSERT];
  creators_let_go(creators);
  ck_assert_int_eq(begun(creators), begun_before + 1);
  ck_assert_int_eq(rolled_back(creators), rolled_back_before);
  ck_assert_int_eq(creators->wrapped.calls[SLOT_INSERT], inserts + 2 * EIGHT);
  expect_all_made(creators);
  ck_assert_uint_eq(creators_count_keys(creators), EIGHT);
  ck_assert_uint_eq(count_events(creators, "api_key.created", "\"k\""), EIGHT);
  creators_close(creators);
}
END_TEST

START_TEST(who_is_alone_has_a_transaction_at_once) {
  struct creators *creators = open_with(_i, 1);
  int begun_before = begun(creators), commits = creators->wrapped.calls[SLOT_COMMIT];
  creators_run(creators);
  ck_assert_int_eq(begun(creators), begun_before + 1);
  ck_assert_int_eq(creators->wrapped.calls[SLOT_COMMIT], commits + 1);
  expect_all_made(creators);
  creators_close(creators);
}
END_TEST

static _Atomic int waiting_to_join;

/* The first of the group runs: here comes one more. */
static void join_late(struct creators *creators, enum wrapped_slot slot) {
  if (slot != SLOT_INSERT || !atomic_exchange(&waiting_to_join, 0))
    return;
  sem_post(&creators->held);
  creators_await_queue(creators, 1);
}

static void *let_go(void *creators) {
  creators_let_go(creators);
  return NULL;
}

/* So many are queued, and while they run comes one more; how many transactions that makes. */
static int transactions_with_a_late_one(int backend, size_t queued) {
  struct creators *creators = open_with(backend, queued);
  pthread_t thread;
  struct made_key late;
  creators_queue_up(creators);
  int begun_before = begun(creators);
  waiting_to_join = 1;
  creators->on_slot = join_late;
  ck_assert_int_eq(pthread_create(&thread, NULL, let_go, creators), 0);
  while (sem_wait(&creators->held) != 0)
    ;
  ck_assert_int_eq(try_key(&creators->world, creators->world.system,
                           key_spec(creators->organization, "late", ""), &late),
                   APIKEYS_OK);
  ck_assert_int_eq(pthread_join(thread, NULL), 0);
  int more = begun(creators) - begun_before;
  for (size_t i = 0; i < queued; i++)
    expect_made(creators, &creators->list[i]);
  expect_value_of(creators, &late);
  ck_assert_int_eq(creators->told_elsewhere, 1); /* the late one's, on this thread */
  creators_close(creators);
  return more;
}

START_TEST(who_comes_while_others_run_is_taken_along) {
  ck_assert_int_eq(transactions_with_a_late_one(_i, 1), 1);
  ck_assert_int_eq(transactions_with_a_late_one(_i, 63), 1);
}
END_TEST

/* Other writers' turn comes after so many. */
START_TEST(a_group_of_64_takes_nobody_along) {
  ck_assert_int_eq(transactions_with_a_late_one(_i, 64), 2);
}
END_TEST

/* -- Refusals ---------------------------------------------------------------------------------- */

START_TEST(a_refusal_is_its_callers_own) {
  struct creators *creators = open_with(_i, 1);
  struct world *world = &creators->world;
  make_posts(world);
  make_member(world, creators->organization, "user_1", NULL);
  struct creator *nobody = creators_add(creators, key_spec(creators->organization, "k", ""));
  apikeys_actor_free(nobody->actor);
  nobody->actor = apikeys_actor_new();
  struct creator *lost =
      creators_add(creators, key_spec("org_01KEXAMP000000000000000000", "k", ""));
  creators_add_plain(creators, 1);
  struct creator *powerless = creators_add(creators, key_spec(creators->organization, "k", ""));
  apikeys_actor_free(powerless->actor);
  powerless->actor = member_actor(creators->organization, "user_1");
  struct creator *hidden =
      creators_add(creators, key_spec(creators->organization, "k", "posts:hidden"));
  struct creator *nameless = creators_add(creators, key_spec(creators->organization, "\n", ""));
  creators_add_plain(creators, 1);
  creators_queue_up(creators);
  int begun_before = begun(creators), rolled_back_before = rolled_back(creators);
  creators_let_go(creators);
  ck_assert_int_eq(begun(creators), begun_before + 1);
  ck_assert_int_eq(rolled_back(creators), rolled_back_before);
  expect_made(creators, &creators->list[0]);
  expect_refused(nobody, APIKEYS_ERROR_ACTOR_UNKNOWN, "");
  expect_refused(lost, APIKEYS_ERROR_NOT_FOUND, "owner");
  expect_made(creators, &creators->list[3]);
  expect_refused(powerless, APIKEYS_ERROR_NOT_ALLOWED, "actor");
  expect_refused(hidden, APIKEYS_ERROR_PERMISSION_NOT_AVAILABLE, "permissions");
  ck_assert_str_eq(apikeys_error_subject(hidden->err), "posts:hidden");
  expect_refused(nameless, APIKEYS_ERROR_INVALID_ARGUMENT, "name");
  expect_made(creators, &creators->list[7]);
  ck_assert_uint_eq(creators_count_keys(creators), 3);
  creators_close(creators);
}
END_TEST

START_TEST(where_all_are_refused_nothing_is_committed) {
  struct creators *creators = open_with(_i, 0);
  for (int i = 0; i < EIGHT; i++)
    creators_add(creators, key_spec("org_01KEXAMP000000000000000000", "k", ""));
  creators_queue_up(creators);
  int commits = creators->wrapped.calls[SLOT_COMMIT];
  creators_let_go(creators);
  ck_assert_int_eq(creators->wrapped.calls[SLOT_COMMIT], commits);
  for (int i = 0; i < EIGHT; i++)
    expect_refused(&creators->list[i], APIKEYS_ERROR_NOT_FOUND, "owner");
  creators_close(creators);
}
END_TEST

START_TEST(a_limit_counts_those_before_in_the_same_transaction) {
  struct creators *creators = open_with(_i, EIGHT);
  change_setting(&creators->world, apikeys_settings_set_max_keys_per_owner, 3);
  creators_queue_up(creators);
  creators_let_go(creators);
  for (int i = 0; i < EIGHT; i++)
    if (i < 3)
      expect_made(creators, &creators->list[i]);
    else
      expect_refused(&creators->list[i], APIKEYS_ERROR_TOO_MANY_KEYS, "owner");
  ck_assert_uint_eq(creators_count_keys(creators), 3);
  creators_close(creators);
}
END_TEST

/* -- Failures ---------------------------------------------------------------------------------- */

START_TEST(after_a_failed_commit_each_runs_alone) {
  struct creators *creators = open_with(_i, EIGHT);
  creators_queue_up(creators);
  int begun_before = begun(creators);
  wrapped_fail(&creators->wrapped, SLOT_COMMIT, 1, APIKEYS_ERROR_STORAGE);
  creators_let_go(creators);
  ck_assert_int_eq(begun(creators), begun_before + 1 + EIGHT);
  expect_all_made(creators);
  ck_assert_uint_eq(creators_count_keys(creators), EIGHT);
  ck_assert_uint_eq(count_events(creators, "api_key.created", "\"k\""), EIGHT);
  creators_close(creators);
}
END_TEST

START_TEST(a_failure_in_the_middle_is_nobody_elses) {
  struct creators *creators = open_with(_i, EIGHT);
  creators_queue_up(creators);
  int rolled_back_before = rolled_back(creators);
  wrapped_fail(&creators->wrapped, SLOT_INSERT, 7, APIKEYS_ERROR_NO_MEMORY);
  creators->wrapped.failure.from = creators->wrapped.failure.to; /* the fourth one's key */
  creators_let_go(creators);
  ck_assert_int_eq(rolled_back(creators), rolled_back_before + 1);
  expect_all_made(creators);
  ck_assert_uint_eq(creators_count_keys(creators), EIGHT);
  creators_close(creators);
}
END_TEST

/* A refusal that was owed to what was rolled back is none. */
START_TEST(after_a_rollback_refusals_are_found_anew) {
  struct creators *creators = open_with(_i, 3);
  change_setting(&creators->world, apikeys_settings_set_max_keys_per_owner, 2);
  creators_add(creators, management_key_spec("m", ""));
  creators_queue_up(creators);
  wrapped_fail(&creators->wrapped, SLOT_INSERT, 5, APIKEYS_ERROR_STORAGE); /* the last one's key */
  creators->wrapped.failure.from = creators->wrapped.failure.to;
  creators_let_go(creators);
  int made = 0;
  for (int i = 0; i < 3; i++) /* in whatever order they came again */
    if (creators->list[i].rc == APIKEYS_OK && ++made > 0)
      expect_made(creators, &creators->list[i]);
    else
      expect_refused(&creators->list[i], APIKEYS_ERROR_TOO_MANY_KEYS, "owner");
  ck_assert_int_eq(made, 2);
  ck_assert_int_eq(creators->list[3].rc, APIKEYS_OK);
  ck_assert_uint_eq(creators_count_keys(creators), 2);
  creators_close(creators);
}
END_TEST

START_TEST(what_fails_alone_as_well_is_told_to_each) {
  struct creators *creators = open_with(_i, EIGHT);
  creators_queue_up(creators);
  wrapped_fail(&creators->wrapped, SLOT_COMMIT, 1 + EIGHT, APIKEYS_ERROR_STORAGE_FULL);
  creators_let_go(creators);
  for (int i = 0; i < EIGHT; i++)
    expect_refused(&creators->list[i], APIKEYS_ERROR_STORAGE_FULL, "");
  ck_assert_uint_eq(creators_count_keys(creators), 0);
  ck_assert_uint_eq(count_events(creators, "api_key.created", "\"k\""), 0);
  creators_close(creators);
}
END_TEST

/* Nobody waits a second time for a store that another process holds. */
START_TEST(a_busy_store_is_busy_for_all_of_them) {
  struct creators *creators = open_with(_i, EIGHT);
  creators_queue_up(creators);
  int begun_before = begun(creators);
  wrapped_fail(&creators->wrapped, SLOT_BEGIN_WRITE, 1, APIKEYS_ERROR_BUSY);
  creators_let_go(creators);
  ck_assert_int_eq(begun(creators), begun_before + 1);
  for (int i = 0; i < EIGHT; i++)
    expect_refused(&creators->list[i], APIKEYS_ERROR_BUSY, "");
  ck_assert_uint_eq(creators_count_keys(creators), 0);
  creators_close(creators);
}
END_TEST

static void unknown_outcome(int backend, int happens) {
  struct creators *creators = open_with(backend, EIGHT);
  creators_queue_up(creators);
  wrapped_fail(&creators->wrapped, SLOT_COMMIT, 1, APIKEYS_ERROR_OUTCOME_UNKNOWN);
  creators->wrapped.failure.happens = happens;
  creators_let_go(creators);
  for (int i = 0; i < EIGHT; i++)
    expect_refused(&creators->list[i], APIKEYS_ERROR_OUTCOME_UNKNOWN, "");
  ck_assert_uint_eq(creators_count_keys(creators), happens ? EIGHT : 0);
  creators_close(creators);
}

START_TEST(an_unknown_outcome_is_told_to_all) {
  unknown_outcome(_i, 0);
  unknown_outcome(_i, 1);
}
END_TEST

/* -- Idempotency keys -------------------------------------------------------------------------- */

static apikeys_key_spec *repeatable(struct creators *creators, const char *name) {
  apikeys_key_spec *spec = key_spec(creators->organization, name, "");
  ck_assert_int_eq(apikeys_key_spec_set_idempotency_key(spec, S("the same")), 0);
  return spec;
}

/* One is made; its repeats in the same transaction are too early. */
START_TEST(one_idempotency_key_in_one_transaction_is_one_key) {
  struct creators *creators = open_with(_i, 0);
  for (int i = 0; i < 3; i++)
    creators_add(creators, repeatable(creators, "k"));
  creators_add(creators, repeatable(creators, "another"));
  creators_queue_up(creators);
  int begun_before = begun(creators);
  creators_let_go(creators);
  ck_assert_int_eq(begun(creators), begun_before + 1);
  const struct creator *list = creators->list;
  ck_assert_uint_eq(creators_count_keys(creators), 1);
  expect_made(creators, &list[0]);
  for (int i = 1; i < 3; i++)
    expect_refused(&list[i], APIKEYS_ERROR_IDEMPOTENCY_IN_FLIGHT, "idempotency_key");
  expect_refused(&list[3], APIKEYS_ERROR_IDEMPOTENCY_MISMATCH, "idempotency_key");
  ck_assert_uint_eq(count_events(creators, "api_key.created", list[0].made.id), 1);
  ck_assert_uint_eq(count_events(creators, "api_key.updated", list[0].made.id), 0);
  creators_close(creators);
}
END_TEST

/* An idempotency key that is a day old is forgotten, before it turns out that the limit is reached:
 * that it was is undone, and the others' changes with it. */
START_TEST(a_refusal_that_changed_something_is_rolled_back) {
  struct creators *creators = open_with(_i, 0);
  struct world *world = &creators->world;
  struct made_key first;
  change_setting(world, apikeys_settings_set_max_keys_per_owner, 1);
  make_key(world, repeatable(creators, "k"), &first);
  creators_add(creators, management_key_spec("m", ""));
  creators_add(creators, repeatable(creators, "k"));
  world->now_ms += DAY_MS;
  creators_queue_up(creators);
  int begun_before = begun(creators);
  creators_let_go(creators);
  ck_assert_int_eq(begun(creators), begun_before + 1 + 2);
  ck_assert_int_eq(creators->list[0].rc, APIKEYS_OK);
  expect_refused(&creators->list[1], APIKEYS_ERROR_TOO_MANY_KEYS, "owner");
  if (_i == BACKEND_SQLITE) /* the forgotten idempotency key was removed, and is there again */
    ck_assert_int_eq(run_sql(world, "UPDATE idempotency_keys SET created_at = created_at"), 1);
  creators_close(creators);
}
END_TEST

/* -- Changes of keys --------------------------------------------------------------------------- */

static struct creator *add_change(struct creators *creators, const struct made_key *key,
                                  enum act act) {
  apikeys_key_spec *spec = apikeys_key_spec_new();
  ck_assert_int_eq(apikeys_key_spec_set_name(spec, S("renamed")), 0);
  struct creator *creator = creators_add(creators, spec);
  creator->act = act;
  creator->made = *key;
  return creator;
}

/* One is created, one renamed, the same one revoked, and again; one more is created. */
static struct creators *open_with_changes(int backend, struct made_key *key) {
  struct creators *creators = open_with(backend, 1);
  make_key(&creators->world, key_spec(creators->organization, "mine", ""), key);
  ck_assert_int_eq(validate(&creators->world, key->value, NULL), APIKEYS_OK);
  add_change(creators, key, UPDATES);
  add_change(creators, key, REVOKES);
  add_change(creators, key, REVOKES);
  creators_add_plain(creators, 1);
  creators_queue_up(creators);
  return creators;
}

static void expect_revoked_once(struct creators *creators, const struct made_key *key) {
  const struct creator *one = &creators->list[2], *two = &creators->list[3];
  ck_assert_int_eq(one->rc + two->rc, APIKEYS_ERROR_ALREADY_REVOKED);
  ck_assert_int_eq(one->told + two->told, 1);
  ck_assert(one->revoked && two->revoked);
  ck_assert_int_eq(validate(&creators->world, key->value, NULL), APIKEYS_REVOKED);
  ck_assert_uint_eq(count_events(creators, "api_key.revoked", key->id), 1);
  expect_made(creators, &creators->list[0]);
  expect_made(creators, &creators->list[4]);
}

START_TEST(changes_of_keys_go_along) {
  struct made_key key;
  struct creators *creators = open_with_changes(_i, &key);
  int begun_before = begun(creators);
  creators_let_go(creators);
  ck_assert_int_eq(begun(creators), begun_before + 1);
  expect_revoked_once(creators, &key);
  ck_assert_int_eq(creators->list[1].rc, APIKEYS_OK);
  ck_assert_int_eq(creators->list[2].rc, APIKEYS_OK);
  ck_assert_uint_eq(count_events(creators, "api_key.updated", "renamed"), 1);
  creators_close(creators);
}
END_TEST

START_TEST(after_a_failed_commit_changes_run_alone_too) {
  struct made_key key;
  struct creators *creators = open_with_changes(_i, &key);
  int begun_before = begun(creators);
  wrapped_fail(&creators->wrapped, SLOT_COMMIT, 1, APIKEYS_ERROR_STORAGE);
  creators_let_go(creators);
  ck_assert_int_eq(begun(creators), begun_before + 1 + 5);
  expect_revoked_once(creators, &key); /* renamed or not: alone, they come in any order */
  creators_close(creators);
}
END_TEST

/* An acknowledged revocation holds from then on; one that is not may or may not. */
START_TEST(a_revocation_of_unknown_outcome_is_told_as_such) {
  struct made_key key;
  struct creators *creators = open_with_changes(_i, &key);
  wrapped_fail(&creators->wrapped, SLOT_COMMIT, 1, APIKEYS_ERROR_OUTCOME_UNKNOWN);
  creators_let_go(creators);
  for (size_t i = 0; i < creators->count; i++) {
    ck_assert_int_eq(creators->list[i].rc, APIKEYS_ERROR_OUTCOME_UNKNOWN);
    ck_assert_int_eq(creators->list[i].told, 0);
    ck_assert_int_eq(creators->list[i].revoked, 0);
  }
  ck_assert_int_eq(validate(&creators->world, key.value, NULL), APIKEYS_OK);
  creators_close(creators);
}
END_TEST

/* -- Callbacks, fork --------------------------------------------------------------------------- */

static void create_once_more(struct creator *creator, apikeys_event *event) {
  (void)event;
  struct creators *creators = creator->creators;
  struct made_key more;
  if (creator->told > 1)
    return; /* of the one that is made here */
  apikeys_key_spec *spec = key_spec(creators->organization, "more", "");
  creator->rc = apikeys_key_create(creators->world.env, creator->actor, spec, NULL, more.value,
                                   sizeof more.value, NULL, creator->err);
  apikeys_key_spec_free(spec);
  if (creator->rc != APIKEYS_OK)
    creator->told = -1;
}

START_TEST(a_subscription_may_create_keys_itself) {
  struct creators *creators = open_with(_i, EIGHT);
  creators->on_event = create_once_more;
  creators_queue_up(creators);
  creators_let_go(creators);
  for (int i = 0; i < EIGHT; i++)
    ck_assert_int_eq(creators->list[i].told, 2);
  ck_assert_uint_eq(creators_count_keys(creators), 2 * EIGHT + 1); /* and the opener's */
  creators_close(creators);
}
END_TEST

static int fork_and_create(struct creators *creators) {
  struct world *world = &creators->world;
  fflush(NULL);
  pid_t child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0) {
    int rc = try_key(world, world->system, key_spec(creators->organization, "child's", ""), NULL);
    /* Not exit(): valgrind would count what the parent's other threads hold as lost in here. */
    execlp(rc == APIKEYS_ERROR_FORKED ? "true" : "false", "end", (char *)NULL);
    _exit(127);
  }
  int status;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  return status;
}

START_TEST(a_child_forked_in_the_middle_of_it_waits_for_nobody) {
  struct creators *creators = open_with(_i, EIGHT);
  creators_queue_up(creators);
  ck_assert_int_eq(fork_and_create(creators), 0);
  creators_let_go(creators);
  expect_all_made(creators);
  ck_assert_uint_eq(creators_count_keys(creators), EIGHT);
  creators_close(creators);
}
END_TEST

START_TEST(a_fork_is_not_prepared_in_the_middle_of_it) {
  struct creators *creators = open_with(BACKEND_SQLITE, EIGHT);
  struct world *world = &creators->world;
  creators_queue_up(creators);
  ck_assert_int_eq(apikeys_prepare_fork(world->env, world->err), APIKEYS_ERROR_BUSY);
  creators_let_go(creators);
  expect_all_made(creators);
  ok(world, apikeys_prepare_fork(world->env, world->err));
  creators_close(creators);
}
END_TEST

/* -- As it comes ------------------------------------------------------------------------------- */

START_TEST(threads_at_once_make_each_key_once) {
  struct creators *creators = open_with(_i, CREATORS_MAX);
  creators_run(creators);
  expect_all_made(creators);
  ck_assert_uint_eq(creators_count_keys(creators), CREATORS_MAX);
  ck_assert_uint_eq(count_events(creators, "api_key.created", "\"k\""), CREATORS_MAX);
  creators_close(creators);
}
END_TEST

/* However they are put together, the limit is reached once. */
START_TEST(a_limit_holds_exactly_for_threads_at_once) {
  struct creators *creators = open_with(_i, CREATORS_MAX);
  int made = 0;
  change_setting(&creators->world, apikeys_settings_set_max_keys_per_owner, 25);
  creators_run(creators);
  for (size_t i = 0; i < creators->count; i++) {
    const struct creator *creator = &creators->list[i];
    made += creator->rc == APIKEYS_OK;
    if (creator->rc == APIKEYS_OK)
      expect_made(creators, creator);
    else
      expect_refused(creator, APIKEYS_ERROR_TOO_MANY_KEYS, "owner");
  }
  ck_assert_int_eq(made, 25);
  ck_assert_uint_eq(creators_count_keys(creators), 25);
  creators_close(creators);
}
END_TEST

int main(void) {
  const TTest *const tests[] = {
      who_queues_during_a_commit_shares_the_next_one,
      who_is_alone_has_a_transaction_at_once,
      who_comes_while_others_run_is_taken_along,
      a_group_of_64_takes_nobody_along,
      a_refusal_is_its_callers_own,
      where_all_are_refused_nothing_is_committed,
      a_limit_counts_those_before_in_the_same_transaction,
      after_a_failed_commit_each_runs_alone,
      a_failure_in_the_middle_is_nobody_elses,
      after_a_rollback_refusals_are_found_anew,
      what_fails_alone_as_well_is_told_to_each,
      a_busy_store_is_busy_for_all_of_them,
      an_unknown_outcome_is_told_to_all,
      one_idempotency_key_in_one_transaction_is_one_key,
      a_refusal_that_changed_something_is_rolled_back,
      changes_of_keys_go_along,
      after_a_failed_commit_changes_run_alone_too,
      a_revocation_of_unknown_outcome_is_told_as_such,
      a_subscription_may_create_keys_itself,
      a_child_forked_in_the_middle_of_it_waits_for_nobody,
      a_fork_is_not_prepared_in_the_middle_of_it,
      threads_at_once_make_each_key_once,
      a_limit_holds_exactly_for_threads_at_once,
  };
  return RUN_ON_EACH_BACKEND("group commit", tests);
}
