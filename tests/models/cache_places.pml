/* SPDX-License-Identifier: MIT */
/*
 * lib/cache/cache.c: a key that may be in one of two slots, and moves from one to the other while others
 * look for it, fill it in and evict it. What coherence.pml leaves out; the protocol of generations
 * is the same here, and shorter.
 *
 * One key is watched. Another, which cannot change, wants the slots too: its filler moves the first
 * out of its way to that one's other slot, if that is free, and else takes its place. A slot has
 * a sequence number, a mark, a tag that says whose it is, and two words that belong together; the
 * mark is read outside of the sequence. Writers hold the lock.
 *
 * Claims: no validation that starts after an acknowledged change gives what was before it; none
 * gives a torn copy or another key's entry; outside the lock a key is in one slot at most. Who does
 * not find the key, because it is on its way perhaps, asks the store: a good key is never refused.
 * check.sh also checks that each of these mistakes is found:
 *
 *   -DDROP_ONE_PLACE     the evictor looks into the first slot only
 *   -DMOVE_UNLOCKED      the entry to be moved is read before the lock is taken
 *   -DMOVE_UNGUARDED     the move does not touch the sequence number of the slot it fills
 *   -DMOVE_KEEPS         the move leaves the entry where it was as well
 *   -DFILL_ONE_PLACE     a filler looks for the key in the first slot only, before it takes another
 *   -DTAG_UNCHECKED      the mark is taken for the key
 *   -DSEQUENCE_UNCHECKED the sequence number is not looked at again after the copy
 *
 * Memory is sequentially consistent here, as in coherence.pml.
 */
#define READERS 2
#define NONE 0
#define MINE 1   /* marks and tags */
#define OTHERS 2

byte state = 0;        /* what is in the store: the number of changes so far; its generation too */
byte acknowledged = 0; /* the newest change whose commit has returned */

byte applied = 0;
bool refreshing = false;
bool lock = false;     /* of the cache's writers */

typedef slot_t {
  byte sequence;
  byte mark;
  byte tag;
  byte word[2]
};
slot_t slot[2];

inline acquire() { atomic { !lock -> lock = true } }

/* The last step of who has it: then a key is in one slot. */
inline release() {
  atomic {
    assert(!(slot[0].mark == MINE && slot[1].mark == MINE));
    lock = false
  }
}

inline fill(at, whose, seen) {
  slot[at].sequence++;
  slot[at].mark = whose;
  slot[at].tag = whose;
  slot[at].word[0] = seen;
  slot[at].word[1] = seen;
  slot[at].sequence++
}

/* In fewer steps: what torn copies there are, filling makes. */
inline drop(at) {
  slot[at].sequence++;
  slot[at].mark = NONE;
  d_step { slot[at].tag = NONE; slot[at].word[0] = 0; slot[at].word[1] = 0 }
  slot[at].sequence++
}

active proctype writer() {
  state = 1; /* the commit: readers that begin now see the change; the generation has moved */
  acknowledged = 1
}

/* The other key comes, by either slot, moves or overwrites what is there, and is evicted again. */
active proctype crowd() {
  byte at, whose, seen;
  if
  :: at = 0
  :: at = 1
  fi;
#ifdef MOVE_UNLOCKED
  whose = slot[at].mark;
  seen = slot[at].word[0];
  acquire();
#else
  acquire();
  whose = slot[at].mark;
  seen = slot[at].word[0];
#endif
  if
  :: whose == MINE && slot[1 - at].mark == NONE ->
#ifdef MOVE_UNGUARDED
    slot[1 - at].mark = MINE;
    slot[1 - at].tag = MINE;
    slot[1 - at].word[0] = seen;
    slot[1 - at].word[1] = seen;
#else
    fill((1 - at), MINE, seen);
#endif
#ifdef MOVE_KEEPS
    release();
    acquire();
#endif
    drop(at)
  :: else -> skip
  fi;
  fill(at, OTHERS, 9);
  release();
  acquire();
  if
  :: slot[at].mark == OTHERS -> drop(at)
  :: else -> skip
  fi;
  release()
}

/* Two validations of one reader, so that what the first left behind meets the second; and one. */
active [READERS] proctype reader() {
  byte rounds = (_pid == 2 -> 2 : 1), round, known, asked, seen, at, before, tag, copy[2];
  bool current, found;
  for (round : 1 .. rounds) {
    known = acknowledged; /* the validation starts */
    current = false;
    found = false;
    asked = state; /* the generation */
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
        acquire();
        asked = state;
        if
        :: slot[0].mark == MINE -> drop(0)
        :: else -> skip
        fi;
#ifndef DROP_ONE_PLACE
        if
        :: slot[1].mark == MINE -> drop(1)
        :: else -> skip
        fi;
#endif
        applied = asked;
        release();
        refreshing = false
      :: else -> skip
      fi
    fi;

    at = 0;
    do
    :: current && !found && at < 2 ->
      if
      :: slot[at].mark == MINE ->
        before = slot[at].sequence;
        if
        :: before % 2 == 0 ->
          tag = slot[at].tag;
          copy[0] = slot[at].word[0];
          copy[1] = slot[at].word[1];
#ifdef SEQUENCE_UNCHECKED
          found = (tag == MINE)
#else
#ifdef TAG_UNCHECKED
          found = (slot[at].sequence == before)
#else
          found = (tag == MINE && slot[at].sequence == before)
#endif
#endif
        :: else -> skip
        fi
      :: else -> skip
      fi;
      at++
    :: else -> break
    od;

    if
    :: found ->
      assert(copy[0] == copy[1]);
      assert(copy[0] < 9);
      assert(copy[0] >= known)
    :: else ->
      seen = state; /* the transaction begins, and sees this: the key is good */
      assert(seen >= known);
      acquire();
      if
      :: applied == asked ->
        /* where it is; else a free slot; else one of the others' */
        if
        :: slot[0].mark == MINE -> at = 0
#ifndef FILL_ONE_PLACE
        :: slot[1].mark == MINE -> at = 1
#endif
        :: else ->
          if
          :: slot[0].mark == NONE -> at = 0
          :: slot[0].mark != NONE && slot[1].mark == NONE -> at = 1
          :: else -> at = 0
          fi
        fi;
        fill(at, MINE, seen)
      :: else -> skip
      fi;
      release()
    fi
  }
}
