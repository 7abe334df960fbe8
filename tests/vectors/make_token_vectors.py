#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the test vectors for the key's text, from a second implementation of it.

    python3 make_token_vectors.py valid > token_values.txt
    python3 make_token_vectors.py malformed > token_malformed.txt
"""
import hashlib
import sys
import zlib

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def checksum(text):
    crc = zlib.crc32(text.encode("latin-1"))
    digits = ""
    for _ in range(6):
        crc, digit = divmod(crc, 62)
        digits = ALPHABET[digit] + digits
    return digits


def value_of(prefix, random):
    drawn = [ALPHABET[byte & 63] for byte in random if byte & 63 < 62][:48]
    assert len(drawn) == 48
    lookup_id, secret = "".join(drawn[:16]), "".join(drawn[16:])
    start = prefix + "_" + lookup_id + secret
    return lookup_id, secret, checksum(start), start + checksum(start)


def stream(seed, length):
    return hashlib.shake_256(seed.encode()).digest(length)


VALID = [
    ("sk", bytes(range(64)) + bytes(64)),
    ("sk", bytes(128)),
    ("sk", b"\x3d" * 128),
    ("sk", b"\xff" * 64 + b"\x0a" * 64),  # a first round of which nothing can be used
    ("a", stream("one letter", 128)),
    ("acme_live", stream("with an underscore", 128)),
    ("a__b0", stream("with two", 128)),
    ("abcdefghijklmnopqrstuvwx", stream("the longest prefix", 128)),
] + [("sk", stream("stream %d" % i, 128)) for i in range(8)]


def leading_zeros():
    """Checksums that begin with zeros, so that the padding is tested."""
    found = {}
    for i in range(200000):
        random = stream("padding %d" % i, 128)
        digits = value_of("sk", random)[2]
        zeros = len(digits) - len(digits.lstrip("0"))
        if zeros >= 1 and zeros not in found:
            found[zeros] = ("sk", random)
        if len(found) == 3:
            break
    return [found[zeros] for zeros in sorted(found)]


def print_valid():
    print("# Values made from known random bytes. The source is asked for 64 bytes at a time; the low six")
    print("# bits of each byte are a base62 digit, bytes where they are 62 or 63 are passed over. The first")
    print("# 16 digits are the lookup id, the next 32 the secret. The checksum is the CRC-32 of all before")
    print("# it, as six base62 digits. The digest is the BLAKE2b-256 of the value.")
    for prefix, random in VALID + leading_zeros():
        lookup_id, secret, check, value = value_of(prefix, random)
        print()
        print("prefix", prefix)
        print("random", random.hex())
        print("lookup_id", lookup_id)
        print("secret", secret)
        print("checksum", check)
        print("value", value)
        print("digest", hashlib.blake2b(value.encode(), digest_size=32).hexdigest())
        print("obfuscated", prefix + "_..." + value[-4:])


def print_malformed():
    good = value_of("sk", stream("malformed", 128))[3]
    other = value_of("sk", stream("other", 128))[3]
    body = good[3:]

    def with_sum(start):
        return start + checksum(start)

    cases = [
        ("empty", ""),
        ("only the prefix", "sk_"),
        ("no prefix", body),
        ("empty prefix", "_" + body),
        ("empty prefix, checksum recomputed", with_sum("_" + body[:48])),
        ("prefix begins with a digit, checksum recomputed", with_sum("1k_" + body[:48])),
        ("prefix begins with an underscore, checksum recomputed", with_sum("_sk_" + body[:48])),
        ("prefix ends with an underscore, checksum recomputed", with_sum("sk__" + body[:48])),
        ("prefix in upper case, checksum recomputed", with_sum("SK_" + body[:48])),
        ("prefix with a hyphen, checksum recomputed", with_sum("s-k_" + body[:48])),
        ("prefix of 25 characters, checksum recomputed", with_sum("a" * 25 + "_" + body[:48])),
        ("another prefix, old checksum", "pk_" + body),
        ("body one character short, checksum recomputed", with_sum("sk_" + body[:47])),
        ("body one character long, checksum recomputed", with_sum("sk_" + body[:48] + "0")),
        ("underscore in the body, checksum recomputed", with_sum("sk_" + body[:20] + "_" + body[21:48])),
        ("hyphen in the secret, checksum recomputed", with_sum("sk_" + body[:20] + "-" + body[21:48])),
        ("NUL in the secret, checksum recomputed", with_sum("sk_" + body[:20] + "\0" + body[21:48])),
        ("byte ff in the secret, checksum recomputed", with_sum("sk_" + body[:20] + "\xff" + body[21:48])),
        ("fullwidth digit in the secret", "sk_" + body[:20] + "\xef\xbc\x90" + body[23:]),
        ("no separator, checksum recomputed", with_sum("skx" + body[:48])),
        ("checksum of another value", good[:-6] + other[-6:]),
        ("checksum zero", good[:-6] + "000000"),
        ("checksum above 32 bits", good[:-6] + "zzzzzz"),
        ("checksum reversed", good[:-6] + good[:-7:-1]),
        ("letter case swapped", good.swapcase()),
        ("all upper case", good.upper()),
        ("space in front", " " + good),
        ("space behind", good + " "),
        ("line end behind", good + "\n"),
        ("NUL behind", good + "\0"),
        ("in quotes", '"' + good + '"'),
        ("with its scheme", "Bearer " + good),
        ("twice", good + good),
        ("obfuscated", "sk_..." + good[-4:]),
    ]
    print("# Texts that are not values: the text with \\xNN for bytes that do not print, a tab, the reason.")
    for reason, text in cases:
        shown = "".join(c if 32 < ord(c) < 127 and c != "\\" else "\\x%02x" % ord(c) for c in text)
        print(shown + "\t" + reason)


if __name__ == "__main__":
    {"valid": print_valid, "malformed": print_malformed}[sys.argv[1]]()
