/* SPDX-License-Identifier: MIT */
#include "support/process.h"

#include <check.h>
#include <sys/wait.h>
#include <unistd.h>

void process_start(struct process *process, int (*life)(struct process *)) {
  int there[2], back[2];
  ck_assert_int_eq(pipe(there), 0);
  ck_assert_int_eq(pipe(back), 0);
  fflush(NULL); /* what Check has buffered is not the child's to write */
  process->pid = fork();
  if (process->pid == 0) {
    close(there[1]);
    close(back[0]);
    process->in = there[0];
    process->out = back[1];
    _exit(life(process));
  }
  ck_assert_int_gt(process->pid, 0);
  close(there[0]);
  close(back[1]);
  process->in = back[0];
  process->out = there[1];
}

int process_send(const struct process *process, const void *bytes, size_t length) {
  return write(process->out, bytes, length) == (ssize_t)length;
}

int process_receive(const struct process *process, void *bytes, size_t length) {
  return read(process->in, bytes, length) == (ssize_t)length;
}

void process_finish(struct process *process) {
  close(process->out);
  await_good_end(process->pid);
  close(process->in);
}

void await_good_end(pid_t pid) {
  int status;
  ck_assert_int_eq(waitpid(pid, &status, 0), pid);
  ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "process %d ended with status %d",
                (int)pid, status);
}
