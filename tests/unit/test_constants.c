/* SPDX-License-Identifier: MIT */
/* The table of constants is what the headers say: each of theirs is in it, with its value. */
#include "support/headers.h"
#include "support/suite.h"

#include <apikeys.h>
#include <check.h>

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static int find(const char *name, int *value) {
  for (size_t i = 0; i < apikeys_constant_count(); i++)
    if (strcmp(apikeys_constant_name(i), name) == 0) {
      *value = apikeys_constant_value(i);
      return 1;
    }
  return 0;
}

/* "APIKEYS_NAME = number" anywhere, and "#define APIKEYS_NAME number". Results have a table of
 * their own; their codes are written as "(number)". */
static int check_constant(const char *at) {
  char name[64];
  int length = 0, stated, held;
  const char *start = at + strlen("APIKEYS_");
  while (isupper((unsigned char)start[length]) || isdigit((unsigned char)start[length]) ||
         start[length] == '_')
    length++;
  const char *rest = start + length;
  int is_define = strncmp(at - strlen("#define "), "#define ", strlen("#define ")) == 0;
  if (length == 0 || (size_t)length >= sizeof name ||
      sscanf(rest, is_define ? " %d" : " = %d", &stated) != 1)
    return 0;
  snprintf(name, sizeof name, "%.*s", length, start);
  ck_assert_msg(find(name, &held), "APIKEYS_%s is missing in the table", name);
  ck_assert_msg(stated == held, "APIKEYS_%s is %d in the header, %d in the table", name, stated,
                held);
  return 1;
}

static int check_header(const char *path) {
  static char text[1 << 18];
  FILE *file = fopen(path, "r");
  ck_assert_ptr_nonnull(file);
  text[0] = '\n'; /* so that there is something to look back at */
  memset(text, '\n', 16);
  size_t length = fread(text + 16, 1, sizeof text - 17, file);
  fclose(file);
  text[16 + length] = '\0';
  int found = 0;
  for (const char *at = strstr(text, "APIKEYS_"); at != NULL; at = strstr(at + 1, "APIKEYS_"))
    found += check_constant(at);
  return found;
}

START_TEST(the_table_is_what_the_headers_say) {
  ck_assert_int_eq(for_each_header(check_header), (int)apikeys_constant_count());
}
END_TEST

START_TEST(beyond_the_table_there_is_nothing) {
  ck_assert_str_eq(apikeys_constant_name(apikeys_constant_count()), "");
  ck_assert_int_eq(apikeys_constant_value((size_t)-1), 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("constants");
  TCase *tcase = tcase_create("table");
  tcase_add_test(tcase, the_table_is_what_the_headers_say);
  tcase_add_test(tcase, beyond_the_table_there_is_nothing);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
