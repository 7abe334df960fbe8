/* SPDX-License-Identifier: MIT */
#include "crypto/crypto.h"

#include "support/suite.h"

#include <apikeys/error.h>

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static void assert_hex(const uint8_t *bytes, size_t length, const char *expected) {
  char hex[512];
  ck_assert_uint_lt(2 * length, sizeof hex);
  for (size_t i = 0; i < length; i++)
    snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
  ck_assert_str_eq(hex, expected);
}

static void count_up(uint8_t *out, size_t length, int first) {
  for (size_t i = 0; i < length; i++)
    out[i] = (uint8_t)(first + (int)i);
}

static int fill_copy(void *out, size_t length, void *user_data) {
  memcpy(out, user_data, length);
  return 0;
}

static int fill_failing(void *out, size_t length, void *user_data) {
  (void)user_data;
  memset(out, 0x55, length);
  return -1;
}

/* -- Randomness and memory -------------------------------------------------------------------- */

static void *init_many_times(void *unused) {
  static int failure;
  (void)unused;
  for (int i = 0; i < 50; i++)
    if (ak_crypto_init() != APIKEYS_OK)
      return &failure;
  return NULL;
}

START_TEST(init_any_number_of_times_from_any_thread) {
  pthread_t threads[4];
  for (int i = 0; i < 4; i++)
    ck_assert_int_eq(pthread_create(&threads[i], NULL, init_many_times, NULL), 0);
  for (int i = 0; i < 4; i++) {
    void *failed = NULL;
    ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
    ck_assert_ptr_null(failed);
  }
}
END_TEST

/* Every byte of the output is written, whatever the length; and two draws differ. */
START_TEST(the_system_fills_all_that_was_asked_for) {
  static const size_t lengths[] = {0, 1, 16, 255, 256, 257, 511, 512, 513, 1000};
  static uint8_t seen[1002], out[1002];
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    size_t length = lengths[i];
    memset(seen, 0, sizeof seen);
    for (int round = 0; round < 64; round++) {
      memset(out, 0, sizeof out);
      ck_assert_int_eq(ak_random_fill(NULL, out, length), APIKEYS_OK);
      for (size_t j = 0; j < sizeof out; j++)
        seen[j] |= out[j];
    }
    for (size_t j = 0; j < sizeof seen; j++)
      ck_assert_int_eq(seen[j], j < length ? 0xff : 0);
  }
}
END_TEST

START_TEST(an_injected_source_is_used_and_its_failure_told) {
  uint8_t bytes[16], out[16] = {0};
  count_up(bytes, sizeof bytes, 1);
  const struct ak_random fixed = {fill_copy, bytes}, failing = {fill_failing, NULL};
  const struct ak_random none = {NULL, NULL};
  ck_assert_int_eq(ak_random_fill(&fixed, out, sizeof out), APIKEYS_OK);
  ck_assert_mem_eq(out, bytes, sizeof out);
  ck_assert_int_eq(ak_random_fill(&failing, out, sizeof out), APIKEYS_ERROR_RANDOM);
  ck_assert_int_eq(ak_random_fill(&none, out, sizeof out), APIKEYS_OK);
  ck_assert_mem_ne(out, bytes, sizeof out);
}
END_TEST

START_TEST(secret_memory) {
  static const size_t lengths[] = {1, 32, 4096, 5000};
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    uint8_t *bytes = ak_secret_alloc(lengths[i]);
    ck_assert_ptr_nonnull(bytes);
    memset(bytes, 0xa5, lengths[i]);
    ck_assert_uint_eq(bytes[lengths[i] - 1], 0xa5);
    ak_secret_free(bytes);
  }
  ck_assert_ptr_null(ak_secret_alloc(SIZE_MAX));
  ak_secret_free(NULL);
}
END_TEST

START_TEST(wiping) {
  const uint8_t expected[8] = {1, 0, 0, 0, 0, 0, 0, 8};
  uint8_t bytes[8];
  count_up(bytes, sizeof bytes, 1);
  ak_wipe(bytes + 1, 6);
  ck_assert_mem_eq(bytes, expected, sizeof bytes);
}
END_TEST

START_TEST(comparing_sees_every_bit) {
  uint8_t a[32], b[32];
  count_up(a, sizeof a, 0);
  memcpy(b, a, sizeof b);
  ck_assert_int_eq(ak_secret_compare(a, b, sizeof a), 0);
  for (size_t bit = 0; bit < 8 * sizeof a; bit++) {
    b[bit / 8] = (uint8_t)(b[bit / 8] ^ 1 << bit % 8);
    ck_assert_int_ne(ak_secret_compare(a, b, sizeof a), 0);
    ck_assert_int_eq(ak_secret_compare(a, b, bit / 8), 0);
    b[bit / 8] = a[bit / 8];
  }
}
END_TEST

