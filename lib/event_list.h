/* SPDX-License-Identifier: MIT */
#ifndef AK_EVENT_LIST_H
#define AK_EVENT_LIST_H

#include "list.h"

/* Look up the acting members' names, as they are now, for a page of events. */
int ak_event_join_names(struct ak_call *call, apikeys_page *page);

#endif
