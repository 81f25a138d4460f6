/* SPDX-License-Identifier: Apache-2.0 */
/* proc_context.c - a procfs of a PID namespace that is joined, opened from inside. */
#include "proc_context.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/audit_arch.h"
#include "base/fd.h"
#include "base/mnt.h"
#include "base/sys.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

/* What the process inside does takes no time; who is in there may stop it. */
#define OPEN_MS	    30000
#define END_MS	    1000

#define CHANNEL	    0 /* the one descriptor of the process inside */
#define CLONE_FLAGS (CLONE_PARENT | CLONE_PARENT_SETTID)

/* Where clone(2) has its flags. */
#ifdef __s390__
#define CLONE_ARG 1
#else
#define CLONE_ARG 0
#endif

/* ---- outside: the memory, and the end that receives ------------------------------------------ */

struct proc_context_shared *proc_context_share(struct error *err)
{
	struct proc_context_shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
						  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared != MAP_FAILED)
		return shared;
	error_set(err, errno, "map a shared page");
	return NULL;
}

void proc_context_unshare(struct proc_context_shared *shared)
{
	munmap(shared, sizeof(*shared));
}

int proc_context_channel(int ends[2], struct error *err)
{
	const int on = 1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return error_set(err, errno, "socketpair");
	if (setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		return error_set(err, errno, "setsockopt(SO_PASSCRED)");
	return 0;
}

int proc_context_wait(const struct proc_context_shared *shared, pid_t preparer, struct error *err)
{
	int status = 0;
	pid_t pid;

	do {
		pid = waitpid(preparer, &status, 0);
	} while (pid < 0 && errno == EINTR);
	if (pid == preparer && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (!shared->failed)
		return error_set(err, 0, "the process that prepares it ended unexpectedly");
	*err = shared->error;
	return -EINVAL;
}

static int wait_message(pid_t pid, int channel, struct error *err)
{
	owned_fd pidfd = sys_pidfd_open(pid, 0);
	struct pollfd p[2] = { { .fd = channel, .events = POLLIN },
			       { .fd = pidfd, .events = POLLIN } };
	int n;

	do {
		n = poll(p, 2, OPEN_MS);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_set(err, errno, "poll");
	if (n == 0)
		return error_set(err, ETIMEDOUT,
				 "the process that opens procfs in the PID "
				 "namespace does not get on: somebody there may have stopped it");
	/* It may have sent and ended between the kernel's looks at the one and at the other. */
	if (!(p[0].revents & POLLIN) && (poll(p, 1, 0) <= 0 || !(p[0].revents & POLLIN)))
		return error_set(err, 0,
				 "the process that opens procfs in the PID namespace was "
				 "killed");
	return 0;
}

/* What came with a message. */
struct parts {
	int fd;
	pid_t from;
};

static void read_parts(struct msghdr *m, struct parts *parts)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct ucred sender;

		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS && c->cmsg_len == CMSG_LEN(sizeof(sender))) {
			memcpy(&sender, CMSG_DATA(c), sizeof(sender));
			parts->from = sender.pid;
		}
		/* There is room for one. */
		if (c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
			memcpy(&parts->fd, CMSG_DATA(c), sizeof(int));
	}
}

int proc_context_receive(const struct proc_context_shared *shared, int channel, struct error *err)
{
	char control[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
	int32_t errnum = 0;
	struct iovec data = { &errnum, sizeof(errnum) };
	struct msghdr m = { .msg_iov = &data,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct parts parts = { -1, 0 };
	owned_fd fd = -1;
	ssize_t n;
	int ret = wait_message(shared->pid, channel, err);

	if (ret < 0)
		return ret;
	n = recvmsg(channel, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return error_set(err, errno, "receive a descriptor of procfs");
	read_parts(&m, &parts);
	fd = parts.fd;
	/*
	 * Who has CAP_SYS_PTRACE can take the socket out of the process inside, and send what he
	 * likes: a context of a file system that only this process may make.  The kernel tells who
	 * sent it, and does not let him lie without CAP_SYS_ADMIN; and the right process can have
	 * nothing but contexts of procfs, and the socket.
	 */
	if (n != sizeof(errnum) || parts.from != shared->pid)
		return error_set(err, 0,
				 "somebody in the PID namespace has sent something else than a "
				 "procfs");
	if (fd < 0)
		return error_set(err, errnum > 0 && errnum < 4096 ? errnum : EBADF,
				 "open procfs in the PID namespace");
	return fd_take(&fd);
}

void proc_context_end(const struct proc_context_shared *shared)
{
	pid_t pid = shared->pid;
	owned_fd pidfd = pid > 0 ? sys_pidfd_open(pid, 0) : -1;
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	if (pid <= 0)
		return;
	/* A child that was not waited for: the number is its own. */
	kill(pid, SIGKILL);
	/* One that is traced cannot be waited for until its tracer has, which may be never. */
	(void)poll(&p, 1, END_MS);
	(void)waitpid(pid, NULL, WNOHANG);
}

/* ---- outside: the preparations --------------------------------------------------------------- */

void proc_context_fail(struct proc_context_shared *shared, const struct error *err)
{
	shared->error = *err;
	__atomic_store_n(&shared->failed, 1, __ATOMIC_RELEASE);
	_exit(1);
}

/*
 * /proc/PID/root is open to who has CAP_SYS_PTRACE, and ".." leads up from there.  So the new root
 * is a mount that is attached nowhere, with nothing in it.
 */
static int enter_nothing(struct error *err)
{
	static const struct mnt_fs nothing = {
		.type = "tmpfs",
		.source = "none",
		.ms = MS_RDONLY,
		.attr = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			MOUNT_ATTR_NOEXEC,
	};
	struct mnt m = MNT_INIT;
	int ret = mnt_create(&nothing, &m, NULL, 0);

	if (ret == 0 && !m.detached)
		ret = -ENOSYS;
	if (ret == 0 && (fchdir(m.fd) < 0 || chroot(".") < 0))
		ret = -errno;
	fd_close(&m.fd);
	return ret < 0 ? error_set(err, -ret, "enter an empty directory (this needs Linux 5.2)")
		       : 0;
}

static int close_others(int channel, struct error *err)
{
	int ret = dup2(channel, CHANNEL) < 0 ? -errno : 0;

	if (ret == 0)
		ret = fd_close_range_except(CHANNEL + 1, ~0U, NULL, 0);
	return ret < 0 ? error_set(err, -ret, "close descriptors") : 0;
}

/* "proc" where no tracer can write: memory of a file that nobody can write any more, not a copy. */
static const char *fixed_name(struct error *err)
{
	static const char name[] = "proc";
	owned_fd fd = memfd_create("kist-proc", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	const char *at;

	if (fd < 0 || write(fd, name, sizeof(name)) != sizeof(name) ||
	    fcntl(fd, F_ADD_SEALS,
		  F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0) {
		error_set(err, errno, "make a sealed file");
		return NULL;
	}
	at = mmap(NULL, sizeof(name), PROT_READ, MAP_SHARED, fd, 0);
	if (at != MAP_FAILED)
		return at;
	error_set(err, errno, "map a sealed file");
	return NULL;
}

static int keep_one_capability(struct error *err)
{
	const uint64_t keep = UINT64_C(1) << CAP_SYS_ADMIN;
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	data[0].effective = data[0].permitted = (uint32_t)keep;
	if (syscall(SYS_capset, &head, data) < 0)
		return error_set(err, errno, "set the capabilities");
	/* After the last change of credentials, which may undo it. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_set(err, errno, "prctl(PR_SET_DUMPABLE)");
	return 0;
}

/* ---- the filter ------------------------------------------------------------------------------ */

#define FILTER_MAX 64

struct filter {
	struct sock_filter insns[FILTER_MAX];
	unsigned short n;
};

/* A word of the call's data, and what it must be. */
struct word {
	uint32_t offset, value;
};

static void add(struct filter *f, struct sock_filter insn)
{
	f->insns[f->n++] = insn;
}

static void add_load(struct filter *f, uint32_t offset)
{
	add(f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

/* Goes on behind the next `skip` instructions unless the word is that. */
static void add_test(struct filter *f, uint32_t value, size_t skip)
{
	add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, (uint8_t)skip));
}

/* That call, if all words are so. */
static void allow(struct filter *f, uint32_t nr, const struct word *words, size_t n)
{
	add_load(f, offsetof(struct seccomp_data, nr));
	add_test(f, nr, 2 * n + 1);
	for (size_t i = 0; i < n; i++) {
		add_load(f, words[i].offset);
		add_test(f, words[i].value, 2 * (n - 1 - i) + 1);
	}
	add(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
}

/* The two words of an argument. */
static void set_arg(struct word words[2], unsigned int index, uint64_t value)
{
	uint32_t at = (uint32_t)(offsetof(struct seccomp_data, args) + index * sizeof(uint64_t));
	uint32_t low = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? at : at + 4;

	words[0] = (struct word){ low, (uint32_t)value };
	words[1] = (struct word){ 2 * at + 4 - low, (uint32_t)(value >> 32) };
}

static void make_filter(struct filter *f, const char *name)
{
	const struct sock_filter no = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	struct word words[4];

	f->n = 0;
	add_load(f, offsetof(struct seccomp_data, arch));
	add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_OWN, 1, 0));
	add(f, no);
	set_arg(words, 0, (uint64_t)(uintptr_t)name);
	set_arg(words + 2, 1, FSOPEN_CLOEXEC);
	allow(f, SYS_fsopen, words, 4);
	set_arg(words, 0, CHANNEL);
	allow(f, SYS_sendmsg, words, 2);
	/* By the process that prepares; what it makes has the same filter. */
	set_arg(words, CLONE_ARG, CLONE_FLAGS);
	allow(f, SYS_clone, words, 2);
	allow(f, SYS_exit_group, NULL, 0);
	add(f, no);
}

static int load_filter(const char *name, struct error *err)
{
	struct filter f;
	struct sock_fprog program = { .filter = f.insns };
	int ret;

	if (AUDIT_ARCH_OWN == 0)
		return error_set(err, 0,
				 "procfs of a PID namespace that is joined needs Linux 6.18 "
				 "on this architecture");
	make_filter(&f, name);
	program.len = f.n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set(err, errno, "prctl(PR_SET_NO_NEW_PRIVS)");
	ret = sys_seccomp(SECCOMP_SET_MODE_FILTER, 0, &program);
	return ret < 0 ? error_set(err, -ret, "load a seccomp filter") : 0;
}

/* ---- inside ---------------------------------------------------------------------------------- */

/* Nothing but the calls of the filter: no wrapper of the C library. */
static void __attribute__((noreturn)) open_inside(const char *name, unsigned int count)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	int32_t errnum = 0;
	struct iovec data = { &errnum, sizeof(errnum) };
	struct msghdr m = { .msg_iov = &data, .msg_iovlen = 1 };
	struct cmsghdr *c;

	for (unsigned int i = 0; i < count && errnum == 0; i++) {
		int fd = (int)syscall(SYS_fsopen, name, FSOPEN_CLOEXEC);

		errnum = fd < 0 ? errno : 0;
		m.msg_control = fd < 0 ? NULL : control;
		m.msg_controllen = fd < 0 ? 0 : sizeof(control);
		c = CMSG_FIRSTHDR(&m);
		if (c) {
			c->cmsg_level = SOL_SOCKET;
			c->cmsg_type = SCM_RIGHTS;
			c->cmsg_len = CMSG_LEN(sizeof(int));
			memcpy(CMSG_DATA(c), &fd, sizeof(fd));
		}
		(void)syscall(SYS_sendmsg, CHANNEL, &m, MSG_NOSIGNAL);
	}
	for (;;)
		syscall(SYS_exit_group, 0);
}

static int prepare(struct proc_context_shared *shared, int channel, const char **name,
		   struct error *err)
{
	if (enter_nothing(err) < 0 || close_others(channel, err) < 0)
		return -EINVAL;
	*name = fixed_name(err);
	if (!*name)
		return -EINVAL;
	/* The process inside has no part in what the two outside tell each other. */
	if (madvise(shared, sizeof(*shared), MADV_DONTFORK) < 0)
		return error_set(err, errno, "keep a page to this process");
	return keep_one_capability(err) < 0 ? -EPERM : load_filter(*name, err);
}

void proc_context_open_run(struct proc_context_shared *shared, unsigned int count, int channel)
{
	struct sys_clone c = {
		.flags = CLONE_PARENT,
		.exit_signal = 0,
		.cgroup = -1,
		.plain = true,
		.pid = (pid_t *)&shared->pid,
	};
	struct error err = { 0 };
	const char *name;
	pid_t pid;

	if (prepare(shared, channel, &name, &err) < 0)
		proc_context_fail(shared, &err);
	pid = sys_clone3(&c);
	if (pid == 0)
		open_inside(name, count);
	if (pid < 0) {
		error_set(&err, -pid, "make a process in the PID namespace");
		proc_context_fail(shared, &err);
	}
	_exit(0);
}
