/* SPDX-License-Identifier: MIT */
/*
 * After a key was made, validated, found and revoked, a document had its value for a secret, and
 * the caller wiped its own buffers, this process's memory holds no copy of the secret: every
 * readable mapping is searched. The search itself is held against a copy that is left on purpose.
 */
#define _GNU_SOURCE /* explicit_bzero */
#include "support/suite.h"
#include "support/world.h"

#include <apikeys/document.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KEEPS_FREED_MEMORY 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
#define KEEPS_FREED_MEMORY 1
#endif

enum { NEEDLE = 16, MASK = 0x5a, SECRET_AT = 3 + 16 };

/* The secret's first characters, masked: the needle must not be what is found. */
static unsigned char masked[NEEDLE];
static char window[1 << 20];

static int count_in_window(size_t length) {
  int hits = 0;
  for (size_t at = 0; at + NEEDLE <= length; at++) {
    size_t same = 0;
    while (same < NEEDLE && ((unsigned char)window[at + same] ^ MASK) == masked[same])
      same++;
    hits += same == NEEDLE;
  }
  return hits;
}

/* Windows overlap by a needle less one, so that none is missed and none counted twice. */
static int search_mapping(int memory, unsigned long from, unsigned long to) {
  int hits = 0;
  const unsigned long own = (unsigned long)window;
  for (unsigned long at = from; at < to; at += sizeof window - (NEEDLE - 1)) {
    size_t length = to - at < sizeof window ? to - at : sizeof window;
    if (at < own + sizeof window && own < at + length)
      continue; /* the window itself */
    ssize_t got = pread(memory, window, length, (off_t)at);
    if (got > 0)
      hits += count_in_window((size_t)got);
    memset(window, 0, sizeof window);
  }
  return hits;
}

static int search_memory(void) {
  char line[512];
  int hits = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  int memory = open("/proc/self/mem", O_RDONLY);
  ck_assert_ptr_nonnull(maps);
  ck_assert_int_ge(memory, 0);
  while (fgets(line, sizeof line, maps) != NULL) {
    unsigned long from, to;
    char rights[8];
    if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) == 3 && rights[0] == 'r' &&
        strstr(line, "[v") == NULL)
      hits += search_mapping(memory, from, to);
  }
  close(memory);
  fclose(maps);
  return hits;
}

static void remove_directory(const char *path) {
  DIR *entries = opendir(path);
  char inside[400];
  for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
    snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
    if (entry->d_name[0] != '.')
      unlink(inside);
  }
  closedir(entries);
  ck_assert_int_eq(rmdir(path), 0); /* nothing else was left */
}

static void must(int rc, const char *what) {
  ck_assert_msg(rc == APIKEYS_OK, "%s: %s", what, apikeys_result_name(rc));
}

static void use_key(apikeys_env *env, const apikeys_actor *actor, char value[APIKEYS_VALUE_MAX]) {
  char header[APIKEYS_VALUE_MAX + 8];
  apikeys_organization *acme = apikeys_organization_new();
  apikeys_organization_set_name(acme, S("Acme"));
  must(apikeys_organization_create(env, actor, acme, NULL), "organization");
  apikeys_key_spec *spec = apikeys_key_spec_new();
  apikeys_key_spec_set_organization(spec, S(apikeys_organization_id(acme, NULL)));
  apikeys_key_spec_set_name(spec, S("k"));
  apikeys_key *key = apikeys_key_new();
  apikeys_page *page = apikeys_page_new();
  must(apikeys_key_create(env, actor, spec, key, value, APIKEYS_VALUE_MAX, NULL, NULL), "create");
  must(apikeys_validate(env, S(value), NULL, NULL, key, NULL), "validate");
  snprintf(header, sizeof header, "Bearer %s", value);
  must(apikeys_validate_authorization(env, S(header), NULL, NULL, key, NULL), "validate");
  for (int i = 0; i < 3; i++) { /* by now from the cache, where there is one */
    const char *const values[] = {value, header};
    const size_t lengths[] = {strlen(value), strlen(header)};
    int results[2];
    must(apikeys_validate(env, S(value), NULL, NULL, key, NULL), "validate");
    must(apikeys_validate(env, S(value), NULL, NULL, NULL, NULL), "validate");
    must(apikeys_validate_many(env, values, lengths, 2, NULL, NULL, NULL, results, NULL), "many");
    must(results[0], "validate one of many");
    ck_assert_int_eq(results[1], APIKEYS_MALFORMED);
  }
  must(apikeys_key_find(env, actor, S(value), page, NULL), "find");
  must(apikeys_key_revoke(env, actor, S(apikeys_key_id(key, NULL)), NULL, 0, NULL, NULL), "revoke");
  ck_assert_int_eq(apikeys_validate(env, S(value), NULL, NULL, key, NULL), APIKEYS_REVOKED);
  explicit_bzero(header, sizeof header);
  apikeys_page_free(page);
  apikeys_key_free(key);
  apikeys_key_spec_free(spec);
  apikeys_organization_free(acme);
}

