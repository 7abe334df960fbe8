/* SPDX-License-Identifier: MIT */
/* Walking all keys, a read transaction a page. */
#include "domain/key_walk.h"

#include "base/arithmetic.h"
#include "operation/list.h"

static int collect_page(struct ak_op *op, const apikeys_page *page, ak_key_wanted is_wanted,
                        void *data, int64_t *from, struct ak_key_numbers *numbers, bool *done) {
  int rc = APIKEYS_OK;
  for (size_t i = 0; rc == APIKEYS_OK && i < page->count; i++) {
    const apikeys_record *key = &page->objects[i]->record;
    int64_t number = apikeys_record_integer(key, AK_NUMBER);
    bool wanted = is_wanted == NULL;
    if (is_wanted != NULL)
      rc = is_wanted(op, key, data, &wanted);
    if (wanted)
      numbers->list[numbers->count++] = number;
    if (!ak_number_after(number, from))
      *done = true;
  }
  return rc;
}

int ak_keys_collect(apikeys_env *env, const apikeys_query *query, ak_key_wanted is_wanted,
                    void *data, int64_t *from, struct ak_key_numbers *numbers, bool *done) {
  struct ak_op op;
  numbers->count = 0;
  int rc = ak_op_begin_internal(&op, env, APIKEYS_TRANSACTION_READ, NULL);
  if (rc != APIKEYS_OK)
    return rc;
  apikeys_page page;
  apikeys_query batch = *query;
  ak_query_from(&batch, *from);
  batch.limit = AK_BUDGET;
  ak_page_init(&page, AK_API_KEY);
  rc = ak_scan(&op.transaction, &batch, ak_page_visit, &page);
  *done = page.count < AK_BUDGET;
  if (rc == APIKEYS_OK)
    rc = collect_page(&op, &page, is_wanted, data, from, numbers, done);
  ak_page_release(&page);
  return ak_op_end(&op, rc);
}

int ak_key_of_number(struct ak_op *op, int64_t number, apikeys_record *key) {
  apikeys_query query;
  int64_t next = number;
  ak_query_any(&query, AK_API_KEY, AK_API_KEY_BY_NUMBER);
  ak_query_from(&query, number);
  if (ak_number_after(number, &next))
    ak_query_until(&query, next);
  return ak_get(&op->transaction, &query, key);
}
