/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static bool is_cloexec(int fd)
{
	return fcntl(fd, F_GETFD) == FD_CLOEXEC;
}

static int null_at(int fd)
{
	owned_fd n = open("/dev/null", O_RDWR | O_CLOEXEC);

	return dup2(n, fd) == fd ? fd : -1;
}

static void test_owned(void)
{
	int raw, taken;

	{
		owned_fd fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		raw = fd;
	}
	ok(raw >= 0 && !is_open(raw), "owned_fd closes at the end of its scope");
	{
		owned_fd fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		taken = fd_take(&fd);
		is_int(fd, -1, "fd_take leaves -1");
	}
	ok(is_open(taken), "a taken descriptor stays open");
	errno = EBUSY;
	fd_close(&taken);
	ok(taken == -1 && errno == EBUSY, "fd_close sets -1 and preserves errno");
	fd_close(&taken);
	is_int(errno, EBUSY, "fd_close of -1 does nothing");
}

static void test_close_range(void)
{
	static const int keep[] = { 55, 51, 51, 300 };

	for (int fd = 50; fd < 58; fd++)
		null_at(fd);
	is_int(fd_close_range_except(50, 56, keep, 4), 0, "close_range_except");
	ok(!is_open(50) && is_open(51) && !is_open(52) && !is_open(54) &&
	   is_open(55) && !is_open(56),
	   "all but the kept ones are closed");
	ok(is_open(57), "what is beyond the range stays");
	is_int(fd_close_range_except(50, 57, NULL, 0), 0, "nothing kept");
	ok(!is_open(51) && !is_open(55) && !is_open(57), "all are closed");
	is_int(fd_close_range_except(50, 57, keep, 33), -EINVAL, "more than 32 are refused");
}

static void test_cloexec(void)
{
	null_at(60);
	null_at(70);
	null_at(40);
	is_int(fd_cloexec_from(60), 0, "cloexec_from");
	ok(is_cloexec(60) && is_cloexec(70), "descriptors above get the flag");
	ok(!is_cloexec(40), "a descriptor below does not");
	is_int(fd_set_cloexec(60, false), 0, "set_cloexec off");
	ok(!is_cloexec(60) && is_open(60), "the flag is gone");
	is_int(fd_set_cloexec(61, true), -EBADF, "of a closed descriptor");
	fd_close_range_except(40, 70, NULL, 0);
}

/* Takes close_range() away, as an old kernel or a container around us would. */
static bool without_close_range(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(filter) / sizeof(filter[0]), filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0;
}

/* Puts another process's directory in the place of this one's, as a container could. */
static bool with_false_list(void)
{
	const struct rlimit few = { 128, 128 };
	char own[64], other[64];

	snprintf(own, sizeof(own), "/proc/%d/fd", (int)getpid());
	snprintf(other, sizeof(other), "/proc/%d/fd", (int)getppid());
	return setrlimit(RLIMIT_NOFILE, &few) == 0 && unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount(other, own, NULL, MS_BIND, NULL) == 0;
}

static int fallback(bool false_list)
{
	static const int keep[] = { 85 };

	if ((false_list && !with_false_list()) || !without_close_range())
		return 77;
	for (int fd = 80; fd < 90; fd++)
		null_at(fd);
	if (fd_close_range_except(82, 88, keep, 1) != 0)
		return 1;
	if (!is_open(81) || is_open(82) || is_open(84) ||
	    !is_open(85) || is_open(88) || !is_open(89))
		return 2;
	if (fd_cloexec_from(82) != 0)
		return 3;
	return !is_cloexec(81) && is_cloexec(85) && is_cloexec(89) ? 0 : 4;
}

static void test_fallback(bool false_list, const char *name)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fallback(false_list));
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip("no seccomp filter or no mount allowed");
	else
		is_int(status, 0, "%s", name);
}

static int sanitized(void)
{
	close(0);
	close(2);
	if (fd_sanitize_stdio() != 0)
		return 1;
	return is_open(0) && is_open(1) && is_open(2) && open("/dev/null", O_RDONLY) > 2 ? 0 : 2;
}

static void test_sanitize(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(sanitized());
	waitpid(pid, &status, 0);
	is_int(status, 0, "closed standard descriptors are filled");
}

static void test_write(void)
{
	owned_fd null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	owned_fd zero = open("/dev/zero", O_WRONLY | O_CLOEXEC);
	owned_fd full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	owned_fd again = dup(null);

	is_int(fd_write_all(null, "text", 4), 0, "write_all");
	is_int(fd_write_all(full, "text", 4), -ENOSPC, "write_all on a full device");
	is_int(fd_write_all(-1, "text", 4), -EBADF, "write_all on no descriptor");
	is_int(fd_same_inode(null, again), 1, "the same inode");
	is_int(fd_same_inode(null, zero), 0, "another inode");
	is_int(fd_same_inode(null, -1), -EBADF, "no inode");
}

int main(void)
{
	test_owned();
	test_close_range();
	test_cloexec();
	test_fallback(false, "without close_range()");
	test_fallback(true, "nor with the list of another process");
	test_sanitize();
	test_write();
	return done();
}
