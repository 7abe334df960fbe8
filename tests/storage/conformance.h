/* SPDX-License-Identifier: MIT */
/*
 * The suite that every storage back-end must pass. Link conformance*.c, Check and libapikeys with a
 * program like this one and run it; it needs no more of the library than the public headers:
 *
 *   static const struct storage_under_test mine = {.name = "mine", .open = open_mine};
 *   int main(void) { return storage_conformance_main(&mine); }
 *
 * Back-ends are exercised for every kind and index of the schema, whatever that is, so the suite
 * grows with the library. APIKEYS_SOAK in the environment makes the random tests longer.
 */
#ifndef STORAGE_CONFORMANCE_H
#define STORAGE_CONFORMANCE_H

#include <apikeys/storage.h>

struct storage_under_test {
  const char *name;

  /* Fill `out` with a new and empty store: 0, or a code. Called once or more for every test. */
  int (*open)(apikeys_storage *out);

  /*
   * Fill `out` with another handle on the store of the last open(), as another process would have:
   * after it was destroyed (APIKEYS_STORAGE_DURABLE) and while it is in use
   * (APIKEYS_STORAGE_MANY_PROCESSES). NULL where the store promises neither.
   */
  int (*reopen)(apikeys_storage *out);

  /* Remove what a test's stores left, after they were destroyed; may be NULL. */
  void (*cleanup)(void);

  /*
   * 1: a write transaction can begin and commit while a read transaction is open in the same
   * thread, which goes on seeing its state. 0: one of them waits for the other.
   */
  int snapshots;

  /* How many records to page through, a multiple of 100; 0: 10,000. */
  unsigned many_records;
};

/* Runs the suite, prints what Check prints, and gives what main() should return. */
int storage_conformance_main(const struct storage_under_test *under_test);

#endif
