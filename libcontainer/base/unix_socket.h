/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unix_socket.h - sockets by path, of any length, and descriptors through them.
 *
 * sockaddr_un holds 107 bytes of path.  A longer one is reached through its parent directory's
 * /proc/self/fd link. No allocation.  All return >= 0 or -errno.
 */
#ifndef KIST_BASE_UNIX_SOCKET_H
#define KIST_BASE_UNIX_SOCKET_H

#include <stddef.h>
#include <sys/types.h>

/* How long somebody else may keep us waiting. */
struct unix_socket_limit {
	int timeout_ms;
	int cancel;		/* a descriptor that ends the wait when it is readable, or -1 */
};

/*
 * Connects to path (relative to the working directory; "@name": the abstract name space).
 * type: SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET.  Returns the socket, close-on-exec and blocking;
 * -ETIMEDOUT when nobody took the connection in time; -ECANCELED.  Each send on the socket ends
 * after the same time (SO_SNDTIMEO), which unix_socket_send() reports as -ETIMEDOUT.
 */
int unix_socket_connect(const char *path, int type, const struct unix_socket_limit *limit);

/*
 * Binds name inside the directory dirfd; an old socket of that name is removed first.  Not yet
 * listening.  Safe where others can write to the directory: no symlink is followed, and nothing but
 * a socket gets the mode (else -ENOTSOCK).
 */
int unix_socket_bind(int dirfd, const char *name, int type, mode_t mode);

/*
 * The last step of that alone: gives a socket made earlier its name in dirfd, with the mode it has.
 */
int unix_socket_name(int sock, int dirfd, const char *name);

/* Sends data (at least one byte) and, if fd >= 0, the descriptor.  No SIGPIPE. */
int unix_socket_send(int sock, const void *data, size_t len, int fd);

/*
 * Receives at most size bytes and one descriptor (*fd: -1 if none came; close-on-exec).  More
 * descriptors than one are closed.  Returns the length; 0 at the end.
 *
 * fd NULL: none is wanted.  A message with descriptors is left where it is, and gives -EBADMSG: a
 * close() can wait for the one who sent the descriptor (SO_LINGER, FUSE), and no signal ends that.
 */
ssize_t unix_socket_receive(int sock, void *data, size_t size, int *fd);

/*
 * Closes a socket at whose other end somebody may be who must not keep this process waiting.  If a
 * message there carries descriptors, the socket is only shut down, and open until this process
 * ends: then the kernel waits for nobody.  *sock is -1 afterwards.
 */
void unix_socket_drop(int *sock);

#endif
