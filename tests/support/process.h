/* SPDX-License-Identifier: MIT */
/*
 * A process beside the test's own, with a pipe to it and one back. It does not assert, which is for
 * the test's own: it says on standard error what failed, and ends.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* In a function of the other process that gives 0 if all is well. */
#define CHECK(condition)                                                                           \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      fprintf(stderr, "%s:%d: in the other process: %s\n", __FILE__, __LINE__, #condition);        \
      return 1;                                                                                    \
    }                                                                                              \
  } while (0)

struct process {
  pid_t pid;
  int in, out; /* on either side: what comes from the other, what goes there */
};

/* Forks: before anything is open that the other should not have. `life` gives its exit status. */
void process_start(struct process *process, int (*life)(struct process *));

/* Whether all of it went or came. */
int process_send(const struct process *process, const void *bytes, size_t length);
int process_receive(const struct process *process, void *bytes, size_t length);

/* No more is sent: the other ends, and well. */
void process_finish(struct process *process);
void await_good_end(pid_t pid);

#endif
