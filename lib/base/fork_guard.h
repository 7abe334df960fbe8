/* SPDX-License-Identifier: MIT */
/*
 * Which process is this? A number that differs between a process and its forked children, read
 * without a system call: one load.
 */
#ifndef AK_BASE_FORK_GUARD_H
#define AK_BASE_FORK_GUARD_H

#include <stdint.h>

/* Never 0. The same in all threads of a process; another in each child made by
 * fork() or clone(). */
uint64_t ak_process_stamp(void);

#endif
