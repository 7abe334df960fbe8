/* SPDX-License-Identifier: MIT */
/*
 * The public calls as steps that a fault can be put into: each makes one change (or reads), and a
 * change can be looked for afterwards. A step that failed may be run again and again.
 */
#ifndef STEPS_H
#define STEPS_H

#include "support/world.h"

struct stage {
  struct world world;
  char organization[64];
  struct made_key good;   /* is never changed */
  struct made_key victim; /* what the step at hand acts on */
  char victim_organization[64];
  char token[APIKEYS_WIDGET_TOKEN_MAX]; /* a good one */
  char text[32];                        /* a name that nothing had before */
  int serial;
  const char *wrong; /* what a step saw that must not be; NULL: nothing */
};

struct step {
  const char *name;
  void (*prepare)(struct stage *stage); /* may be NULL */
  int (*run)(struct stage *stage);      /* makes every object that it uses */
  int (*seen)(struct stage *stage);     /* 1: the change is there; NULL: there is none to see */
  int rotates;                          /* of unknown outcome, it needs an open to go on */
  int goes_on; /* it has several transactions: what fails behind the first is left to maintenance */
};

extern const struct step steps[];
extern const size_t step_count;

/* In a world whose environment was just opened. */
void stage_furnish(struct stage *stage);

/* Everything that a step needs is as before its first run; returns the last event's number. */
int64_t step_begin(struct stage *stage, const struct step *step);

/*
 * What must hold after the step returned `rc`: a change and its event are both there if it was
 * good, neither if it failed, both or neither if the outcome is unknown; and the environment works.
 */
void step_end(struct stage *stage, const struct step *step, int rc, int64_t event_before,
              const char *where);

#endif
