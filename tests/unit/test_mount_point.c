/* SPDX-License-Identifier: MIT */
/* Mount points by a list like /proc/self/mountinfo, as older kernels are asked. */
#include "storage/mount_point.h"
#include "support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char directory[] = "/tmp/apikeys-mounts-XXXXXX";
static char mountinfo[128], mounted[128], blank[128], beside[128];

static void make_file(char path[128], const char *name, const char *text) {
  snprintf(path, 128, "%s/%s", directory, name);
  FILE *file = fopen(path, "w");
  ck_assert_ptr_nonnull(file);
  fputs(text, file);
  fclose(file);
}

static void setup(void) {
  char text[1024];
  strcpy(directory + strlen(directory) - 6, "XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(directory));
  make_file(mounted, "keys.db", "");
  make_file(blank, "a \\ key.db", "");
  make_file(beside, "keys.db2", "");
  snprintf(text, sizeof text,
           "36 35 98:0 / / rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n"
           "broken line\n"
           "40 36 98:0 /keys.db %s rw,relatime shared:2 - ext4 /dev/sda1 rw\n"
           "41 36 98:0 /other %s/a\\040\\134\\040key.db rw - ext4 /dev/sda1 rw\n",
           mounted, directory);
  make_file(mountinfo, "mountinfo", text);
}

static void teardown(void) {
  unlink(mountinfo);
  unlink(mounted);
  unlink(blank);
  unlink(beside);
  rmdir(directory);
}

START_TEST(a_mounted_file_is_found) {
  ck_assert_int_eq(ak_mountinfo_lists(mountinfo, mounted), 1);
  ck_assert_int_eq(ak_mountinfo_lists(mountinfo, blank), 1);
  ck_assert_int_eq(ak_mountinfo_lists(mountinfo, "/"), 1);
}
END_TEST

START_TEST(a_file_beside_it_is_not) {
  ck_assert_int_eq(ak_mountinfo_lists(mountinfo, beside), 0);
  ck_assert_int_eq(ak_mountinfo_lists(mountinfo, directory), 0);
  ck_assert_int_eq(ak_mountinfo_lists(mountinfo, "/nowhere"), 0);
  ck_assert_int_eq(ak_mountinfo_lists("/nowhere", mounted), 0);
}
END_TEST

START_TEST(both_ways_say_the_same_of_this_system) {
  static const char *const paths[] = {"/", "/proc", "/dev", "/etc", "/usr/bin", "/tmp"};
  if (access("/proc/self/mountinfo", R_OK) != 0)
    return;
  for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
    if (access(paths[i], F_OK) == 0)
      ck_assert_msg(ak_mountinfo_lists("/proc/self/mountinfo", paths[i]) ==
                        ak_is_mount_point(paths[i]),
                    "%s", paths[i]);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("mount point");
  TCase *tests = tcase_create("mount point");
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, a_mounted_file_is_found);
  tcase_add_test(tests, a_file_beside_it_is_not);
  tcase_add_test(tests, both_ways_say_the_same_of_this_system);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
