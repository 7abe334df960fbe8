/* SPDX-License-Identifier: MIT */
/*
 * The usual table of 256 words would be indexed by the secret. But a CRC is linear: what a word of
 * 32 bits becomes is the sum of what its bits become, each of which is a constant. So all bits are
 * looked at, each selects its constant by a mask, and none waits for another.
 */
#include "crypto/crc32.h"

#include "crypto/constant_time.h"

/* What bit i becomes by 32 steps of the register. */
static const uint32_t bits_after_a_word[8][4] = {
    {0xb8bc6765, 0xaa09c88b, 0x8f629757, 0xc5b428ef},
    {0x5019579f, 0xa032af3e, 0x9b14583d, 0xed59b63b},
    {0x01c26a37, 0x0384d46e, 0x0709a8dc, 0x0e1351b8},
    {0x1c26a370, 0x384d46e0, 0x709a8dc0, 0xe1351b80},
    {0x191b3141, 0x32366282, 0x646cc504, 0xc8d98a08},
    {0x4ac21251, 0x958424a2, 0xf0794f05, 0x3b83984b},
    {0x77073096, 0xee0e612c, 0x076dc419, 0x0edb8832},
    {0x1db71064, 0x3b6e20c8, 0x76dc4190, 0xedb88320},
};

#if (defined(__GNUC__) || defined(__clang__)) && (defined(__SSE2__) || defined(__ARM_NEON))

/* Four bits at a time; comparing makes the masks, on processors where that is one instruction. */
typedef uint32_t four __attribute__((vector_size(16)));

static uint32_t advance_word(uint32_t word) {
  const four all = {word, word, word, word};
  four bit = {1, 2, 4, 8}, sum = {0};
  for (int i = 0; i < 8; i++, bit <<= 4) {
    const uint32_t *becomes = bits_after_a_word[i];
    const four constants = {becomes[0], becomes[1], becomes[2], becomes[3]};
    sum ^= (four)((all & bit) == bit) & constants;
  }
  return sum[0] ^ sum[1] ^ sum[2] ^ sum[3];
}

#else

static uint32_t advance_word(uint32_t word) {
  uint32_t sum = 0;
  for (int i = 0; i < 32; i++)
    sum ^= (0u - ak_opaque(word >> i & 1)) & bits_after_a_word[i / 4][i % 4];
  return sum;
}

#endif

static uint32_t little_endian(const char *text, size_t length) {
  uint32_t word = 0;
  for (size_t i = 0; i < length; i++)
    word |= (uint32_t)(unsigned char)text[i] << (8 * i);
  return word;
}

/* Fewer bytes than a word are the upper ones of it: what is below has left the register by then. */
uint32_t ak_crc32(const char *text, size_t length) {
  uint32_t crc = UINT32_MAX;
  size_t at = 0;
  for (; at + 4 <= length; at += 4)
    crc = advance_word(crc ^ little_endian(text + at, 4));
  unsigned bits = (unsigned)(length - at) * 8;
  if (bits > 0)
    crc = crc >> bits ^ advance_word((crc ^ little_endian(text + at, length - at)) << (32 - bits));
  return ~crc;
}
