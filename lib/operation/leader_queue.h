/* SPDX-License-Identifier: MIT */
/*
 * The queue of a leader/follower scheme: at most one caller leads at a time; the others wait, each
 * to be woken exactly once. It knows nothing of what the leader does (group_commit.h).
 */
#ifndef AK_OPERATION_LEADER_QUEUE_H
#define AK_OPERATION_LEADER_QUEUE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>

/* What a waiting caller is woken to. */
enum ak_turn {
  AK_TURN_LEADS, /* to lead the next group */
  AK_TURN_DONE,  /* its result is there */
  AK_TURN_ALONE  /* to run by itself: the group failed */
};

/* One caller; it lies in its own thread's stack frame until the caller is woken. */
struct ak_queued {
  struct ak_queued *next;
  enum ak_turn turn;
  sem_t wake;
};

/* A singly linked list with its end, first come first served. */
struct ak_queued_list {
  struct ak_queued *first;
  struct ak_queued **end;
  size_t count;
};

struct ak_leader_queue {
  pthread_mutex_t lock; /* guards the rest; never held around a slot or a call's body */
  struct ak_queued_list waiting;
  bool led;
};

void ak_leader_queue_init(struct ak_leader_queue *queue);
void ak_leader_queue_release(struct ak_leader_queue *queue);

/*
 * Joins, waits if another caller leads, and returns the caller's turn. After AK_TURN_LEADS the
 * caller leads and must end with ak_leader_queue_hand_over().
 */
enum ak_turn ak_leader_queue_join(struct ak_leader_queue *queue, struct ak_queued *self);

/* The leader's group: itself, then those that it takes in. */
void ak_queued_list_start(struct ak_queued_list *group, struct ak_queued *leader);
void ak_leader_queue_take_in(struct ak_leader_queue *queue, struct ak_queued_list *group);

/*
 * Wakes the followers of the group to `turn`, then one waiting caller as the next leader. The next
 * leader comes last: by then the followers may be back with more work, and join its group.
 */
void ak_leader_queue_hand_over(struct ak_leader_queue *queue, struct ak_queued_list *group,
                               enum ak_turn turn);

#endif
