/* SPDX-License-Identifier: MIT */
/* What we ask of compilers beyond C11; one that cannot do it ignores it. */
#ifndef AK_BASE_COMPILER_H
#define AK_BASE_COMPILER_H

#ifdef __has_attribute
#if __has_attribute(uninitialized)
/* For large buffers of which little is used: hardening would fill them with zeros first. */
#define AK_UNINITIALIZED __attribute__((uninitialized))
#endif
#if __has_attribute(noinline)
/* For what is rarely called from where every nanosecond counts. */
#define AK_NOINLINE __attribute__((noinline))
#endif
#endif

#ifndef AK_UNINITIALIZED
#define AK_UNINITIALIZED
#endif
#ifndef AK_NOINLINE
#define AK_NOINLINE
#endif

#endif
