/* SPDX-License-Identifier: MIT */
#include "support/expect.h"
#include "support/suite.h"

#include <stdlib.h>

#define BAD(text)                                                                                  \
  { text, sizeof(text) - 1 }
const struct bad_text bad_texts[] = {
    BAD("a\xff z"),          /* never a byte of UTF-8 */
    BAD("\xc0\xaf"),         /* an overlong slash */
    BAD("\xed\xa0\x80"),     /* half a surrogate pair */
    BAD("\xf4\x90\x80\x80"), /* beyond the last code point */
    BAD("cut \xe2\x82"),     /* the third byte is missing */
    BAD("two\nlines"),
    BAD("\ttab"),
    BAD("bell\x07"),
    BAD("delete\x7f"),
    BAD("next line \xc2\x85"),
    BAD("nul\0inside"),
};
const size_t bad_text_count = sizeof bad_texts / sizeof bad_texts[0];

const char *long_text(size_t length) {
  static char text[8192];
  ck_assert_uint_lt(length, sizeof text);
  memset(text, 'x', length);
  text[length] = '\0';
  return text;
}

void expect_event(struct world *world, const char *type, const char *data, const char *more) {
  apikeys_filter *filter = apikeys_filter_new();
  apikeys_page *page = apikeys_page_new();
  apikeys_filter_set_order(filter, APIKEYS_ORDER_NEWEST_FIRST);
  apikeys_filter_set_limit(filter, 1);
  ck_assert_int_eq(apikeys_event_list(world->env, world->system, filter, page, world->err), 0);
  const apikeys_event *event = apikeys_page_event(page, 0);
  ck_assert_str_eq(apikeys_event_type(event, NULL), type);
  const char *text = apikeys_event_data(event, NULL);
  if (data != NULL)
    ck_assert_msg(strstr(text, data) != NULL, "%s is not in %s", data, text);
  if (more != NULL)
    ck_assert_msg(strstr(text, more) != NULL, "%s is not in %s", more, text);
  apikeys_page_free(page);
  apikeys_filter_free(filter);
}

int run_on_each_backend(const char *suite_name, const TTest *const *tests, size_t count) {
  Suite *suite = suite_create(suite_name);
  TCase *tcase = tcase_create("on each back-end");
  for (size_t i = 0; i < count; i++)
    tcase_add_loop_test(tcase, tests[i], 0, BACKEND_COUNT);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