START_TEST(comparing_fingerprints_sees_every_bit) {
  uint8_t a[AK_FINGERPRINT_BYTES], b[AK_FINGERPRINT_BYTES];
  count_up(a, sizeof a, 0);
  memcpy(b, a, sizeof b);
  ck_assert_int_eq(ak_fingerprint_compare(a, b), 0);
  for (size_t bit = 0; bit < 8 * sizeof a; bit++) {
    b[bit / 8] = (uint8_t)(b[bit / 8] ^ 1 << bit % 8);
    ck_assert_int_ne(ak_fingerprint_compare(a, b), 0);
    /* Differences in both halves do not make up for each other. */
    b[(bit / 8 + 8) % 16] = (uint8_t)(b[(bit / 8 + 8) % 16] ^ 1 << bit % 8);
    ck_assert_int_ne(ak_fingerprint_compare(a, b), 0);
    memcpy(b, a, sizeof b);
  }
}
END_TEST

/* -- Digests and keys: expected values from Python's hashlib and hmac -------------------------- */

START_TEST(known_digests) {
  uint8_t out[AK_DIGEST_BYTES];
  ak_digest(out, "abc", 3);
  assert_hex(out, sizeof out, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
  ak_digest(out, NULL, 0);
  assert_hex(out, sizeof out, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
}
END_TEST

static void digest_words(uint8_t out[AK_DIGEST_BYTES], const char *const *words, size_t count) {
  struct ak_piece pieces[8];
  ck_assert_uint_le(count, 8);
  for (size_t i = 0; i < count; i++)
    pieces[i] = (struct ak_piece){words[i], strlen(words[i])};
  ak_digest_pieces(out, pieces, count);
}

START_TEST(digests_of_pieces_tell_where_they_were_cut) {
  static const char *const lists[][4] = {{"abc", "", "de", NULL},
                                         {"abc", "de", "", NULL},
                                         {"abcde", NULL},
                                         {"", "abcde", NULL},
                                         {"ab", "cde", NULL},
                                         {"de", "", "abc", NULL},
                                         {"", NULL},
                                         {"", "", NULL},
                                         {NULL}};
  enum { LISTS = sizeof lists / sizeof lists[0] };
  uint8_t digests[LISTS][AK_DIGEST_BYTES];
  for (size_t i = 0; i < LISTS; i++) {
    size_t count = 0;
    while (lists[i][count] != NULL)
      count++;
    digest_words(digests[i], lists[i], count);
    for (size_t j = 0; j < i; j++)
      ck_assert_mem_ne(digests[i], digests[j], AK_DIGEST_BYTES);
  }
  assert_hex(digests[0], AK_DIGEST_BYTES,
             "3a5d6aa1dc44cbf3ad5a09468bcdeb2ed0374f7e06665f9f21256b150c9a222e");
  const struct ak_piece nothing = {NULL, 0};
  uint8_t out[AK_DIGEST_BYTES];
  ak_digest_pieces(out, &nothing, 1);
  ck_assert_mem_eq(out, digests[6], sizeof out);
}
END_TEST

START_TEST(derived_keys) {
  uint8_t key[AK_KEY_BYTES], out[AK_KEY_BYTES], other[AK_KEY_BYTES];
  count_up(key, sizeof key, 0);
  ak_derive_key(out, key, 7, "contextA");
  assert_hex(out, sizeof out, "f655444e1e65baa8cfcde27bddfee4fe18e3d586447858a40855ab3e33eca9d0");
  ak_derive_key(other, key, 8, "contextA");
  ck_assert_mem_ne(out, other, sizeof out);
  ak_derive_key(other, key, 7, "contextB");
  ck_assert_mem_ne(out, other, sizeof out);
  key[31] ^= 1;
  ak_derive_key(other, key, 7, "contextA");
  ck_assert_mem_ne(out, other, sizeof out);
}
END_TEST

START_TEST(hmac) {
  uint8_t key[AK_KEY_BYTES], out[32];
  count_up(key, sizeof key, 0);
  ak_hmac_sha256(out, key, "abc", 3);
  assert_hex(out, sizeof out, "f0133729c4163dede81e21cd47839256da58171238c8a0d874397c73b14e1e47");
}
END_TEST

/* -- Sealing ---------------------------------------------------------------------------------- */

/* draft-irtf-cfrg-xchacha-03, appendix A.3.1 */
START_TEST(sealing_is_xchacha20_poly1305) {
  static const char plain[] = "Ladies and Gentlemen of the class of '99: If I could offer you only "
                              "one tip for the future, sunscreen would be it.";
  const uint8_t associated[] = {0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1,
                                0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7};
  uint8_t key[AK_KEY_BYTES], nonce[24], sealed[sizeof plain - 1 + AK_SEALED_OVERHEAD];
  count_up(key, sizeof key, 0x80);
  count_up(nonce, sizeof nonce, 0x40);
  const struct ak_random random = {fill_copy, nonce};
  int rc = ak_seal(sealed, plain, sizeof plain - 1, associated, sizeof associated, key, &random);
  ck_assert_int_eq(rc, APIKEYS_OK);
  assert_hex(sealed, sizeof sealed,
             "404142434445464748494a4b4c4d4e4f5051525354555657"
             "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
             "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
             "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
             "21f9664c97637da9768812f615c68b13b52e"
             "c0875924c1c7987947deafd8780acf49");
}
END_TEST

START_TEST(what_was_sealed_opens_and_nothing_else) {
  enum { LENGTH = 20 };
  uint8_t key[AK_KEY_BYTES], plain[LENGTH], out[LENGTH], sealed[LENGTH + AK_SEALED_OVERHEAD];
  uint8_t again[LENGTH + AK_SEALED_OVERHEAD];
  count_up(key, sizeof key, 9);
  count_up(plain, sizeof plain, 77);
  ck_assert_int_eq(ak_seal(sealed, plain, LENGTH, "row 1", 5, key, NULL), APIKEYS_OK);
  ck_assert_int_eq(ak_open(out, sealed, sizeof sealed, "row 1", 5, key), 0);
  ck_assert_mem_eq(out, plain, LENGTH);

  ck_assert_int_eq(ak_seal(again, plain, LENGTH, "row 1", 5, key, NULL), APIKEYS_OK);
  ck_assert_mem_ne(again, sealed, sizeof sealed); /* a new nonce each time */

  for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
    memcpy(again, sealed, sizeof sealed);
    again[bit / 8] = (uint8_t)(again[bit / 8] ^ 1 << bit % 8);
    memset(out, 0x33, sizeof out);
    ck_assert_int_eq(ak_open(out, again, sizeof again, "row 1", 5, key), -1);
    ck_assert_mem_ne(out, plain, 8);
  }
  for (size_t length = 0; length < sizeof sealed; length++)
    ck_assert_int_eq(ak_open(out, sealed, length, "row 1", 5, key), -1);
  ck_assert_int_eq(ak_open(out, sealed, sizeof sealed, "row 2", 5, key), -1);
  ck_assert_int_eq(ak_open(out, sealed, sizeof sealed, "row 1", 4, key), -1);
  ck_assert_int_eq(ak_open(out, sealed, sizeof sealed, NULL, 0, key), -1);
  key[0] ^= 1;
  ck_assert_int_eq(ak_open(out, sealed, sizeof sealed, "row 1", 5, key), -1);
}
END_TEST

START_TEST(nothing_can_be_sealed_too) {
  uint8_t key[AK_KEY_BYTES] = {0}, sealed[AK_SEALED_OVERHEAD], out[1] = {0x33};
  ck_assert_int_eq(ak_seal(sealed, NULL, 0, NULL, 0, key, NULL), APIKEYS_OK);
  ck_assert_int_eq(ak_open(out, sealed, sizeof sealed, NULL, 0, key), 0);
  ck_assert_uint_eq(out[0], 0x33);
}
END_TEST

START_TEST(no_nonce_no_seal) {
  const struct ak_random failing = {fill_failing, NULL};
  uint8_t key[AK_KEY_BYTES] = {0}, sealed[4 + AK_SEALED_OVERHEAD], before[sizeof sealed];
  memset(sealed, 0x33, sizeof sealed);
  memcpy(before, sealed, sizeof sealed);
  ck_assert_int_eq(ak_seal(sealed, "abcd", 4, NULL, 0, key, &failing), APIKEYS_ERROR_RANDOM);
  ck_assert_mem_eq(sealed, before, sizeof sealed);
}
END_TEST

int main(void) {
  if (ak_crypto_init() != APIKEYS_OK)
    return 1;
  Suite *suite = suite_create("crypto");
  TCase *memory = tcase_create("randomness and memory");
  tcase_add_test(memory, init_any_number_of_times_from_any_thread);
  tcase_add_test(memory, the_system_fills_all_that_was_asked_for);
  tcase_add_test(memory, an_injected_source_is_used_and_its_failure_told);
  tcase_add_test(memory, secret_memory);
  tcase_add_test(memory, wiping);
  tcase_add_test(memory, comparing_sees_every_bit);
  tcase_add_test(memory, comparing_fingerprints_sees_every_bit);
  suite_add_tcase(suite, memory);
  TCase *digest = tcase_create("digests and keys");
  tcase_add_test(digest, known_digests);
  tcase_add_test(digest, digests_of_pieces_tell_where_they_were_cut);
  tcase_add_test(digest, derived_keys);
  tcase_add_test(digest, hmac);
  suite_add_tcase(suite, digest);
  TCase *sealing = tcase_create("sealing");
  tcase_add_test(sealing, sealing_is_xchacha20_poly1305);
  tcase_add_test(sealing, what_was_sealed_opens_and_nothing_else);
  tcase_add_test(sealing, nothing_can_be_sealed_too);
  tcase_add_test(sealing, no_nonce_no_seal);
  suite_add_tcase(suite, sealing);
  return run_suite(suite);
}
