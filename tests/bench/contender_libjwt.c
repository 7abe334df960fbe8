/* SPDX-License-Identifier: MIT */
/*
 * Signed tokens: the permissions and the owner are in them. Like macaroons they need no store, and
 * cannot be revoked without one.
 */
#include "bench.h"

#include <jwt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TOKENS_MAX = 1000, TEXT_MAX = 600, CHUNK_ELLIPTIC = 16, KEY_MAX = 2048 };

struct signer {
  jwt_alg_t algorithm;
  unsigned char sign_key[KEY_MAX];
  int sign_key_length;
  unsigned char verify_key[KEY_MAX];
  int verify_key_length;
  struct bench_set tokens;
};

static bool claims_good(jwt_t *token) {
  const char *permissions = jwt_get_grant(token, "permissions");
  return jwt_get_grant_int(token, "exp") > time(NULL) && permissions != NULL &&
         strstr(permissions, BENCH_PERMISSION) != NULL && jwt_get_grant(token, "org_id") != NULL;
}

static bool validate(const struct signer *signer, const char *text, size_t length) {
  jwt_t *token = NULL;
  (void)length;
  if (jwt_decode(&token, text, signer->verify_key, signer->verify_key_length) != 0)
    return false;
  bool good = jwt_get_alg(token) == signer->algorithm && claims_good(token);
  jwt_free(token);
  return good;
}

static size_t run(void *state, const unsigned char *values, size_t count, size_t stride) {
  const struct signer *signer = state;
  BENCH_CHAIN(entry, validate(signer, bench_text(entry), bench_length(entry)));
}

static void make_token(struct signer *signer, size_t i) {
  char id[40];
  jwt_t *token;
  snprintf(id, sizeof id, "api_key_%026zu", i);
  if (jwt_new(&token) != 0 || jwt_add_grant(token, "jti", id) != 0 ||
      jwt_add_grant(token, "org_id", "org_01HZX3V6J8K9M0N1P2Q3R4S5T6") != 0 ||
      jwt_add_grant(token, "permissions", "comments:read " BENCH_PERMISSION) != 0 ||
      jwt_add_grant_int(token, "exp", 4102444800) != 0 ||
      jwt_set_alg(token, signer->algorithm, signer->sign_key, signer->sign_key_length) != 0)
    bench_fail("libjwt makes no token");
  char *text = jwt_encode_str(token);
  if (text == NULL)
    bench_fail("libjwt signs no token");
  bench_set_put(&signer->tokens, i, text, strlen(text) + 1);
  free(text);
  jwt_free(token);
}

static void close_signer(void *state) {
  struct signer *signer = state;
  bench_set_release(&signer->tokens);
  free(signer);
}

/* 0 if there is no such file. */
static int read_key(unsigned char *key, const struct bench_options *options, const char *name) {
  char path[4096];
  bench_path(path, sizeof path, options, name);
  FILE *file = fopen(path, "rb");
  size_t length = file != NULL ? fread(key, 1, KEY_MAX - 1, file) : 0;
  if (file != NULL)
    fclose(file);
  return (int)length;
}

static void share_secret(struct signer *signer) {
  signer->sign_key_length = signer->verify_key_length = 32;
  randombytes_buf(signer->sign_key, 32);
  memcpy(signer->verify_key, signer->sign_key, 32);
}

bool bench_open_jwt(struct bench_contender *contender, const struct bench_options *options,
                    bool elliptic) {
  struct signer *signer = bench_alloc(sizeof *signer);
  size_t max = elliptic ? 100 : TOKENS_MAX;
  signer->algorithm = elliptic ? JWT_ALG_ES256 : JWT_ALG_HS256;
  if (elliptic) {
    signer->sign_key_length = read_key(signer->sign_key, options, "es256.pem");
    signer->verify_key_length = read_key(signer->verify_key, options, "es256.pub.pem");
  } else {
    share_secret(signer);
  }
  if (signer->sign_key_length == 0 || signer->verify_key_length == 0) {
    free(signer);
    return false;
  }
  bench_set_make(&signer->tokens, options->keys < max ? options->keys : max, TEXT_MAX);
  for (size_t i = 0; i < signer->tokens.count; i++)
    make_token(signer, i);
  contender->set = &signer->tokens;
  contender->chunk = elliptic ? CHUNK_ELLIPTIC : 0;
  contender->state = signer;
  contender->run = run;
  contender->close = close_signer;
  return true;
}
