/* SPDX-License-Identifier: MIT */
/* The CRC-32 of zlib and IEEE 802.3, of texts that hold secrets. Pure. */
#ifndef AK_CRYPTO_CRC32_H
#define AK_CRYPTO_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Its time depends on `length` alone. */
uint32_t ak_crc32(const char *text, size_t length);

#endif
