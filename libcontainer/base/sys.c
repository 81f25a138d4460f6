/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sys.c - raw system calls.
 *
 * Not through the C library even where it has a wrapper: older ones lack it, and the set*id()
 * wrappers signal all threads, whose list a cloned child has only a stale copy of.
 */
#include "base/sys.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Numbers above 423 are the same on all architectures (but alpha). */
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

/* 32-bit x86, arm and friends: the plain calls take 16-bit ids there. */
#ifdef SYS_setresuid32
#define SYS_SETRESUID SYS_setresuid32
#define SYS_SETRESGID SYS_setresgid32
#define SYS_SETGROUPS SYS_setgroups32
#else
#define SYS_SETRESUID SYS_setresuid
#define SYS_SETRESGID SYS_setresgid
#define SYS_SETGROUPS SYS_setgroups
#endif

static long result(long ret)
{
	return ret < 0 ? -errno : ret;
}

int sys_openat2(int dirfd, const char *path, const struct open_how *how)
{
	return (int)result(syscall(SYS_openat2, dirfd, path, how, sizeof(*how)));
}

int sys_open_tree(int dirfd, const char *path, unsigned int flags)
{
	return (int)result(syscall(SYS_open_tree, dirfd, path, flags));
}

int sys_move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags)
{
	return (int)result(syscall(SYS_move_mount, from_fd, from, to_fd, to, flags));
}

int sys_fsopen(const char *type, unsigned int flags)
{
	return (int)result(syscall(SYS_fsopen, type, flags));
}

int sys_fsconfig(int fs, unsigned int cmd, const char *key, const void *value, int aux)
{
	return (int)result(syscall(SYS_fsconfig, fs, cmd, key, value, aux));
}

int sys_fsmount(int fs, unsigned int flags, unsigned int attr)
{
	return (int)result(syscall(SYS_fsmount, fs, flags, attr));
}

int sys_fspick(int dirfd, const char *path, unsigned int flags)
{
	return (int)result(syscall(SYS_fspick, dirfd, path, flags));
}

int sys_mount_setattr(int dirfd, const char *path, unsigned int flags,
		      const struct sys_mount_attr *attr)
{
	return (int)result(syscall(SYS_mount_setattr, dirfd, path, flags, attr, sizeof(*attr)));
}

int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)result(syscall(SYS_pivot_root, new_root, put_old));
}

int sys_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
	return (int)result(syscall(SYS_close_range, first, last, flags));
}

int sys_pidfd_open(pid_t pid, unsigned int flags)
{
	return (int)result(syscall(SYS_pidfd_open, pid, flags));
}

int sys_pidfd_send_signal(int pidfd, int sig)
{
	return (int)result(syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0U));
}

int sys_bpf(int cmd, void *attr, unsigned int size)
{
	return (int)result(syscall(SYS_bpf, cmd, attr, size));
}

int sys_seccomp(unsigned int op, unsigned int flags, void *args)
{
	return (int)result(syscall(SYS_seccomp, op, flags, args));
}

long sys_keyctl(int cmd, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5)
{
	return result(syscall(SYS_keyctl, cmd, a2, a3, a4, a5));
}

int sys_setns(int fd, int nstype)
{
	return (int)result(syscall(SYS_setns, fd, nstype));
}

static pid_t clone_raw(unsigned long flags, unsigned long back)
{
#if defined(__s390__)
	return (pid_t)result(syscall(SYS_clone, 0UL, flags, back, 0UL, 0UL));
#else
	return (pid_t)result(syscall(SYS_clone, flags, 0UL, back, 0UL, 0UL));
#endif
}

/* clone(2): a pidfd comes back in the place of the parent's tid; there is one place for both. */
static pid_t clone_old(const struct clone_args *args)
{
	unsigned long flags = (unsigned long)(args->flags | args->exit_signal);
	int *pidfd = (int *)(uintptr_t)args->pidfd;
	pid_t pid;

	if (!args->pidfd || !args->parent_tid)
		return clone_raw(flags,
				 (unsigned long)(pidfd ? args->pidfd : args->parent_tid));
	/* Nobody else can be waited for under that number before this process has done so. */
	pid = clone_raw(flags & ~(unsigned long)CLONE_PIDFD, (unsigned long)args->parent_tid);
	if (pid > 0)
		*pidfd = sys_pidfd_open(pid, 0);
	return pid;
}

pid_t sys_clone3(const struct sys_clone *c)
{
	struct clone_args args = {
		.flags = c->flags,
		.exit_signal = (uint64_t)(unsigned int)c->exit_signal,
	};
	pid_t pid;

	if (c->pidfd) {
		args.flags |= CLONE_PIDFD;
		args.pidfd = (uint64_t)(uintptr_t)c->pidfd;
	}
	if (c->pid) {
		args.flags |= CLONE_PARENT_SETTID;
		args.parent_tid = (uint64_t)(uintptr_t)c->pid;
	}
	/* Refused by the kernel if it were set without the flag. */
	if (c->flags & CLONE_INTO_CGROUP)
		args.cgroup = (uint64_t)(unsigned int)c->cgroup;
	if (c->plain)
		return clone_old(&args);
	pid = (pid_t)result(syscall(SYS_clone3, &args, sizeof(args)));
	/* Filters of outer containers cannot look into clone3's memory and answer so: glibc does
	 * the same. */
	if (pid == -ENOSYS && !(c->flags & (CLONE_INTO_CGROUP | CLONE_NEWTIME)))
		pid = clone_old(&args);
	return pid;
}

int sys_setresuid(uid_t r, uid_t e, uid_t s)
{
	return (int)result(syscall(SYS_SETRESUID, r, e, s));
}

int sys_setresgid(gid_t r, gid_t e, gid_t s)
{
	return (int)result(syscall(SYS_SETRESGID, r, e, s));
}

int sys_setgroups(size_t n, const gid_t *list)
{
	return (int)result(syscall(SYS_SETGROUPS, n, list));
}

int sys_signal_default(int sig)
{
	/* As long as the kernel's struct on any architecture; all zero is SIG_DFL without flags. */
	static const unsigned long none[8];

	return (int)result(syscall(SYS_rt_sigaction, sig, none, NULL, sizeof(uint64_t)));
}

uint64_t sys_signals_ignored(void)
{
	/* As long as the kernel's struct, which begins with the handler. */
	unsigned long action[8] = { 0 };
	uint64_t ignored = 0;

	for (int sig = 1; sig <= 64; sig++) {
		if (syscall(SYS_rt_sigaction, sig, NULL, action, sizeof(uint64_t)) == 0 &&
		    action[0] == (unsigned long)SIG_IGN)
			ignored |= UINT64_C(1) << (sig - 1);
	}
	return ignored;
}

int sys_die_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	return getppid() == parent ? 0 : -ESRCH;
}
