/* SPDX-License-Identifier: MIT */
/* Checks of text: UTF-8, slugs, ids, e-mail addresses, domain names, times. */
#include "base/text.h"

#include "base/misplaced_secret.h"

#include <stdbool.h>
#include <string.h>

/* The phrases are static, so the lengths that the library uses are written out here. */
struct length_phrase {
  size_t min, max;
  const char *text;
};

static const struct length_phrase length_phrases[] = {
#define AT_MOST(max)                                                                               \
  { 0, max, "must be at most " #max " bytes long" }
#define FROM_ONE(max)                                                                              \
  { 1, max, "must be 1 to " #max " bytes long" }
#define BOTH(max) AT_MOST(max), FROM_ONE(max)
    BOTH(24),   BOTH(40),   BOTH(48),   BOTH(64),  BOTH(100), BOTH(128), BOTH(150),
    BOTH(200),  BOTH(253),  BOTH(255),  BOTH(256), BOTH(500), BOTH(512), BOTH(600),
    BOTH(1000), BOTH(1024), BOTH(2000), BOTH(4096)
#undef BOTH
#undef FROM_ONE
#undef AT_MOST
};

static const char *length_problem(size_t length, size_t min, size_t max) {
  if (length >= min && length <= max)
    return NULL;
  for (size_t i = 0; i < sizeof length_phrases / sizeof length_phrases[0]; i++)
    if (length_phrases[i].min == min && length_phrases[i].max == max)
      return length_phrases[i].text;
  if (length == 0)
    return "must not be empty";
  return length < min ? "is too short" : "is too long";
}

/* How many bytes a character has that begins with `lead`, and what `lead` adds to its code. */
static size_t utf8_width(unsigned char lead, uint32_t *bits, uint32_t *smallest) {
  if (lead < 0x80) {
    *bits = lead;
    *smallest = 0;
    return 1;
  }
  if (lead >= 0xc2 && lead <= 0xdf) {
    *bits = lead & 0x1f;
    *smallest = 0x80;
    return 2;
  }
  if (lead >= 0xe0 && lead <= 0xef) {
    *bits = lead & 0x0f;
    *smallest = 0x800;
    return 3;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    *bits = lead & 0x07;
    *smallest = 0x10000;
    return 4;
  }
  return 0;
}

size_t ak_utf8_decode(const char *text, size_t length, uint32_t *code) {
  uint32_t bits = 0, smallest = 0;
  size_t width = length > 0 ? utf8_width((unsigned char)text[0], &bits, &smallest) : 0;
  if (width == 0 || width > length)
    return 0;
  for (size_t i = 1; i < width; i++) {
    unsigned char next = (unsigned char)text[i];
    if ((next & 0xc0) != 0x80)
      return 0;
    bits = bits << 6 | (next & 0x3f);
  }
  bool surrogate = bits >= 0xd800 && bits <= 0xdfff;
  if (bits < smallest || bits > 0x10ffff || surrogate)
    return 0;
  *code = bits;
  return width;
}

static bool is_control(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x2028 || code == 0x2029;
}

const char *ak_text_form_problem(const char *text, size_t length, size_t min, size_t max) {
  const char *problem = length_problem(length, min, max);
  if (problem != NULL)
    return problem;
  for (size_t i = 0; i < length;) {
    if (text[i] >= 0x20 && text[i] < 0x7f) { /* most text is nothing else */
      i++;
      continue;
    }
    uint32_t code = 0;
    size_t width = ak_utf8_decode(text + i, length - i, &code);
    if (width == 0)
      return "must be valid UTF-8";
    if (is_control(code))
      return "must not contain control characters";
    i += width;
  }
  return NULL;
}

const char *ak_text_id_form_problem(const char *text, size_t length, size_t min, size_t max) {
  const char *problem = length_problem(length, min, max);
  if (problem != NULL)
    return problem;
  for (size_t i = 0; i < length; i++)
    if (text[i] < 0x21 || text[i] > 0x7e)
      return "must be printable ASCII without blanks";
  return NULL;
}

static const char *secret_problem(const char *text, size_t length) {
  return ak_text_holds_secret(text, length) ? "must not hold a key's value or a signed token"
                                            : NULL;
}

const char *ak_text_problem(const char *text, size_t length, size_t min, size_t max) {
  const char *problem = ak_text_form_problem(text, length, min, max);
  return problem != NULL ? problem : secret_problem(text, length);
}

static bool is_direction_control(uint32_t code) {
  return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* Blanks, and what Unicode lists as Default_Ignorable_Code_Point; Braille's blank shows nothing. */
static bool is_invisible(uint32_t code) {
  static const struct {
    uint32_t first, last;
  } ranges[] = {{0x20, 0x20},       {0xa0, 0xa0},      {0xad, 0xad},     {0x34f, 0x34f},
                {0x61c, 0x61c},     {0x115f, 0x1160},  {0x1680, 0x1680}, {0x17b4, 0x17b5},
                {0x180b, 0x180f},   {0x2000, 0x200f},  {0x202a, 0x202f}, {0x205f, 0x206f},
                {0x2800, 0x2800},   {0x3000, 0x3000},  {0x3164, 0x3164}, {0xfe00, 0xfe0f},
                {0xfeff, 0xfeff},   {0xffa0, 0xffa0},  {0xfff0, 0xfff8}, {0x1bca0, 0x1bca3},
                {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}};
  for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
    if (code >= ranges[i].first && code <= ranges[i].last)
      return true;
  return false;
}

const char *ak_text_name_problem(const char *text, size_t length, size_t min, size_t max) {
  const char *problem = ak_text_problem(text, length, min, max);
  bool visible = length == 0;
  for (size_t i = 0; problem == NULL && i < length;) {
    uint32_t code = 0;
    i += ak_utf8_decode(text + i, length - i, &code); /* valid, as was found above */
    visible = visible || !is_invisible(code);
    if (is_direction_control(code))
      problem = "must not contain controls of the writing direction";
  }
  return problem == NULL && !visible ? "must show something, not only blanks" : problem;
}

const char *ak_text_id_problem(const char *text, size_t length, size_t min, size_t max) {
  const char *problem = ak_text_id_form_problem(text, length, min, max);
  return problem != NULL ? problem : secret_problem(text, length);
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c);
}

/* The length of the label at the beginning of `text`, which ends at a dot; 0 if it is none. */
static size_t label_length(const char *text, size_t length, bool *number) {
  enum { LABEL_MAX = 63 };
  size_t used = 0;
  *number = true;
  while (used < length && text[used] != '.') {
    if (!is_letter_or_digit(text[used]) && text[used] != '-')
      return 0;
    *number = *number && is_digit(text[used]);
    used++;
  }
  bool good = used > 0 && used <= LABEL_MAX && text[0] != '-' && text[used - 1] != '-';
  return good ? used : 0;
}

const char *ak_text_domain_problem(const char *text, size_t length) {
  enum { DOMAIN_MAX = 253 };
  static const char problem[] = "must be a domain name, such as acme.example";
  size_t labels = 0;
  bool number = false;
  if (length == 0 || length > DOMAIN_MAX)
    return problem;
  for (size_t at = 0; at <= length; at++) { /* behind each label its dot, or the end */
    size_t used = label_length(text + at, length - at, &number);
    if (used == 0)
      return problem;
    at += used;
    labels++;
  }
  return labels >= 2 && !number ? NULL : problem;
}

static bool is_slug_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == ':' ||
         c == '.' || c == '*';
}

int ak_slug_check(const char *text, size_t length) {
  if (length < 1 || length > AK_SLUG_MAX)
    return -1;
  for (size_t i = 0; i < length; i++)
    if (!is_slug_character(text[i]))
      return -1;
  return 0;
}

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool starts_with(const char *text, const char *needle, size_t needle_length) {
  for (size_t i = 0; i < needle_length; i++)
    if (lower(text[i]) != lower(needle[i]))
      return false;
  return true;
}

int ak_text_contains(const char *text, size_t length, const char *needle, size_t needle_length) {
  for (size_t i = 0; i + needle_length <= length; i++)
    if (starts_with(text + i, needle, needle_length))
      return 1;
  return 0;
}

struct date {
  int year, month, day;
};

/*
 * The date that many days after 0000-03-01. Years begin in March here, so that the leap day is
 * their last; 400 years have 146097 days (H. Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms", civil_from_days).
 */
static struct date date_of(int days) {
  int era = days / 146097;
  int day_of_era = days % 146097;
  int year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int month_from_march = (5 * day_of_year + 2) / 153;
  bool after_new_year = month_from_march >= 10;
  struct date date = {
      .year = era * 400 + year_of_era + (after_new_year ? 1 : 0),
      .month = month_from_march + (after_new_year ? -9 : 3),
      .day = day_of_year - (153 * month_from_march + 2) / 5 + 1,
  };
  return date;
}

static void put_number(char *out, int digits, int number) {
  for (int i = digits - 1; i >= 0; i--, number /= 10)
    out[i] = (char)('0' + number % 10);
}

void ak_time_text(char out[AK_TIME_TEXT_LENGTH + 1], int64_t unix_ms) {
  const int64_t first = INT64_C(-62167219200000); /* 0000-01-01T00:00:00.000Z */
  const int64_t last = INT64_C(253402300799999);  /* 9999-12-31T23:59:59.999Z */
  const int day_ms = 86400000;
  /* Counted from the last day of the 400 years before, so that nothing is negative. */
  const int64_t before_march = INT64_C(146097) - 60;
  int64_t ms = (unix_ms < first ? first : unix_ms > last ? last : unix_ms) - first;
  struct date date = date_of((int)(ms / day_ms + before_march));
  int time = (int)(ms % day_ms);
  memcpy(out, "0000-00-00T00:00:00.000Z", AK_TIME_TEXT_LENGTH + 1);
  put_number(out, 4, date.year - 400);
  put_number(out + 5, 2, date.month);
  put_number(out + 8, 2, date.day);
  put_number(out + 11, 2, time / 3600000);
  put_number(out + 14, 2, time / 60000 % 60);
  put_number(out + 17, 2, time / 1000 % 60);
  put_number(out + 20, 3, time % 1000);
}

void ak_hex_text(char *out, const uint8_t *bytes, size_t length) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < length; i++) {
    *out++ = digits[bytes[i] >> 4];
    *out++ = digits[bytes[i] & 15];
  }
  *out = '\0';
}
