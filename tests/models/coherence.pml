/* SPDX-License-Identifier: MIT */
/*
 * lib/cache/coherence.c and lib/cache/cache.c: fill, evict, generation, for one key in one slot. That a key has
 * two places is left to cache_places.pml, and what stands beside the cache to standing.pml.
 *
 * The store has the key's state, and a generation that moves with each change before the change is
 * acknowledged; a transaction sees the state as it is when it begins. Readers check the generation,
 * refresh if it has moved, look into the slot, and else read the store and put what they read. The
 * slot has a sequence number; a reader copies its two words one at a time.
 *
 * Claims: no validation that starts after an acknowledged change gives what was before it, and no
 * reader uses a torn copy. check.sh also checks that each of these mistakes is found:
 *
 *   -DPUT_UNCHECKED      an entry is put though an evictor has moved past what was read
 *   -DREAD_GENERATION_LATE  the generation to put under is read after the transaction began
 *   -DPUBLISH_EARLY      the generation is published before what changed is dropped
 *   -DGENERATION_LATE    the store's generation moves after the change was acknowledged
 *   -DSEQUENCE_UNCHECKED the sequence number is not looked at again after the copy
 *
 * Memory is sequentially consistent here. That the code's orderings suffice for that is argued in
 * lib/cache/cache.c (each word is written with release and read with acquire) and checked by
 * ThreadSanitizer and the history test.
 */
#define READERS 2
#define CHANGES 2
#define NONE 255

byte state = 0;        /* what is in the store: the number of changes so far */
byte generation = 0;
byte acknowledged = 0; /* the newest change whose commit has returned */

byte applied = NONE;
bool refreshing = false;
bool lock = false;     /* of the cache's writers */

byte sequence = 0;
bool taken = false;    /* the slot: two words that belong together */
byte word[2];

inline acquire() { atomic { !lock -> lock = true } }
inline release() { lock = false }

inline drop() {
  sequence = (sequence + 1) % 16;
  taken = false;
  word[0] = 0;
  word[1] = 0;
  sequence = (sequence + 1) % 16
}

inline put(seen) {
  sequence = (sequence + 1) % 16;
  taken = true;
  word[0] = seen;
  word[1] = seen;
  sequence = (sequence + 1) % 16
}

active proctype writer() {
  byte i;
  for (i : 1 .. CHANGES) {
#ifdef GENERATION_LATE
    state = i;
    acknowledged = i;
    generation = i
#else
    /* The commit: readers that begin now see the change; the generation has moved by then. */
    atomic { generation = i; state = i }
    acknowledged = i
#endif
  }
}

/* Two validations of one reader, so that what the first left behind meets the second; and one. */
active [READERS] proctype reader() {
  byte rounds = (_pid == 1 -> 2 : 1), round, known, asked, seen, before, copy[2];
  bool current, copied;
  for (round : 1 .. rounds) {
    known = acknowledged; /* the validation starts */
    current = false;
    copied = false;
    asked = generation;
    if
    :: applied == asked -> current = true
    :: else ->
      atomic {
        if
        :: !refreshing -> refreshing = true; current = true
        :: else -> skip
        fi
      }
      if
      :: current ->
        asked = generation;
        /* what changed since `applied` is read in a transaction, which the slot's key is among */
#ifdef PUBLISH_EARLY
        applied = asked;
#endif
        acquire();
        drop();
        applied = asked;
        release();
        refreshing = false
      :: else -> skip
      fi
    fi;
    if
    :: current ->
      before = sequence;
      if
      :: before % 2 == 0 && taken ->
        copy[0] = word[0];
        copy[1] = word[1];
#ifdef SEQUENCE_UNCHECKED
        copied = true
#else
        copied = (sequence == before)
#endif
      :: else -> skip
      fi
    :: else -> skip
    fi;
    if
    :: copied ->
      assert(copy[0] == copy[1]);
      assert(copy[0] >= known)
    :: else ->
      seen = state; /* the transaction begins, and sees this */
      assert(seen >= known);
#ifdef READ_GENERATION_LATE
      asked = generation;
#endif
      acquire();
#ifdef PUT_UNCHECKED
      put(seen);
#else
      if
      :: applied == asked -> put(seen)
      :: else -> skip
      fi;
#endif
      release()
    fi
  }
}
