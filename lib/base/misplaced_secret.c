/* SPDX-License-Identifier: MIT */
/* Finding values of keys and signed tokens in texts that are meant to hold none. */
#include "base/misplaced_secret.h"

#include <string.h>

#define SECRET_MASK "[masked]"
enum {
  SECRET_MASK_LENGTH = sizeof SECRET_MASK - 1,
  SECRET_BODY = 54,      /* lookup id, secret and checksum: AK_BODY_LENGTH */
  SECRET_BODY_CUT = 32,  /* has 16 characters of the secret */
  SECRET_TOKEN_PART = 16 /* no part of a token is shorter */
};

static bool secret_lower(char c) {
  return c >= 'a' && c <= 'z';
}

static bool secret_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

static bool secret_alphanumeric(char c) {
  return secret_lower(c) || secret_upper(c) || (c >= '0' && c <= '9');
}

static bool secret_token_byte(char c) {
  return secret_alphanumeric(c) || c == '-' || c == '_';
}

static size_t secret_run(const char *text, size_t length, bool (*belongs)(char)) {
  size_t run = 0;
  while (run < length && belongs(text[run]))
    run++;
  return run;
}

/* Ids and hexadecimal digests have one case. */
static bool secret_has_both_cases(const char *text, size_t length) {
  bool lower = false, upper = false;
  for (size_t i = 0; i < length; i++) {
    lower = lower || secret_lower(text[i]);
    upper = upper || secret_upper(text[i]);
  }
  return lower && upper;
}

/* How much of a token with at least `parts` parts begins here, all of its parts; 0: none does. */
static size_t secret_token(const char *text, size_t length, int parts) {
  size_t used = 0;
  if (length < 3 || memcmp(text, "eyJ", 3) != 0)
    return 0;
  for (int part = 0; part < 3; part++) {
    size_t run = secret_run(text + used, length - used, secret_token_byte);
    if (run < SECRET_TOKEN_PART && part < parts)
      return 0;
    used += run;
    if (part == 2 || used == length || text[used] != '.')
      return part + 1 >= parts ? used : 0;
    used++;
  }
  return used;
}

/* The letters and digits from `at` on, whose predecessor is neither: are they a value's? */
static bool secret_value(const char *text, size_t at, size_t run, size_t behind_prefix,
                         size_t alone) {
  bool prefixed = at >= 2 && text[at - 1] == '_' && secret_alphanumeric(text[at - 2]);
  return run >= (prefixed ? behind_prefix : alone) && secret_has_both_cases(text + at, run);
}

bool ak_text_holds_secret(const char *text, size_t length) {
  for (size_t at = 0; at < length;) {
    size_t run = secret_run(text + at, length - at, secret_alphanumeric);
    if (secret_value(text, at, run, SECRET_BODY, (size_t)-1) ||
        secret_token(text + at, length - at, 3) > 0)
      return true;
    at += run > 0 ? run : 1;
  }
  return false;
}

size_t ak_mask_secrets(char *text, size_t length) {
  for (size_t at = 0; at < length;) {
    size_t run = secret_run(text + at, length - at, secret_alphanumeric);
    size_t secret = secret_token(text + at, length - at, 2);
    if (secret == 0 && secret_value(text, at, run, SECRET_BODY_CUT, SECRET_BODY))
      secret = run;
    if (secret == 0) {
      at += run > 0 ? run : 1;
      continue;
    }
    memcpy(text + at, SECRET_MASK, SECRET_MASK_LENGTH);
    at += SECRET_MASK_LENGTH;
    size_t rest = length - (at - SECRET_MASK_LENGTH) - secret;
    memmove(text + at, text + at + secret - SECRET_MASK_LENGTH, rest);
    length = at + rest;
  }
  text[length] = '\0';
  return length;
}
