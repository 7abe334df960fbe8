/* SPDX-License-Identifier: MIT */
/*
 * What libmicrohttpd alone can do, set up as apikeysd sets it up: takes any request with its body,
 * answers 300 bytes of JSON that never change. Prints its port, serves until it is killed.
 *
 *   bench_constant_server THREADS
 */
#include <microhttpd.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_BYTES = 300, CONNECTION_MEMORY = 64 * 1024 };

static char answer[ANSWER_BYTES + 1];

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **begun) {
  (void)url, (void)method, (void)version, (void)data;
  if (*begun == NULL) {
    *begun = cls;
    return MHD_YES;
  }
  if (*size > 0) {
    *size = 0;
    return MHD_YES;
  }
  struct MHD_Response *response =
      MHD_create_response_from_buffer(ANSWER_BYTES, answer, MHD_RESPMEM_PERSISTENT);
  MHD_add_response_header(response, "Content-Type", "application/json");
  enum MHD_Result result = MHD_queue_response(connection, 200, response);
  MHD_destroy_response(response);
  return result;
}

int main(int count, char **words) {
  unsigned threads = count > 1 ? (unsigned)strtoul(words[1], NULL, 10) : 2;
  static char mark;
  int length = snprintf(answer, sizeof answer, "{\"api_key\":\"");
  memset(answer + length, 'x', ANSWER_BYTES - (size_t)length - 2);
  memcpy(answer + ANSWER_BYTES - 2, "\"}", 3);
  struct MHD_Daemon *daemon = MHD_start_daemon(
      MHD_USE_POLL_INTERNAL_THREAD, 0, NULL, NULL, handle, &mark, //
      MHD_OPTION_THREAD_POOL_SIZE, threads,                       //
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
  const union MHD_DaemonInfo *info =
      daemon != NULL ? MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
  if (info == NULL)
    return 1;
  printf("%u\n", (unsigned)info->port);
  fflush(stdout);
  for (;;)
    pause();
}
