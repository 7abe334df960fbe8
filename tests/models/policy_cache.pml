/* SPDX-License-Identifier: MIT */
/*
 * lib/cache/policy_cache.c and ask_once() in lib/validate/validate.c: the policy is remembered under the generation
 * that was given before it was read, and used with a key that is read in a transaction of its own.
 *
 * Each change alters both, so that a decision is of one state of the store if it is made from the
 * same number twice. A transaction sees the state as it is when it begins.
 *
 * Claims: a decision is of one state, and of none before a change that was acknowledged when the
 * validation started; and a validation ends, however often it is disturbed. check.sh also checks
 * that each of these mistakes is found:
 *
 *   -DNEVER_ASKED_AGAIN  what stands is used without asking for the generation behind it
 *   -DASKED_AGAIN_EARLY  it is asked for before the transaction begins
 *   -DUNDER_A_LATE_ONE   what was read is remembered under a generation given after it was read
 *   -DSTANDS_FOR_EVER    what stands is used whatever generation it was read under
 *   -DGENERATION_LATE    the store's generation moves after the change was acknowledged
 *
 * The lock of what stands makes each look at it, and each change of it, one step.
 */
#define READERS 2
#define CHANGES 2

byte state = 0;        /* what is in the store: the number of changes so far */
byte generation = 0;
byte acknowledged = 0; /* the newest change whose commit has returned */

bool has_policy = false;
byte policy_generation;
byte policy;

active proctype writer() {
  byte i;
  for (i : 1 .. CHANGES) {
#ifdef GENERATION_LATE
    state = i;
    acknowledged = i;
    generation = i
#else
    atomic { generation = i; state = i }
    acknowledged = i
#endif
  }
}

active [READERS] proctype reader() {
  byte known, before, again, seen, found;
  bool standing = true, stood, whole = false;
  byte tries = 0;
  known = acknowledged; /* the validation starts */
  do
  :: !whole ->
    assert(tries < 2); /* what stands is used in the first try only */
    tries++;
    stood = false;
    before = generation;
#ifdef ASKED_AGAIN_EARLY
    again = generation;
#endif
    seen = state; /* the transaction begins, and sees this: the key, and the policy if asked */
    atomic {
      if
#ifdef STANDS_FOR_EVER
      :: standing && has_policy -> found = policy; stood = true
#else
      :: standing && has_policy && policy_generation == before -> found = policy; stood = true
#endif
      :: else -> found = seen
      fi
    }
#ifdef UNDER_A_LATE_ONE
    if
    :: standing && !stood -> before = generation
    :: else -> skip
    fi;
#endif
    atomic {
      if
      :: standing && !stood -> has_policy = true; policy_generation = before; policy = found
      :: else -> skip
      fi
    }
#ifndef ASKED_AGAIN_EARLY
    again = generation;
#endif
#ifdef NEVER_ASKED_AGAIN
    whole = true;
#else
    whole = (!stood || again == before);
#endif
    standing = whole
  :: else -> break
  od;
  assert(found == seen);
  assert(seen >= known)
}
