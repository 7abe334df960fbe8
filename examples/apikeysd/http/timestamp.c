/* SPDX-License-Identifier: MIT */
#include "http/timestamp.h"

#include <stdio.h>
#include <time.h>

/* Digits of a fixed number, at *at, which moves behind them. */
static bool digits(const char **at, const char *end, int count, int *out) {
  *out = 0;
  for (int i = 0; i < count; i++, (*at)++) {
    if (*at == end || **at < '0' || **at > '9')
      return false;
    *out = *out * 10 + (**at - '0');
  }
  return true;
}

static bool literal(const char **at, const char *end, char wanted) {
  return *at != end && *(*at)++ == wanted;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar; years are counted from March. */
static int64_t days_since_epoch(int year, int month, int day) {
  int64_t y = month <= 2 ? year - 1 : year;
  int64_t era = y / 400, year_of_era = y - era * 400;
  int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719468;
}

static int days_in_month(int year, int month) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : days[month - 1];
}

/* ".123456": the first three digits count. */
static bool fraction(const char **at, const char *end, int *ms) {
  int scale = 100;
  *ms = 0;
  if (*at == end || **at != '.')
    return true;
  const char *first = ++*at;
  for (; *at != end && **at >= '0' && **at <= '9'; (*at)++, scale /= 10)
    *ms += (**at - '0') * scale;
  return *at != first;
}

/* "Z" or "+02:00", which must be the end. */
static bool offset(const char *at, const char *end, int *minutes) {
  int hour, minute;
  *minutes = 0;
  if (at != end && (*at == 'Z' || *at == 'z'))
    return at + 1 == end;
  if (at == end || (*at != '+' && *at != '-'))
    return false;
  int sign = *at++ == '-' ? -1 : 1;
  if (!digits(&at, end, 2, &hour) || !literal(&at, end, ':') || !digits(&at, end, 2, &minute) ||
      hour > 23 || minute > 59 || at != end)
    return false;
  *minutes = sign * (hour * 60 + minute);
  return true;
}

bool timestamp_parse(const char *text, size_t length, int64_t *out) {
  const char *at = text, *end = text + length;
  int year, month, day, hour, minute, second, ms, behind;
  if (!digits(&at, end, 4, &year) || !literal(&at, end, '-') || !digits(&at, end, 2, &month) ||
      !literal(&at, end, '-') || !digits(&at, end, 2, &day) || !literal(&at, end, 'T') ||
      !digits(&at, end, 2, &hour) || !literal(&at, end, ':') || !digits(&at, end, 2, &minute) ||
      !literal(&at, end, ':') || !digits(&at, end, 2, &second) || !fraction(&at, end, &ms) ||
      !offset(at, end, &behind))
    return false;
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) ||
      hour > 23 || minute > 59 || second > 59)
    return false;
  int64_t minutes = days_since_epoch(year, month, day) * 1440 + hour * 60 + minute - behind;
  *out = (minutes * 60 + second) * 1000 + ms;
  return *out >= 0;
}

/* Room for whatever year the milliseconds of an int64_t can name. */
enum { TIMESTAMP_MAX = 64 };

json_t *timestamp_json(int64_t unix_ms) {
  char text[TIMESTAMP_MAX];
  struct tm utc;
  time_t seconds = (time_t)(unix_ms / 1000);
  if (unix_ms <= 0)
    return json_null();
  if (gmtime_r(&seconds, &utc) == NULL)
    return NULL;
  size_t used = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  snprintf(text + used, sizeof text - used, ".%03dZ", (int)(unix_ms % 1000));
  return json_string(text);
}
