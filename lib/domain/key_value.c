/* SPDX-License-Identifier: MIT */
/* Makes, seals and verifies the value of a key. The only file that sees a value beside its
 * record. */
#include "domain/key_value.h"

#include "storage/schema.h"

#include <string.h>

enum { KEY_VALUE_SEALED_BYTES = AK_DIGEST_BYTES + AK_SEALED_OVERHEAD };

/*
 * What the seal binds the digest to, as one digest of fixed length. The root version is among
 * it: an old row copied over a newer one does not open.
 */
static void associate_key_value(uint8_t out[AK_DIGEST_BYTES], const apikeys_record *key,
                                int64_t root_version) {
  static const int fields[] = {AK_ID, AK_API_KEY_LOOKUP_ID, AK_API_KEY_ORGANIZATION_ID,
                               AK_API_KEY_USER_ID};
  enum { TEXTS = sizeof fields / sizeof fields[0] };
  uint8_t numbers[3];
  numbers[0] = (uint8_t)apikeys_record_integer(key, AK_API_KEY_SCHEME);
  numbers[1] = (uint8_t)apikeys_record_integer(key, AK_API_KEY_OWNER_TYPE);
  numbers[2] = (uint8_t)root_version; /* the seal's key differs with all of it */
  struct ak_piece pieces[TEXTS + 1];
  for (size_t i = 0; i < TEXTS; i++)
    pieces[i].bytes = apikeys_record_text(key, fields[i], &pieces[i].length);
  pieces[TEXTS].bytes = numbers;
  pieces[TEXTS].length = sizeof numbers;
  ak_digest_pieces(out, pieces, TEXTS + 1);
}

static int seal_key_value(apikeys_env *env, apikeys_record *key,
                          const uint8_t digest[AK_DIGEST_BYTES], const struct ak_secrets *secrets,
                          int64_t root_version) {
  uint8_t associated[AK_DIGEST_BYTES], sealed[KEY_VALUE_SEALED_BYTES];
  struct ak_random random = ak_random_source(&env->options);
  associate_key_value(associated, key, root_version);
  int rc = ak_seal(sealed, digest, AK_DIGEST_BYTES, associated, sizeof associated, secrets->seal,
                   &random);
  if (rc != APIKEYS_OK)
    return rc;
  rc = apikeys_record_set_blob(key, AK_API_KEY_SEALED, sealed, sizeof sealed);
  return rc == APIKEYS_OK ? apikeys_record_set_integer(key, AK_API_KEY_ROOT_VERSION, root_version)
                          : rc;
}

static int unseal(const apikeys_record *key, uint8_t digest[AK_DIGEST_BYTES],
                  const struct ak_secrets *secrets) {
  size_t length;
  const uint8_t *sealed = apikeys_record_blob(key, AK_API_KEY_SEALED, &length);
  if (apikeys_record_integer(key, AK_API_KEY_SCHEME) != AK_SCHEME_BLAKE2B_XCHACHA20 ||
      length != KEY_VALUE_SEALED_BYTES)
    return APIKEYS_ERROR_CORRUPT;
  uint8_t associated[AK_DIGEST_BYTES];
  associate_key_value(associated, key, apikeys_record_integer(key, AK_API_KEY_ROOT_VERSION));
  return ak_open(digest, sealed, length, associated, sizeof associated, secrets->seal) == 0
             ? APIKEYS_OK
             : APIKEYS_ERROR_CORRUPT;
}

static int describe_key_value(apikeys_record *key, const struct ak_secret_text *value) {
  struct ak_key_text token;
  char obfuscated[AK_OBFUSCATED_MAX + 1];
  int rc = ak_key_text_parse(&token, value->text, value->length);
  if (rc != APIKEYS_OK)
    return APIKEYS_ERROR_RANDOM;
  size_t length = ak_key_text_obfuscate(obfuscated, value->text, value->length);
  apikeys_record_set_text(key, AK_API_KEY_LOOKUP_ID, token.lookup_id, AK_LOOKUP_ID_LENGTH);
  apikeys_record_set_text(key, AK_API_KEY_OBFUSCATED, obfuscated, length);
  apikeys_record_set_integer(key, AK_API_KEY_SCHEME, AK_SCHEME_BLAKE2B_XCHACHA20);
  return ak_record_status(key);
}

static int make(apikeys_env *env, apikeys_record *key, const apikeys_record *environment,
                struct ak_secret_text *value, struct ak_secrets *secrets, uint8_t *digest) {
  struct ak_random random = ak_random_source(&env->options);
  size_t prefix_length;
  const char *prefix = apikeys_record_text(environment, AK_ENVIRONMENT_PREFIX, &prefix_length);
  int rc = ak_env_secrets(env, apikeys_record_integer(environment, AK_ENVIRONMENT_ROOT_VERSION),
                          secrets);
  if (rc == APIKEYS_OK && ak_prefix_check(prefix, prefix_length) != 0)
    rc = APIKEYS_ERROR_CORRUPT;
  if (rc == APIKEYS_OK)
    rc = ak_key_text_generate(value->text, &value->length, prefix, prefix_length, &random);
  if (rc == APIKEYS_OK)
    rc = describe_key_value(key, value);
  if (rc != APIKEYS_OK)
    return rc;
  ak_digest(digest, value->text, value->length);
  return seal_key_value(env, key, digest, secrets, secrets->version);
}

int ak_key_value_make(apikeys_env *env, apikeys_record *key, const apikeys_record *environment,
                      struct ak_secret_text *value) {
  struct ak_secrets secrets;
  uint8_t digest[AK_DIGEST_BYTES];
  int rc = make(env, key, environment, value, &secrets, digest);
  ak_wipe(&secrets, sizeof secrets);
  ak_wipe(digest, sizeof digest);
  if (rc != APIKEYS_OK)
    ak_wipe(value, sizeof *value);
  return rc;
}

int ak_key_value_verify(apikeys_env *env, const apikeys_record *key, const char *value,
                        size_t length) {
  struct ak_secrets secrets;
  uint8_t expected[AK_DIGEST_BYTES], presented[AK_DIGEST_BYTES];
  int rc = ak_env_secrets(env, apikeys_record_integer(key, AK_API_KEY_ROOT_VERSION), &secrets);
  if (rc == APIKEYS_OK)
    rc = unseal(key, expected, &secrets);
  if (rc == APIKEYS_OK) {
    ak_digest(presented, value, length);
    if (ak_secret_compare(expected, presented, sizeof expected) != 0)
      rc = APIKEYS_UNKNOWN;
  }
  ak_wipe(&secrets, sizeof secrets);
  ak_wipe(expected, sizeof expected);
  ak_wipe(presented, sizeof presented);
  return rc;
}

int ak_key_value_reseal(apikeys_env *env, apikeys_record *key, const struct ak_secrets *from,
                        const struct ak_secrets *to, int64_t to_version) {
  uint8_t digest[AK_DIGEST_BYTES];
  int rc = unseal(key, digest, from);
  if (rc == APIKEYS_OK)
    rc = seal_key_value(env, key, digest, to, to_version);
  ak_wipe(digest, sizeof digest);
  return rc;
}
