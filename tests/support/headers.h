/* SPDX-License-Identifier: MIT */
#ifndef HEADERS_H
#define HEADERS_H

/* The sum of what `check` gives for each public header's path. */
int for_each_header(int (*check)(const char *path));

#endif
