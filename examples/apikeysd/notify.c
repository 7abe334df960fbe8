/* SPDX-License-Identifier: MIT */
/* Sends a state to systemd's notification socket. */
#include "notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notify_supervisor(const char *state) {
  const char *path = getenv("NOTIFY_SOCKET");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = path != NULL ? strlen(path) : 0;
  if (length < 2 || length >= sizeof address.sun_path)
    return;
  memcpy(address.sun_path, path, length);
  if (path[0] == '@') /* an abstract name */
    address.sun_path[0] = '\0';
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return;
  /* A supervisor that does not listen is no reason to end. */
  (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
  close(fd);
}
