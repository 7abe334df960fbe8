/* SPDX-License-Identifier: MIT */
/*
 * A history of changes and validations that is checked as it happens. Writers make keys good and
 * bad: they revoke, re-permission, suspend members, delete organizations and create anew. Readers
 * validate meanwhile. Each key has a cell in memory that all share, which says whether the last
 * acknowledged change made it good or bad, or that a change is under way. A validation between two
 * looks at a cell that are the same must give what the cell says: none that starts after an
 * acknowledged change may contradict it, and none may refuse a key that was good throughout.
 *
 * In one process on the memory back-end; and in several on SQLite, where writers are killed at
 * random points and others take over. APIKEYS_SOAK makes it an hour.
 *
 * "expect-violation" turns the answer round: a build with a known mistake must be found out.
 */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, usleep */
#endif
#include <apikeys.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SLOW_BUILD 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define SLOW_BUILD 1
#endif
#endif

#define S(text) (text), strlen(text)

enum {
  WRITERS = 2,
  READERS = 3,
  CELLS = 24, /* of each writer; a third each of the kinds below */
  BATCH = 8
};

/* What its key depends on, and how it is made good and bad. */
enum kind { BY_PERMISSION, BY_MEMBER, BY_ORGANIZATION, KINDS };

/* A cell's state is four times a count of changes, plus one of these. */
enum { UNDER_WAY = 0, GOOD = 1, BAD = 2 };

enum { VALUE_WORDS = 12 };

struct cell {
  _Atomic uint64_t state;
  _Atomic uint64_t value[VALUE_WORDS]; /* written while a change is under way */
  char id[64];                         /* these are the writer's own */
  char organization[64];
  char user[32];
};

struct shared {
  _Atomic int stop;
  _Atomic uint64_t validations;
  _Atomic uint64_t changes;
  _Atomic uint64_t violations;
  _Atomic uint64_t failures;
  struct cell cells[WRITERS][CELLS];
};

static struct shared *shared;
static const char *path; /* NULL: in memory */
static apikeys_env *common_env;

static void fail(const char *what, int rc) {
  fprintf(stderr, "%s: %s\n", what, apikeys_result_name(rc));
  atomic_fetch_add(&shared->failures, 1);
  atomic_store(&shared->stop, 1);
}

static void must(int rc, const char *what) {
  if (rc != APIKEYS_OK)
    fail(what, rc);
}

static uint32_t draw(uint32_t *seed) {
  *seed ^= *seed << 13;
  *seed ^= *seed >> 17;
  *seed ^= *seed << 5;
  return *seed;
}

/* -- Writers ----------------------------------------------------------------------------------- */

struct writer {
  apikeys_env *env;
  apikeys_actor *actor;
  int number;
  uint32_t seed;
};

static void set_value(struct cell *cell, const char *value) {
  char padded[VALUE_WORDS * sizeof(uint64_t)] = {0};
  memcpy(padded, value, strlen(value));
  for (int i = 0; i < VALUE_WORDS; i++) {
    uint64_t word;
    memcpy(&word, padded + (size_t)i * sizeof word, sizeof word);
    atomic_store_explicit(&cell->value[i], word, memory_order_relaxed);
  }
}

static void get_value(const struct cell *cell, char value[VALUE_WORDS * sizeof(uint64_t)]) {
  for (int i = 0; i < VALUE_WORDS; i++) {
    uint64_t word = atomic_load_explicit(&cell->value[i], memory_order_relaxed);
    memcpy(value + (size_t)i * sizeof word, &word, sizeof word);
  }
}

static enum kind kind_of(int index) {
  return (enum kind)(index % KINDS);
}

static void make_organization(struct writer *writer, struct cell *cell) {
  apikeys_organization *organization = apikeys_organization_new();
  apikeys_organization_set_name(organization, S("Acme"));
  must(apikeys_organization_create(writer->env, writer->actor, organization, NULL), "organization");
  snprintf(cell->organization, sizeof cell->organization, "%s",
           apikeys_organization_id(organization, NULL));
  apikeys_organization_free(organization);
}

static void make_member(struct writer *writer, struct cell *cell) {
  apikeys_member *member = apikeys_member_new();
  snprintf(cell->user, sizeof cell->user, "user");
  apikeys_member_set_organization_id(member, S(cell->organization));
  apikeys_member_set_user_id(member, S(cell->user));
  apikeys_member_add_role(member, S("reader"));
  must(apikeys_member_create(writer->env, writer->actor, member, NULL), "member");
  apikeys_member_free(member);
}

