/* SPDX-License-Identifier: MIT */
/*
 * Prefixes that public rules of secret scanners (those of gitleaks, trufflehog and GitHub) claim
 * for one company, in a form that our 54 characters behind the prefix meet as well.
 */
#include "crypto/known_prefixes.h"

#include <string.h>

static const char *const known[][2] = {
    {"sk_live", "Stripe"},
    {"sk_test", "Stripe"},
    {"sk_prod", "Stripe"},
    {"rk_live", "Stripe"},
    {"rk_test", "Stripe"},
    {"rk_prod", "Stripe"},
    {"pk_live", "Stripe"},
    {"pk_test", "Stripe"},
    {"whsec", "Stripe"},
    {"ghp", "GitHub"},
    {"gho", "GitHub"},
    {"ghu", "GitHub"},
    {"ghs", "GitHub"},
    {"ghr", "GitHub"},
    {"github_pat", "GitHub"},
    {"npm", "npm"},
    {"hf", "Hugging Face"},
    {"dckr_pat", "Docker"},
    {"gsk", "Groq"},
    {"r8", "Replicate"},
    {"sbp", "Supabase"},
    {"shpat", "Shopify"},
    {"shpca", "Shopify"},
    {"shppa", "Shopify"},
    {"shpss", "Shopify"},
    {"lin_api", "Linear"},
    {"ntn", "Notion"},
    {"rubygems", "RubyGems"},
    {"dop_v1", "DigitalOcean"},
    {"figd", "Figma"},
    {"sntrys", "Sentry"},
    {"pscale_tkn", "PlanetScale"},
};

const char *ak_known_prefix_owner(const char *prefix, size_t length) {
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (strlen(known[i][0]) == length && memcmp(known[i][0], prefix, length) == 0)
      return known[i][1];
  return NULL;
}
