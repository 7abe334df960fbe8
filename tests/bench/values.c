/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* MAP_POPULATE */
#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void bench_set_make(struct bench_set *set, size_t count, size_t text_max) {
  set->count = count;
  set->stride = (2 + text_max + 1 + 63) / 64 * 64;
  set->bytes = bench_alloc(count * set->stride);
  set->mapped = 0;
}

void bench_set_put(struct bench_set *set, size_t i, const char *text, size_t length) {
  unsigned char *entry = set->bytes + i * set->stride;
  if (length + 3 > set->stride)
    bench_fail("a text of %zu bytes in a set of shorter ones", length);
  entry[0] = (unsigned char)length;
  entry[1] = (unsigned char)(length >> 8);
  memcpy(entry + 2, text, length);
}

void bench_set_release(struct bench_set *set) {
  if (set->mapped > 0)
    munmap(set->bytes, set->mapped);
  else
    free(set->bytes);
  set->bytes = NULL;
}

/* These are secrets of a store that lives as long as the benchmark: readable by its user alone. */
void bench_set_save(const struct bench_set *set, const char *path) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
  if (file == NULL)
    bench_fail("cannot write %s", path);
  if (fwrite(set->bytes, set->stride, set->count, file) != set->count || fclose(file) != 0)
    bench_fail("cannot write %s", path);
}

void bench_set_map(struct bench_set *set, const char *path) {
  struct stat status;
  int fd = open(path, O_RDONLY);
  if (fd < 0 || fstat(fd, &status) != 0)
    bench_fail("cannot read %s", path);
  set->stride = 64;
  set->mapped = (size_t)status.st_size;
  set->count = set->mapped / set->stride;
  set->bytes = mmap(NULL, set->mapped, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
  close(fd);
  if (set->bytes == MAP_FAILED)
    bench_fail("cannot map %s", path);
}
