/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sys.h - system calls that the C library lacks, each under its kernel name.
 * All return the result or -errno.  Constants newer than the build's headers are defined here.
 */
#ifndef KIST_BASE_SYS_H
#define KIST_BASE_SYS_H

#include <linux/openat2.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/types.h>

/*
 * <linux/mount.h> and <sys/mount.h> of glibc before 2.37 cannot be included together: what is
 * used stands here.
 */
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#ifndef OPEN_TREE_CLOEXEC
#define OPEN_TREE_CLOEXEC 02000000
#endif
#ifndef MOVE_MOUNT_F_EMPTY_PATH
#define MOVE_MOUNT_F_SYMLINKS 0x01
#define MOVE_MOUNT_F_EMPTY_PATH 0x04
#define MOVE_MOUNT_T_SYMLINKS 0x10
#define MOVE_MOUNT_T_EMPTY_PATH 0x40
#endif
#ifndef FSOPEN_CLOEXEC
#define FSOPEN_CLOEXEC 1
#define FSMOUNT_CLOEXEC 1
#define FSPICK_CLOEXEC 1
#define FSPICK_EMPTY_PATH 8
enum {
	FSCONFIG_SET_FLAG = 0,
	FSCONFIG_SET_STRING = 1,
	FSCONFIG_SET_BINARY = 2,
	FSCONFIG_SET_PATH = 3,
	FSCONFIG_SET_PATH_EMPTY = 4,
	FSCONFIG_SET_FD = 5,
	FSCONFIG_CMD_CREATE = 6,
	FSCONFIG_CMD_RECONFIGURE = 7,
};
#endif
#ifndef MOUNT_ATTR_RDONLY
#define MOUNT_ATTR_RDONLY 0x01
#define MOUNT_ATTR_NOSUID 0x02
#define MOUNT_ATTR_NODEV 0x04
#define MOUNT_ATTR_NOEXEC 0x08
#define MOUNT_ATTR__ATIME 0x70
#define MOUNT_ATTR_RELATIME 0x00
#define MOUNT_ATTR_NOATIME 0x10
#define MOUNT_ATTR_STRICTATIME 0x20
#define MOUNT_ATTR_NODIRATIME 0x80
#define MOUNT_ATTR_IDMAP 0x00100000
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

struct sys_mount_attr {
	uint64_t attr_set;
	uint64_t attr_clr;
	uint64_t propagation;
	uint64_t userns_fd;
};

int sys_openat2(int dirfd, const char *path, const struct open_how *how);
int sys_open_tree(int dirfd, const char *path, unsigned int flags);
int sys_move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags);
int sys_fsopen(const char *type, unsigned int flags);
int sys_fsconfig(int fs, unsigned int cmd, const char *key, const void *value, int aux);
int sys_fsmount(int fs, unsigned int flags, unsigned int attr);
int sys_fspick(int dirfd, const char *path, unsigned int flags);
int sys_mount_setattr(int dirfd, const char *path, unsigned int flags,
		      const struct sys_mount_attr *attr);
int sys_pivot_root(const char *new_root, const char *put_old);
int sys_close_range(unsigned int first, unsigned int last, unsigned int flags);
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL	/* Linux 6.9: any thread; before, -EINVAL */
#endif
int sys_pidfd_open(pid_t pid, unsigned int flags);
int sys_pidfd_send_signal(int pidfd, int sig);
int sys_bpf(int cmd, void *attr, unsigned int size);
int sys_seccomp(unsigned int op, unsigned int flags, void *args);
long sys_keyctl(int cmd, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5);
int sys_setns(int fd, int nstype);

/*
 * In a child: SIGKILL when parent, which made it, ends.  -ESRCH: it has ended before this, and no
 * signal will come.
 */
int sys_die_with(pid_t parent);

struct sys_clone {
	uint64_t flags;			/* CLONE_*; CLONE_PIDFD is added when pidfd is set */
	int exit_signal;		/* SIGCHLD, usually; 0 with CLONE_PARENT */
	int cgroup;			/* for CLONE_INTO_CGROUP */
	bool plain;			/* by clone(2), whose flags a seccomp filter can see */
	int *pidfd;			/* or NULL */
	pid_t *pid; /* or NULL: gets the pid before the new process runs */
};

/*
 * clone3() with fork semantics (no CLONE_VM): the child returns 0 on a copy of the same stack.
 * glibc's atfork handlers do not run: the child must not use stdio, malloc or threads.
 */
pid_t sys_clone3(const struct sys_clone *c);

/* The raw id calls: glibc's setuid() family synchronises threads, wrong in a cloned child. */
int sys_setresuid(uid_t r, uid_t e, uid_t s);
int sys_setresgid(gid_t r, gid_t e, gid_t s);
int sys_setgroups(size_t n, const gid_t *list);

/* Gives a signal its default action.  glibc's signal() refuses 32 and 33, which it uses itself. */
int sys_signal_default(int sig);

/*
 * The signals that the calling process ignores: bit n - 1 is signal n.  A question for each of them
 * is a fifth of the time that /proc/self/status takes.
 */
uint64_t sys_signals_ignored(void);

#endif