/* A new organization, member if it needs one, and key; good. */
static void make_anew(struct writer *writer, struct cell *cell, enum kind kind) {
  char value[APIKEYS_VALUE_MAX];
  make_organization(writer, cell);
  if (kind == BY_MEMBER)
    make_member(writer, cell);
  apikeys_key_spec *spec = apikeys_key_spec_new();
  apikeys_key *key = apikeys_key_new();
  if (kind == BY_MEMBER)
    apikeys_key_spec_set_member(spec, S(cell->organization), S(cell->user));
  else
    apikeys_key_spec_set_organization(spec, S(cell->organization));
  apikeys_key_spec_set_name(spec, S("key"));
  apikeys_key_spec_add_permission(spec, S("posts:read"));
  int rc =
      apikeys_key_create(writer->env, writer->actor, spec, key, value, sizeof value, NULL, NULL);
  must(rc, "create");
  if (rc == APIKEYS_OK) {
    snprintf(cell->id, sizeof cell->id, "%s", apikeys_key_id(key, NULL));
    set_value(cell, value);
  }
  apikeys_key_free(key);
  apikeys_key_spec_free(spec);
}

static void set_permission(struct writer *writer, struct cell *cell, int good) {
  apikeys_key_spec *spec = apikeys_key_spec_new();
  apikeys_key_spec_clear_permissions(spec);
  if (good)
    apikeys_key_spec_add_permission(spec, S("posts:read"));
  must(apikeys_key_update(writer->env, writer->actor, S(cell->id), spec, NULL, NULL), "update");
  apikeys_key_spec_free(spec);
}

static void set_member(struct writer *writer, struct cell *cell, int good) {
  apikeys_member *member = apikeys_member_new();
  must(apikeys_member_get(writer->env, writer->actor, S(cell->organization), S(cell->user), member,
                          NULL),
       "get member");
  apikeys_member_set_status(member, good ? APIKEYS_MEMBER_ACTIVE : APIKEYS_MEMBER_INACTIVE);
  must(apikeys_member_update(writer->env, writer->actor, member, NULL), "update member");
  apikeys_member_free(member);
}

static void make_bad(struct writer *writer, struct cell *cell, enum kind kind) {
  if (draw(&writer->seed) % 8 == 0) {
    must(apikeys_key_revoke(writer->env, writer->actor, S(cell->id), NULL, 0, NULL, NULL),
         "revoke");
    cell->id[0] = '\0';
  } else if (kind == BY_PERMISSION) {
    set_permission(writer, cell, 0);
  } else if (kind == BY_MEMBER) {
    set_member(writer, cell, 0);
  } else {
    must(apikeys_organization_delete(writer->env, writer->actor, S(cell->organization), NULL),
         "delete organization");
    cell->id[0] = '\0';
  }
}

static void make_good(struct writer *writer, struct cell *cell, enum kind kind) {
  if (cell->id[0] == '\0')
    make_anew(writer, cell, kind);
  else if (kind == BY_PERMISSION)
    set_permission(writer, cell, 1);
  else
    set_member(writer, cell, 1);
}

/* Whoever finds a change under way finds it after a writer was killed: nobody knows how far it
 * came, so the cell gets a key that nobody has heard of. */
static void change(struct writer *writer, int index) {
  struct cell *cell = &shared->cells[writer->number][index];
  uint64_t state = atomic_load(&cell->state), next = state / 4 * 4 + 4;
  atomic_store(&cell->state, next + UNDER_WAY);
  int good = state % 4 != GOOD;
  if (state % 4 == UNDER_WAY)
    make_anew(writer, cell, kind_of(index));
  else if (good)
    make_good(writer, cell, kind_of(index));
  else
    make_bad(writer, cell, kind_of(index));
  atomic_store(&cell->state, next + (good ? GOOD : BAD));
  atomic_fetch_add_explicit(&shared->changes, 1, memory_order_relaxed);
}

static apikeys_env *open_environment(size_t cache_keys) {
  if (path == NULL)
    return common_env;
  apikeys_env *env = NULL;
  apikeys_options *options = apikeys_options_new();
  apikeys_options_set_cache_keys(options, cache_keys);
  apikeys_options_set_busy_timeout_ms(options, 60000);
  must(apikeys_open_sqlite(&env, path, options, NULL), "open");
  apikeys_options_free(options);
  return env;
}

static void close_environment(apikeys_env *env) {
  if (env != common_env)
    apikeys_close(env);
}

static apikeys_actor *system_actor(void) {
  apikeys_actor *actor = apikeys_actor_new();
  must(apikeys_actor_set_system(actor, S("history")), "actor");
  return actor;
}

