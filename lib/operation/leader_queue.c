/* SPDX-License-Identifier: MIT */
/* The queue of a leader/follower scheme: who leads, who waits, who is woken. */
#include "operation/leader_queue.h"

static void leader_queue_init(struct ak_queued_list *list) {
  *list = (struct ak_queued_list){.end = &list->first};
}

static void leader_queue_append(struct ak_queued_list *list, struct ak_queued *caller) {
  caller->next = NULL;
  *list->end = caller;
  list->end = &caller->next;
  list->count++;
}

static struct ak_queued *take_first(struct ak_queued_list *list) {
  struct ak_queued *first = list->first;
  if (first == NULL)
    return NULL;
  list->first = first->next;
  if (--list->count == 0)
    leader_queue_init(list);
  return first;
}

static void move_all(struct ak_queued_list *to, struct ak_queued_list *from) {
  if (from->count == 0)
    return;
  *to->end = from->first;
  to->end = from->end;
  to->count += from->count;
  leader_queue_init(from);
}

void ak_leader_queue_init(struct ak_leader_queue *queue) {
  pthread_mutex_init(&queue->lock, NULL);
  leader_queue_init(&queue->waiting);
  queue->led = false;
}

void ak_leader_queue_release(struct ak_leader_queue *queue) {
  pthread_mutex_destroy(&queue->lock);
}

/* Returns true if the caller becomes the leader; otherwise the caller is queued. */
static bool lead_or_queue(struct ak_leader_queue *queue, struct ak_queued *self) {
  pthread_mutex_lock(&queue->lock);
  bool leads = !queue->led;
  queue->led = true;
  if (!leads)
    leader_queue_append(&queue->waiting, self);
  pthread_mutex_unlock(&queue->lock);
  return leads;
}

enum ak_turn ak_leader_queue_join(struct ak_leader_queue *queue, struct ak_queued *self) {
  self->turn = AK_TURN_LEADS;
  sem_init(&self->wake, 0, 0);
  if (!lead_or_queue(queue, self))
    while (sem_wait(&self->wake) != 0) /* a signal interrupted the wait */
      ;
  sem_destroy(&self->wake);
  return self->turn;
}

void ak_queued_list_start(struct ak_queued_list *group, struct ak_queued *leader) {
  leader_queue_init(group);
  leader_queue_append(group, leader);
}

void ak_leader_queue_take_in(struct ak_leader_queue *queue, struct ak_queued_list *group) {
  pthread_mutex_lock(&queue->lock);
  move_all(group, &queue->waiting);
  pthread_mutex_unlock(&queue->lock);
}

static void wake_next_leader(struct ak_leader_queue *queue) {
  pthread_mutex_lock(&queue->lock);
  struct ak_queued *next = take_first(&queue->waiting);
  queue->led = next != NULL;
  pthread_mutex_unlock(&queue->lock);
  if (next != NULL)
    sem_post(&next->wake);
}

void ak_leader_queue_hand_over(struct ak_leader_queue *queue, struct ak_queued_list *group,
                               enum ak_turn turn) {
  struct ak_queued *next;
  for (struct ak_queued *caller = group->first->next; caller != NULL; caller = next) {
    next = caller->next; /* the caller's frame is gone once it is woken */
    caller->turn = turn;
    sem_post(&caller->wake);
  }
  wake_next_leader(queue);
}
