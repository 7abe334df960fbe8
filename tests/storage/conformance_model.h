/* SPDX-License-Identifier: MIT */
/* Random records and queries, and a model of one kind: what the store should hold and answer. */
#ifndef STORAGE_CONFORMANCE_MODEL_H
#define STORAGE_CONFORMANCE_MODEL_H

#include "conformance_fixture.h"

unsigned cf_random_below(unsigned bound);
void cf_seed_random(int seed);

/* What random records have in their texts. */
enum { CF_TEXTS = 14 };
extern const char *const cf_texts[CF_TEXTS];

enum { MODEL_MAX = 256 };

struct model {
  int kind;
  int count;
  apikeys_record *records[MODEL_MAX];
};

void cf_model_free(struct model *model);
void cf_model_copy(struct model *to, const struct model *from);

struct index_key {
  unsigned char bytes[APIKEYS_INDEX_KEY_MAX];
  size_t length;
  const apikeys_record *record;
};

/* False for a record that a sparse index leaves out. */
bool cf_make_key(struct index_key *key, const apikeys_record *record, int index);

/* The store answers what the model does: a query, and all of each index. */
void cf_assert_answers(apikeys_transaction *transaction, const struct model *model,
                       const apikeys_query *query);
void cf_assert_holds(apikeys_transaction *transaction, const struct model *model);

/* `domain`: how many values there are where unique indexes tell records apart. */
apikeys_query *cf_random_query(int kind, unsigned domain);
void cf_change_at_random(struct model *model, apikeys_transaction *transaction, unsigned domain);
void cf_insert_many(struct model *model, unsigned domain, int how_many); /* and commit */

#endif
