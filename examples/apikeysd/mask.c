/* SPDX-License-Identifier: MIT */
/* Finds secrets by their form: a key's value has 54 random letters and digits behind a prefix. */
#include "mask.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MASK "[masked]"
enum { MASK_LENGTH = sizeof MASK - 1, SECRET_MIN = 32, VALUE_BODY = 54, TOKEN_PART_MIN = 16 };

static bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

static bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

/* Includes '%', because some bytes of a value may be escaped. */
static bool is_secret_byte(char c) {
  return is_lower(c) || is_upper(c) || (c >= '0' && c <= '9') || c == '%';
}

static bool is_token_byte(char c) {
  return is_secret_byte(c) || c == '-' || c == '_' || c == '.';
}

static size_t run(const char *text, bool (*belongs)(char)) {
  size_t length = 0;
  while (text[length] != '\0' && belongs(text[length]))
    length++;
  return length;
}

/* Ids have one case only, and names are shorter. */
static bool is_mixed(const char *text, size_t length) {
  bool lower = false, upper = false;
  for (size_t i = 0; i < length; i++) {
    lower = lower || is_lower(text[i]);
    upper = upper || is_upper(text[i]);
  }
  return lower && upper;
}

/* The length of the secret that begins here; 0: none. */
static size_t secret_at(const char *text) {
  size_t length = run(text, is_secret_byte), token = run(text, is_token_byte);
  const char *head = strstr(text, "eyJ");
  if (head != NULL && head < text + length && token >= SECRET_MIN)
    return token;
  return length >= SECRET_MIN && is_mixed(text, length) ? length : 0;
}

void mask_secrets(char *text) {
  char *out = text;
  while (*text != '\0') {
    size_t length = secret_at(text);
    if (length > 0) {
      memcpy(out, MASK, MASK_LENGTH);
      out += MASK_LENGTH;
      text += length;
      continue;
    }
    /* A run that is no secret as a whole is none from its middle. */
    size_t plain = run(text, is_secret_byte);
    if (plain == 0)
      plain = 1;
    memmove(out, text, plain);
    out += plain;
    text += plain;
  }
  *out = '\0';
}

static bool is_alphanumeric(char c) {
  return is_secret_byte(c) && c != '%';
}

static bool is_part_byte(char c) {
  return is_alphanumeric(c) || c == '-' || c == '_';
}

/* "eyJ…", a dot, a second part, a dot, a third. */
static bool is_token(const char *text) {
  if (strncmp(text, "eyJ", 3) != 0)
    return false;
  for (int part = 0; part < 3; part++) {
    size_t length = run(text, is_part_byte);
    if (length < TOKEN_PART_MIN || (part < 2 && text[length] != '.'))
      return false;
    text += length + 1;
  }
  return true;
}

bool mask_finds_secret(const char *text) {
  const char *start = text;
  while (*text != '\0') {
    size_t length = run(text, is_alphanumeric);
    bool after_prefix = text - start > 1 && text[-1] == '_' && is_alphanumeric(text[-2]);
    if ((after_prefix && length >= VALUE_BODY && is_mixed(text, length)) || is_token(text))
      return true;
    text += length > 0 ? length : 1;
  }
  return false;
}

json_t *mask_json(const char *text) {
  char *copy = strdup(text);
  if (copy == NULL)
    return NULL;
  mask_secrets(copy);
  json_t *json = json_string(copy);
  free(copy);
  return json;
}