static void *write_on(void *argument) {
  struct writer writer = {.number = *(int *)argument};
  writer.seed = (uint32_t)getpid() * 2654435761u + (uint32_t)writer.number + 1;
  writer.env = open_environment(1000);
  writer.actor = system_actor();
  while (!atomic_load(&shared->stop)) {
    change(&writer, (int)(draw(&writer.seed) % CELLS));
    sched_yield();
  }
  apikeys_actor_free(writer.actor);
  close_environment(writer.env);
  return NULL;
}

/* -- Readers ----------------------------------------------------------------------------------- */

struct reader {
  apikeys_env *env;
  apikeys_requirement *need;
  apikeys_key *key;
  uint32_t seed;
};

struct look {
  struct cell *cell;
  uint64_t before;
  char value[VALUE_WORDS * sizeof(uint64_t)];
};

static int take(struct reader *reader, struct look *look) {
  uint32_t drawn = draw(&reader->seed);
  look->cell = &shared->cells[drawn % WRITERS][drawn / 64 % CELLS];
  look->before = atomic_load(&look->cell->state);
  if (look->before % 4 == UNDER_WAY)
    return 0;
  get_value(look->cell, look->value);
  return 1;
}

static void judge(const struct look *look, int rc) {
  if (rc < 0)
    fail("validate", rc);
  else if (atomic_load(&look->cell->state) != look->before)
    return;
  else if ((rc == APIKEYS_OK) != (look->before % 4 == GOOD)) {
    if (atomic_fetch_add(&shared->violations, 1) < 10)
      fprintf(stderr, "a key that is %s: %s\n", look->before % 4 == GOOD ? "good" : "bad",
              apikeys_result_name(rc));
  }
}

static void validate_one(struct reader *reader, int with_key) {
  struct look look;
  if (take(reader, &look))
    judge(&look, apikeys_validate(reader->env, S(look.value), reader->need, NULL,
                                  with_key ? reader->key : NULL, NULL));
}

static void validate_many(struct reader *reader) {
  struct look looks[BATCH];
  const char *values[BATCH];
  size_t lengths[BATCH], count = 0;
  int results[BATCH];
  while (count < BATCH && take(reader, &looks[count])) {
    values[count] = looks[count].value;
    lengths[count] = strlen(values[count]);
    count++;
  }
  int rc = apikeys_validate_many(reader->env, values, lengths, count, reader->need, NULL, NULL,
                                 results, NULL);
  if (rc != APIKEYS_OK)
    fail("validate many", rc);
  for (size_t i = 0; rc == APIKEYS_OK && i < count; i++)
    judge(&looks[i], results[i]);
}

static void *read_on(void *argument) {
  int number = *(int *)argument;
  struct reader reader = {.seed = (uint32_t)getpid() * 40503u + (uint32_t)number * 977u + 7};
  reader.env = open_environment(number % 2 == 0 ? 16 : 1000); /* small: keys push each other out */
  reader.need = apikeys_requirement_new();
  apikeys_requirement_add_permission(reader.need, S("posts:read"));
  reader.key = apikeys_key_new();
  while (!atomic_load(&shared->stop)) {
    for (int i = 0; i < 64; i++)
      validate_one(&reader, i % 2);
    validate_many(&reader);
    atomic_fetch_add_explicit(&shared->validations, 64 + BATCH, memory_order_relaxed);
  }
  apikeys_key_free(reader.key);
  apikeys_requirement_free(reader.need);
  close_environment(reader.env);
  return NULL;
}

/* -- The stage --------------------------------------------------------------------------------- */

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Both last until their time is over and enough has changed to say something: a busy machine takes
 * longer, and a stage that stands still runs into the test's time limit. */
enum { CHANGES_MIN = 100 };

static int goes_on(int64_t end_ms) {
  return !atomic_load(&shared->stop) &&
         (now_ms() < end_ms || atomic_load(&shared->changes) <= CHANGES_MIN);
}

/* A world, and each cell under way: its writer begins with a key in it. */
static void prepare(apikeys_env *env) {
  apikeys_actor *actor = system_actor();
  apikeys_permission *permission = apikeys_permission_new();
  apikeys_permission_set_slug(permission, S("posts:read"));
  apikeys_permission_set_name(permission, S("read"));
  apikeys_permission_set_available_to_organization_keys(permission, 1);
  apikeys_permission_set_available_to_user_keys(permission, 1);
  must(apikeys_permission_create(env, actor, permission, NULL), "permission");
  apikeys_permission_free(permission);
  apikeys_role *role = apikeys_role_new();
  apikeys_role_set_slug(role, S("reader"));
  apikeys_role_set_name(role, S("reader"));
  apikeys_role_add_permission(role, S("posts:read"));
  must(apikeys_role_create(env, actor, role, NULL), "role");
  apikeys_role_free(role);
  apikeys_actor_free(actor);
}

