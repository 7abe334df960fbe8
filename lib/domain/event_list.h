/* SPDX-License-Identifier: MIT */
#ifndef AK_DOMAIN_EVENT_LIST_H
#define AK_DOMAIN_EVENT_LIST_H

#include "operation/list.h"

/* Look up the acting members' names, as they are now, for a page of events. */
int ak_event_join_names(struct ak_op *op, apikeys_page *page);

#endif
