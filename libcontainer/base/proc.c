/* SPDX-License-Identifier: Apache-2.0 */
/* proc.c - procfs by verified descriptors. */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "base/sys.h"

#define PROC_AGAIN_MAX 128
/* Numbers of fields, proc_pid_stat(5). */
#define PROC_STAT_FLAGS 9
#define PROC_STAT_THREADS 20
#define PROC_STAT_START_TIME 22
#define PROC_STAT_PENDING 31
#define PROC_STAT_EXIT_CODE 52

/* PF_FORKNOEXEC of the kernel: the program is that of the parent. */
#define PROC_FLAG_FORKED 0x40
/* PF_EXITING: it will run no program's instruction any more. */
#define PROC_FLAG_EXITING 0x4

int proc_open(void)
{
	owned_fd fd = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct statfs fs;
	struct stat st;

	if (fd < 0 || fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return -errno;
	/* And its root: a directory of procfs bound here (a /proc/PID) has the type as well. */
	if (fs.f_type != PROC_SUPER_MAGIC || st.st_ino != PROC_ROOT_INODE)
		return -ENODEV;
	return fd_take(&fd);
}

static int open_below(int proc, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)flags | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
	};
	int fd = -EAGAIN;

	for (int i = 0; i < PROC_AGAIN_MAX && (fd == -EAGAIN || fd == -EINTR); i++)
		fd = sys_openat2(proc, path, &how);
	return fd;
}

/*
 * Reads the symlink "self" or "thread-self".  getpid() will not do: the number is that of the
 * PID namespace which this procfs belongs to, not of ours.
 */
static int read_self(int proc, const char *link, char *out, size_t size)
{
	owned_fd fd = open_below(proc, link, O_PATH);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = readlinkat(fd, "", out, size - 1);
	if (n < 0)
		return -errno;
	out[n] = '\0';
	/* "PID" or "PID/task/TID", nothing else. */
	if (out[strspn(out, "0123456789/task")] != '\0' || out[0] == '/')
		return -ENODEV;
	return 0;
}

int proc_open_file(int proc, const char *path, int flags)
{
	const char *link = NULL;
	char self[64], full[PATH_MAX];
	int ret;

	if (str_starts(path, "self/"))
		link = "self";
	else if (str_starts(path, "thread-self/"))
		link = "thread-self";
	if (!link)
		return open_below(proc, path, flags);

	ret = read_self(proc, link, self, sizeof(self));
	if (ret < 0)
		return ret;
	ret = snprintf(full, sizeof(full), "%s%s", self, path + strlen(link));
	if (ret < 0 || (size_t)ret >= sizeof(full))
		return -ENAMETOOLONG;
	return open_below(proc, full, flags);
}

int proc_write(int proc, const char *path, const char *text)
{
	owned_fd fd = proc_open_file(proc, path, O_WRONLY);

	return fd < 0 ? fd : file_write_fd(fd, text);
}

ssize_t proc_read(int proc, const char *path, char *buf, size_t size)
{
	owned_fd fd = proc_open_file(proc, path, O_RDONLY);

	return fd < 0 ? fd : file_read_small_fd(fd, buf, size);
}

/* Cuts the next space-separated field off *rest. */
static char *next_field(char **rest)
{
	char *field = strsep(rest, " ");

	return field ? field : (char *)"";
}

int proc_compare_pids(const void *a, const void *b)
{
	pid_t left = *(const pid_t *)a, right = *(const pid_t *)b;

	return (left > right) - (left < right);
}

int proc_stat(int proc, pid_t pid, struct proc_stat *out)
{
	char text[32], buf[2048];
	struct strbuf path = STRBUF(text);
	char *rest, *field;
	owned_fd fd = -1;
	uint64_t ppid;
	ssize_t n;

	/* Not by printf, since `list` asks for thousands. */
	strbuf_addu(&path, pid > 0 ? (unsigned int)pid : 0);
	strbuf_add(&path, "/stat");
	fd = open_below(proc, text, O_RDONLY);
	if (fd < 0)
		return fd == -ENOENT ? -ESRCH : fd;
	/* One record, which the kernel gives whole: `list` need not ask for its end. */
	n = read(fd, buf, sizeof(buf) - 1);
	if (n < 0)
		return -errno;
	buf[n] = '\0';

	/* The second field is the command in parentheses, which may itself hold ") R 1". */
	rest = strrchr(buf, ')');
	if (!rest || rest[1] != ' ' || rest[2] == '\0')
		return -EINVAL;
	rest += 2;
	rest[strcspn(rest, "\n")] = '\0';
	*out = (struct proc_stat){ .state = next_field(&rest)[0] };
	if (str_to_u64(next_field(&rest), INT_MAX, &ppid) < 0)
		return -EINVAL;
	out->ppid = (pid_t)ppid;
	for (int i = 5; i <= PROC_STAT_EXIT_CODE; i++) {
		uint64_t value;

		field = next_field(&rest);
		if (i != PROC_STAT_FLAGS && i != PROC_STAT_THREADS && i != PROC_STAT_START_TIME &&
		    i != PROC_STAT_PENDING && i != PROC_STAT_EXIT_CODE)
			continue;
		if (str_to_u64(field, UINT64_MAX, &value) < 0)
			return -EINVAL;
		if (i == PROC_STAT_FLAGS) {
			out->executed = !(value & PROC_FLAG_FORKED);
			out->exiting = value & PROC_FLAG_EXITING;
		} else if (i == PROC_STAT_THREADS) {
			out->threads = value;
		} else if (i == PROC_STAT_START_TIME) {
			out->start_time = value;
		} else if (i == PROC_STAT_PENDING) {
			out->killed = value & UINT64_C(1) << (SIGKILL - 1);
		} else {
			out->exit_status = (int)value;
		}
	}
	return 0;
}

int proc_tracer(int proc, pid_t pid, struct proc_tracer *out)
{
	char path[32], buf[1024];
	owned_fd fd = -1;
	const char *line;
	ssize_t n;

	*out = (struct proc_tracer){ .name = "?" };
	snprintf(path, sizeof(path), "%d/status", (int)pid);
	fd = open_below(proc, path, O_RDONLY);
	/* The line is one of the first; the groups, which come later, can be many. */
	n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	if (fd < 0 || n < 0)
		return fd == -ENOENT ? -ESRCH : fd < 0 ? fd : -errno;
	buf[n] = '\0';
	line = strstr(buf, "\nTracerPid:\t");
	if (!line)
		return -ENODATA;
	out->pid = (pid_t)strtol(line + strlen("\nTracerPid:\t"), NULL, 10);
	snprintf(path, sizeof(path), "%d/comm", (int)out->pid);
	if (out->pid > 0 && proc_read(proc, path, out->name, sizeof(out->name)) < 0)
		snprintf(out->name, sizeof(out->name), "?");
	return 0;
}

pid_t proc_live_thread(int proc, pid_t pid)
{
	char path[32];
	owned_fd tasks = -1;
	struct dir_iter it;
	const char *name;
	int ret;

	snprintf(path, sizeof(path), "%d/task", pid);
	tasks = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ret = tasks < 0 ? -errno : dir_begin(&it, tasks);
	while (ret == 0 && (name = dir_next(&it, NULL, &ret))) {
		struct proc_stat st = { 0 };
		pid_t tid = (pid_t)strtol(name, NULL, 10);

		if (proc_stat(tasks, tid, &st) == 0 && !st.exiting && st.state != 'Z' &&
		    st.state != 'X')
			return tid;
	}
	return ret < 0 ? ret : -ESRCH;
}
