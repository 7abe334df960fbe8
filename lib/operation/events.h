/* SPDX-License-Identifier: MIT */
/* Events: appended inside the change's transaction, delivered after it. */
#ifndef AK_OPERATION_EVENTS_H
#define AK_OPERATION_EVENTS_H

#include "objects/object_json.h"
#include "operation/operation.h"

/*
 * Append an event about `record` (as it is after the change), which belongs to
 * `organization_id` ("" for none). With `before`, the previous attributes are added.
 */
int ak_event_append(struct ak_op *op, const char *type, const char *organization_id,
                    const apikeys_record *record, const apikeys_record *before,
                    const struct ak_object_json_extra *extra);

/* The number of the oldest event that was kept. */
int ak_event_floor(struct ak_op *op, int64_t *floor);

/*
 * Remove the oldest events that are from before this time, as many as the budget allows, and move
 * the floor in `environment`, which the caller stores if *pruned is not 0.
 */
int ak_events_prune(struct ak_op *op, apikeys_record *environment, int64_t before_ms,
                    struct ak_budget *budget, uint64_t *pruned);

#endif
