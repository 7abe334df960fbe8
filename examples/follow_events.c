/* SPDX-License-Identifier: MIT */
/*
 * A worker that follows events with a durable cursor: poll, act, acknowledge. It "crashes" once
 * between acting and acknowledging, and sees that event again: at least once, in order, whichever
 * process made the change.
 */
#include <apikeys.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S(text) (text), strlen(text)

static apikeys_error *err;
static apikeys_actor *worker;

static void must(int rc) {
  if (rc == 0)
    return;
  fprintf(stderr, "%s\n", apikeys_error_message(err));
  exit(1);
}

/* Handles everything there is; with `crash_at`, stops before it acknowledges that event. Returns
 * the number of the last event that was handled. */
static int64_t follow(apikeys_env *env, int64_t crash_at) {
  apikeys_page *page = apikeys_page_new();
  int64_t handled = 0;
  for (;;) {
    must(apikeys_event_poll(env, worker, S("mailer"), 2, page, err));
    if (apikeys_page_count(page) == 0)
      break;
    for (size_t i = 0; i < apikeys_page_count(page); i++) {
      apikeys_event *event = apikeys_page_event(page, i);
      handled = apikeys_event_number(event);
      printf("%3lld %s\n", (long long)handled, apikeys_event_type(event, NULL));
      if (handled == crash_at) {
        printf("    crash\n");
        apikeys_page_free(page);
        return handled;
      }
      must(apikeys_event_acknowledge(env, worker, S("mailer"), handled, err));
    }
  }
  apikeys_page_free(page);
  return handled;
}

int main(void) {
  apikeys_env *env;
  err = apikeys_error_new();
  worker = apikeys_actor_new();
  must(apikeys_actor_set_system(worker, S("mailer")));
  must(apikeys_open_sqlite(&env, "keys.db", NULL, err));
  apikeys_organization *acme = apikeys_organization_new();
  apikeys_organization_set_name(acme, S("Acme"));
  must(apikeys_organization_create(env, worker, acme, err));
  apikeys_organization_free(acme);

  int64_t crashed = follow(env, 3);
  apikeys_close(env);
  must(apikeys_open_sqlite(&env, "keys.db", NULL, err));
  apikeys_page *page = apikeys_page_new();
  must(apikeys_event_poll(env, worker, S("mailer"), 1, page, err));
  int again = apikeys_event_number(apikeys_page_event(page, 0)) == crashed;
  apikeys_page_free(page);
  int64_t last = follow(env, 0);

  apikeys_close(env);
  apikeys_actor_free(worker);
  apikeys_error_free(err);
  return again && last == 7 ? 0 : 1;
}