/* The same value as a document's secret: written, changed, sealed again, read, freed. */
static void use_document(apikeys_env *env, const apikeys_actor *actor,
                         const char value[APIKEYS_VALUE_MAX]) {
  char secret[APIKEYS_VALUE_MAX];
  apikeys_document *made = apikeys_document_new(), *got = apikeys_document_new();
  apikeys_document_set_collection(made, S("things"));
  apikeys_document_set_id(made, S("one"));
  apikeys_document_set_secret(made, S(value));
  apikeys_document_set_body(made, S("a body that makes the object's buffer grow, and move"));
  must(apikeys_document_create(env, actor, made, NULL), "create");
  must(apikeys_document_get(env, actor, S("things"), S("one"), got, NULL), "get");
  must(apikeys_document_secret(got, secret, sizeof secret, NULL), "secret");
  apikeys_document_set_secret(got, S("another"));
  must(apikeys_document_update(env, actor, got, NULL), "update");
  must(apikeys_document_put(env, actor, made, NULL), "put");
  must(apikeys_rotate_root_key(env, actor, NULL, 0, 0, NULL), "rotate");
  must(apikeys_document_get(env, actor, S("things"), S("one"), got, NULL), "get");
  explicit_bzero(secret, sizeof secret);
  apikeys_document_free(got);
  apikeys_document_free(made);
}

START_TEST(no_copy_of_a_secret_is_left_in_memory) {
  apikeys_env *env;
  char value[APIKEYS_VALUE_MAX];
  char directory[] = "/tmp/apikeys-residue-XXXXXX", path[64];
  ck_assert_ptr_nonnull(mkdtemp(directory));
  snprintf(path, sizeof path, "%s/keys.db", directory);
  apikeys_actor *actor = apikeys_actor_new();
  must(apikeys_actor_set_system(actor, S("residue")), "actor");
  must(_i == 0 ? apikeys_open_memory(&env, NULL, NULL)
               : apikeys_open_sqlite(&env, path, NULL, NULL),
       "open");
  use_key(env, actor, value);
  use_document(env, actor, value);
  for (int i = 0; i < NEEDLE; i++)
    masked[i] = (unsigned char)((unsigned char)value[SECRET_AT + i] ^ MASK);
  ck_assert_int_ge(search_memory(), 1); /* ours is still there: the search finds it */
  explicit_bzero(value, sizeof value);
  ck_assert_int_eq(search_memory(), 0);
  apikeys_close(env);
  apikeys_actor_free(actor);
  remove_directory(directory);
}
END_TEST

int main(void) {
#ifdef KEEPS_FREED_MEMORY
  puts("skipped: sanitizers and unoptimised code keep copies that the real build has not");
  return 77;
#endif
  Suite *suite = suite_create("residue");
  TCase *tcase = tcase_create("memory");
  tcase_add_loop_test(tcase, no_copy_of_a_secret_is_left_in_memory, 0, 2);
  tcase_set_timeout(tcase, 120);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
