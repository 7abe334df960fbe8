/* SPDX-License-Identifier: MIT */
/*
 * Macaroons with two caveats: who, and until when. They need no store, and so cannot be revoked
 * without one: a real service would add a look into a list.
 */
#include "bench.h"

#include <macaroons.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEY_BYTES = 32, TOKENS_MAX = 10000, TEXT_MAX = 500 };

struct mint {
  unsigned char key[KEY_BYTES];
  struct macaroon_verifier *verifier;
  struct bench_set tokens;
};

static const unsigned char *bytes(const char *text) {
  return (const unsigned char *)text;
}

static int not_over(void *data, const unsigned char *predicate, size_t length) {
  static const char name[] = "time < ";
  (void)data;
  if (length < sizeof name || memcmp(predicate, name, sizeof name - 1) != 0)
    return -1;
  char number[24] = {0};
  size_t digits = length - (sizeof name - 1);
  if (digits >= sizeof number)
    return -1;
  memcpy(number, predicate + sizeof name - 1, digits);
  return time(NULL) < strtoll(number, NULL, 10) ? 0 : -1;
}

static bool validate(const struct mint *mint, const char *text, size_t length) {
  enum macaroon_returncode code;
  (void)length;
  struct macaroon *macaroon = macaroon_deserialize(text, &code);
  if (macaroon == NULL)
    return false;
  int rc = macaroon_verify(mint->verifier, macaroon, mint->key, KEY_BYTES, NULL, 0, &code);
  macaroon_destroy(macaroon);
  return rc == 0;
}

static size_t run(void *state, const unsigned char *values, size_t count, size_t stride) {
  const struct mint *mint = state;
  BENCH_CHAIN(entry, validate(mint, bench_text(entry), bench_length(entry)));
}

static struct macaroon *add_caveat(struct macaroon *macaroon, const char *caveat) {
  enum macaroon_returncode code;
  struct macaroon *more =
      macaroon_add_first_party_caveat(macaroon, bytes(caveat), strlen(caveat), &code);
  macaroon_destroy(macaroon);
  if (more == NULL)
    bench_fail("libmacaroons adds no caveat");
  return more;
}

static void make_token(struct mint *mint, size_t i) {
  char id[40], text[TEXT_MAX];
  enum macaroon_returncode code;
  int length = snprintf(id, sizeof id, "api_key_%026zu", i);
  struct macaroon *macaroon = macaroon_create(bytes("api.example.com"), 15, mint->key, KEY_BYTES,
                                              bytes(id), (size_t)length, &code);
  if (macaroon == NULL)
    bench_fail("libmacaroons makes no macaroon");
  macaroon = add_caveat(macaroon, "permission = " BENCH_PERMISSION);
  macaroon = add_caveat(macaroon, "time < 4102444800");
  if (macaroon_serialize(macaroon, text, sizeof text, &code) < 0)
    bench_fail("libmacaroons serializes nothing");
  bench_set_put(&mint->tokens, i, text, strlen(text) + 1); /* it wants the terminator */
  macaroon_destroy(macaroon);
}

static void close_mint(void *state) {
  struct mint *mint = state;
  macaroon_verifier_destroy(mint->verifier);
  bench_set_release(&mint->tokens);
  free(mint);
}

void bench_open_macaroons(struct bench_contender *contender, const struct bench_options *options) {
  static const char exact[] = "permission = " BENCH_PERMISSION;
  struct mint *mint = bench_alloc(sizeof *mint);
  enum macaroon_returncode code;
  randombytes_buf(mint->key, sizeof mint->key);
  bench_set_make(&mint->tokens, options->keys < TOKENS_MAX ? options->keys : TOKENS_MAX, TEXT_MAX);
  for (size_t i = 0; i < mint->tokens.count; i++)
    make_token(mint, i);
  mint->verifier = macaroon_verifier_create();
  macaroon_verifier_satisfy_exact(mint->verifier, bytes(exact), sizeof exact - 1, &code);
  macaroon_verifier_satisfy_general(mint->verifier, not_over, NULL, &code);
  contender->set = &mint->tokens;
  contender->state = mint;
  contender->run = run;
  contender->close = close_mint;
}
