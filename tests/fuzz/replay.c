/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzzer's target once over each file given, or over each file of a directory given: the
 * corpus as an ordinary test, for compilers without libFuzzer.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX = 1 << 20, PATH_LENGTH = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int fail(const char *path) {
  fprintf(stderr, "cannot read %s\n", path);
  return -1;
}

/* From memory of exactly the file's size, so that a sanitizer sees a read beyond it. */
static int run_bytes(const uint8_t *bytes, size_t length) {
  uint8_t *copy = malloc(length > 0 ? length : 1);
  if (copy == NULL)
    return -1;
  memcpy(copy, bytes, length);
  LLVMFuzzerTestOneInput(copy, length);
  free(copy);
  return 0;
}

static int run_file(const char *path) {
  static uint8_t bytes[FILE_MAX];
  FILE *file = fopen(path, "rb");
  if (file == NULL)
    return fail(path);
  size_t length = fread(bytes, 1, sizeof bytes, file);
  int bad = ferror(file) != 0 || length == sizeof bytes;
  fclose(file);
  if (bad || run_bytes(bytes, length) != 0)
    return fail(path);
  return 1;
}

static int run_path(const char *path);

static int run_directory(const char *path) {
  char inside[PATH_LENGTH];
  struct dirent *entry;
  int count = 0;
  DIR *directory = opendir(path);
  if (directory == NULL)
    return fail(path);
  while (count >= 0 && (entry = readdir(directory)) != NULL) {
    if (entry->d_name[0] == '.')
      continue;
    int used = snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
    int ran = used > 0 && used < PATH_LENGTH ? run_path(inside) : fail(path);
    count = ran < 0 ? ran : count + ran;
  }
  closedir(directory);
  return count;
}

static int run_path(const char *path) {
  struct stat status;
  if (stat(path, &status) != 0)
    return fail(path);
  return S_ISDIR(status.st_mode) ? run_directory(path) : run_file(path);
}

int main(int argc, char **argv) {
  int count = 0;
  for (int i = 1; i < argc; i++) {
    int ran = run_path(argv[i]);
    if (ran < 0)
      return 1;
    count += ran;
  }
  printf("%d inputs\n", count);
  return count > 0 ? 0 : 1; /* a corpus that is not there tests nothing */
}