static int finish(const char *what, int expect_violation) {
  uint64_t violations = atomic_load(&shared->violations), failures = atomic_load(&shared->failures);
  printf("%s: %llu validations, %llu changes, %llu contradictions\n", what,
         (unsigned long long)atomic_load(&shared->validations),
         (unsigned long long)atomic_load(&shared->changes), (unsigned long long)violations);
  int active = atomic_load(&shared->validations) > 0 && atomic_load(&shared->changes) > CHANGES_MIN;
  memset(shared, 0, sizeof *shared);
  /* Enough must have happened for nothing to be found; what is found is found. */
  if (expect_violation)
    return failures == 0 && violations > 0 ? 0 : 1;
  return failures == 0 && active && violations == 0 ? 0 : 1;
}

static int in_threads(int64_t duration_ms, int expect_violation) {
  pthread_t threads[WRITERS + READERS];
  int numbers[WRITERS + READERS];
  path = NULL;
  must(apikeys_open_memory(&common_env, NULL, NULL), "open");
  prepare(common_env);
  for (int i = 0; i < WRITERS + READERS; i++) {
    numbers[i] = i < WRITERS ? i : i - WRITERS;
    pthread_create(&threads[i], NULL, i < WRITERS ? write_on : read_on, &numbers[i]);
  }
  int64_t end = now_ms() + duration_ms;
  while (goes_on(end) && !(expect_violation && atomic_load(&shared->violations) > 0))
    usleep(20000);
  atomic_store(&shared->stop, 1);
  for (int i = 0; i < WRITERS + READERS; i++)
    pthread_join(threads[i], NULL);
  apikeys_close(common_env);
  common_env = NULL;
  return finish("threads, in memory", expect_violation);
}

static pid_t start_process(void *(*life)(void *), int number) {
  fflush(NULL);
  pid_t process = fork();
  if (process != 0)
    return process;
  life(&number);
  fflush(NULL);
  _exit(0);
}

/* Two threads in each reading process, which share an environment only with the kernel. */
static void *read_in_two(void *argument) {
  int number = *(int *)argument, second = number + 1;
  pthread_t thread;
  pthread_create(&thread, NULL, read_on, &second);
  read_on(&number);
  pthread_join(thread, NULL);
  return NULL;
}

/* Writers die at random points, and others take their cells. */
static void kill_and_replace(pid_t writers[WRITERS], int64_t duration_ms) {
  int64_t end = now_ms() + duration_ms;
  uint32_t seed = (uint32_t)end | 1;
  while (goes_on(end)) {
    usleep(20000 + draw(&seed) % 180000);
    int victim = (int)(draw(&seed) % WRITERS);
    kill(writers[victim], SIGKILL);
    waitpid(writers[victim], NULL, 0);
    writers[victim] = start_process(write_on, victim);
  }
}

static void remove_files(const char *folder) {
  static const char *const suffixes[] = {"", "-wal", "-shm", ".root", "-revocations"};
  char name[160];
  for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
    snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
    unlink(name);
  }
  rmdir(folder);
}

static int in_processes(int64_t duration_ms) {
  char folder[] = "apikeys-history-XXXXXX", file[64];
  pid_t writers[WRITERS], readers[READERS - 1];
  if (mkdtemp(folder) == NULL)
    return 1;
  snprintf(file, sizeof file, "%s/keys.db", folder);
  path = file;
  apikeys_env *env = open_environment(0);
  prepare(env);
  apikeys_close(env);
  for (int i = 0; i < WRITERS; i++)
    writers[i] = start_process(write_on, i);
  for (int i = 0; i < READERS - 1; i++)
    readers[i] = start_process(read_in_two, i);
  kill_and_replace(writers, duration_ms);
  atomic_store(&shared->stop, 1);
  for (int i = 0; i < WRITERS; i++)
    waitpid(writers[i], NULL, 0);
  for (int i = 0; i < READERS - 1; i++) {
    int status = 0;
    waitpid(readers[i], &status, 0);
    if (status != 0)
      atomic_fetch_add(&shared->failures, 1);
  }
  int result = finish("processes, on SQLite", 0);
  remove_files(folder);
  return result;
}

int main(int count, char **arguments) {
  int expect_violation = count > 1 && strcmp(arguments[1], "expect-violation") == 0;
  int64_t half_ms = getenv("APIKEYS_SOAK") != NULL ? 30 * 60 * 1000 : 6000;
#ifdef SLOW_BUILD
  half_ms = 4000;
#endif
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED)
    return 1;
  if (expect_violation)
    return in_threads(60000, 1);
  int result = in_threads(half_ms, 0);
  return in_processes(half_ms) | result;
}
