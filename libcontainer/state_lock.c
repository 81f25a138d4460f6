/* SPDX-License-Identifier: Apache-2.0 */
#include "state_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/dir.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/sys.h"

#define LOCK_TIMEOUT_MS 10000
/* The three parts of the same time when the lock is taken by force. */
#define PATIENCE_MS 5000
#define AFTER_TERM_MS 2500
#define AFTER_KILL_MS 2500

#define LOCKS_TEXT_MAX (4u << 20) /* /proc/locks of a machine with some 50,000 locks */

int state_lock_fits(int dir, const char *id)
{
	char path[NAME_MAX + 4];
	struct stat held, named;

	/* By way of the directory itself, which works without a descriptor of the state root. */
	snprintf(path, sizeof(path), "../%s", id);
	if (fstat(dir, &held) < 0)
		return -errno;
	if (fstatat(dir, path, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	return held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

/* ---- waiting -------------------------------------------------------------------------------- */

/* Only interrupts what the process waits for. */
static void wake_up(int sig)
{
	(void)sig;
}

static struct timeval timeval_of(int64_t ms)
{
	return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
}

/* When the timer is due, in milliseconds, at least 1; 0: it is off. */
static int64_t due_ms(const struct itimerval *timer)
{
	const struct timeval *left = &timer->it_value;

	return left->tv_sec || left->tv_usec
		       ? (int64_t)left->tv_sec * 1000 + left->tv_usec / 1000 + 1
		       : 0;
}

/* Not beyond an alarm that kist was started with (alarm(2) outlives exec). */
static int64_t shorter_wait(int64_t timeout_ms, const struct itimerval *alarm)
{
	int64_t due = due_ms(alarm);

	return due > 0 && due < timeout_ms ? due : timeout_ms;
}

/* Such an alarm must come as if nobody had used its timer. */
static void restore_alarm(struct itimerval alarm, int64_t passed_ms)
{
	int64_t due = due_ms(&alarm);

	if (due == 0)
		return;
	alarm.it_value = timeval_of(due > passed_ms ? due - passed_ms : 1);
	(void)setitimer(ITIMER_REAL, &alarm, NULL);
}

/*
 * flock() knows no time-out: a timer's signal ends the wait.  Another SIGALRM does not.  0,
 * -ETIMEDOUT or -errno.
 */
static int wait_for_lock(int dir, int timeout_ms)
{
	struct sigaction wake = { .sa_handler = wake_up }, old;
	/* Again and again, in case the first comes before flock() has begun to wait. */
	struct itimerval timer = { .it_interval = { .tv_usec = 50000 } }, old_timer;
	int64_t begin = clock_ms(), end;
	sigset_t alarm, old_mask;
	int ret;

	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	if (getitimer(ITIMER_REAL, &old_timer) < 0 || sigaction(SIGALRM, &wake, &old) < 0)
		return -errno;
	end = begin + shorter_wait(timeout_ms, &old_timer);
	timer.it_value = timeval_of(end - begin);
	/* The caller may have blocked it, or kist was started like that. */
	(void)setitimer(ITIMER_REAL, &timer, NULL);
	(void)sigprocmask(SIG_UNBLOCK, &alarm, &old_mask);
	do {
		ret = flock(dir, LOCK_EX) < 0 ? -errno : 0;
	} while (ret == -EINTR && clock_ms() < end);
	(void)setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	(void)sigprocmask(SIG_SETMASK, &old_mask, NULL);
	(void)sigaction(SIGALRM, &old, NULL);
	restore_alarm(old_timer, clock_ms() - begin);
	return ret == -EINTR ? -ETIMEDOUT : ret;
}

/* ---- who holds it --------------------------------------------------------------------------- */

#define COMMAND_MAX 200	/* of a command line in an error */

struct holder {
	pid_t pid;		/* 0: not known */
	bool kist;		/* runs the program that this process runs */
	bool deletes;		/* its command is `delete` */
	char command[COMMAND_MAX];	/* its words, or "" */
};

/* Whether a process has locked an open file: then its fdinfo has a line of the lock. */
static bool is_locked(int proc, pid_t pid, const char *fd)
{
	char path[64], text[4096];

	snprintf(path, sizeof(path), "%d/fdinfo/%s", (int)pid, fd);
	return proc_read(proc, path, text, sizeof(text)) > 0 && strstr(text, "\nlock:") &&
	       strstr(text, "FLOCK");
}

/*
 * Whether a descriptor is of the directory.  Only for locked files: other files may lie on a file
 * system that does not answer, such as NFS without its server.
 */
static bool is_directory(int fds, const char *fd, const struct stat *dir)
{
	struct statx st;

	return statx(fds, fd, AT_STATX_DONT_SYNC, STATX_INO, &st) == 0 &&
	       makedev(st.stx_dev_major, st.stx_dev_minor) == dir->st_dev &&
	       st.stx_ino == dir->st_ino;
}

/* Whether a process has the open file that the directory is locked by, made or inherited. */
static bool holds_lock(int proc, pid_t pid, const struct stat *dir)
{
	owned_fd fds = -1;
	struct dir_iter it;
	const char *name;
	char path[32];
	int ret;

	snprintf(path, sizeof(path), "%d/fd", (int)pid);
	fds = proc_open_file(proc, path, O_RDONLY | O_DIRECTORY);
	ret = fds < 0 ? fds : dir_begin(&it, fds);
	while (ret == 0 && (name = dir_next(&it, NULL, &ret))) {
		if (is_locked(proc, pid, name) && is_directory(fds, name, dir))
			return true;
	}
	return false;
}

/*
 * One line of /proc/locks, such as "3: FLOCK  ADVISORY  WRITE 4711 00:2d:815 0 EOF".  The pid if it
 * is a flock of a file with that inode number, else 0.  One who only waits has "->" in front.
 */
static pid_t holder_in_line(char *line, uint64_t inode)
{
	const char *word[6] = { "" }, *colon;
	uint64_t pid, number;
	size_t n = 0;

	for (char *w; n < 6 && (w = strsep(&line, " ")) != NULL;) {
		if (*w)
			word[n++] = w;
	}
	colon = n == 6 ? strrchr(word[5], ':') : NULL;
	if (!colon || strcmp(word[1], "FLOCK") != 0 ||
	    str_to_u64(colon + 1, UINT64_MAX, &number) < 0 || number != inode)
		return 0;
	return str_to_u64(word[4], INT_MAX, &pid) < 0 ? 0 : (pid_t)pid;
}

/* A holder among all processes. */
static pid_t find_among_all(int proc, const struct stat *dir)
{
	owned_fd fd = openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dir_iter it;
	const char *name;
	int ret = fd < 0 ? -errno : dir_begin(&it, fd);

	while (ret == 0 && (name = dir_next(&it, NULL, &ret))) {
		uint64_t pid;

		if (str_to_u64(name, INT_MAX, &pid) == 0 && pid != (uint64_t)getpid() &&
		    holds_lock(proc, (pid_t)pid, dir))
			return (pid_t)pid;
	}
	return 0;
}

/*
 * 0: nobody, or somebody that this /proc does not show.  /proc/locks names who took the lock.  The
 * device there is that of the file system, which stat() does not tell everywhere (btrfs, overlay),
 * and the process may have been killed while a child still has its copy of the open file: so what
 * processes have open decides.
 */
static pid_t find_holder(int proc, int dir)
{
	owned_fd fd = proc_open_file(proc, "locks", O_RDONLY);
	struct arena scratch = ARENA_INIT;
	struct stat st;
	pid_t found = 0;
	char *text;

	if (fd < 0 || fstat(dir, &st) < 0)
		return 0;
	if (file_read_fd(fd, LOCKS_TEXT_MAX, &scratch, &text, NULL) == 0) {
		for (char *line; found == 0 && (line = strsep(&text, "\n")) != NULL;) {
			pid_t pid = holder_in_line(line, st.st_ino);

			found = pid > 0 && holds_lock(proc, pid, &st) ? pid : 0;
		}
	}
	arena_free(&scratch);
	return found > 0 ? found : find_among_all(proc, &st);
}

/* Whether the first word that is the name of a command with a lock is "delete". */
static bool is_delete(const char *words, size_t len)
{
	static const char *const locking[] = { "create", "run", "start", "pause", "resume",
					       "update", "kill", "delete" };

	for (const char *w = words; w < words + len; w += strlen(w) + 1) {
		for (size_t i = 0; i < sizeof(locking) / sizeof(*locking); i++) {
			if (strcmp(w, locking[i]) == 0)
				return strcmp(w, "delete") == 0;
		}
	}
	return false;
}

/* The words of a process's command line, with a space between them as far as they are shown. */
static void read_command(int proc, pid_t pid, struct holder *h)
{
	char path[32], words[4096];
	owned_fd fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "%d/cmdline", (int)pid);
	fd = proc_open_file(proc, path, O_RDONLY);
	n = fd < 0 ? 0 : read(fd, words, sizeof(words) - 1);
	n = n < 0 ? 0 : n;
	words[n] = '\0';
	h->deletes = is_delete(words, (size_t)n);
	while (n > 0 && words[n - 1] == '\0')
		n--;
	for (ssize_t i = 0; i < n; i++)
		words[i] = words[i] == '\0' ? ' ' : words[i];
	snprintf(h->command, sizeof(h->command), "%s", words);
}

/* The path of a process's program.  A sealed copy (self_exe.h) is named after its original. */
static bool program_path(int proc, const char *process, char *out, size_t size)
{
	static const char copy[] = "/memfd:", gone[] = " (deleted)";
	char link[PATH_MAX], *path = link;
	char name[32];
	ssize_t n;

	snprintf(name, sizeof(name), "%s/exe", process);
	n = readlinkat(proc, name, link, sizeof(link) - 1);
	if (n <= 0)
		return false;
	link[n] = '\0';
	if (str_ends(link, gone))
		link[n - (ssize_t)strlen(gone)] = '\0';
	path += str_starts(link, copy) ? strlen(copy) : 0;
	return (size_t)snprintf(out, size, "%s", path) < size;
}

static bool is_kist(int proc, pid_t pid)
{
	char number[16], own[PATH_MAX], other[PATH_MAX];

	snprintf(number, sizeof(number), "%d", (int)pid);
	return program_path(proc, "self", own, sizeof(own)) &&
	       program_path(proc, number, other, sizeof(other)) && strcmp(own, other) == 0;
}

static struct holder describe_holder(int proc, int dir)
{
	struct holder h = { .pid = find_holder(proc, dir) };

	if (h.pid > 0) {
		read_command(proc, h.pid, &h);
		h.kist = is_kist(proc, h.pid);
	}
	return h;
}

/*
 * Sends signals to a kist command that holds the lock; to a `delete` only SIGCONT, in case it was
 * stopped, since it does what is wanted.  The kernel lets only its own user and root do that.  The
 * pidfd is opened before the second look at /proc/locks, so it is of the process that holds this
 * very lock, not of another that has got its number.
 */
static void end_holder(int dir, const int *signals)
{
	owned_fd proc = proc_open(), pidfd = -1;
	struct holder h;

	if (proc < 0)
		return;
	h = describe_holder(proc, dir);
	if (h.pid <= 0 || h.pid == getpid() || !h.kist)
		return;
	pidfd = sys_pidfd_open(h.pid, 0);
	if (pidfd < 0 || find_holder(proc, dir) != h.pid)
		return;
	for (; *signals; signals++) {
		if (!h.deletes || *signals == SIGCONT)
			(void)sys_pidfd_send_signal(pidfd, *signals);
	}
}

static int locked_error(int dir, const char *id, struct error *err)
{
	const int seconds = LOCK_TIMEOUT_MS / 1000;
	owned_fd proc = proc_open();
	struct holder h = { 0 };

	if (proc >= 0)
		h = describe_holder(proc, dir);
	if (h.pid <= 0)
		return error_set(err, 0, "container %s is locked by another kist command for %d s",
				 id, seconds);
	return error_set(err, 0, "container %s is locked by process %d (%s) for %d s", id,
			 (int)h.pid, *h.command ? h.command : "?", seconds);
}

/* ---- the lock ------------------------------------------------------------------------------- */

/* -ETIMEDOUT only if the holder keeps the container's own directory: another keeps nobody out. */
static int wait_by_force(int dir, const char *id)
{
	static const int end[] = { SIGTERM, SIGCONT, 0 }, kill[] = { SIGKILL, 0 };
	int ret = wait_for_lock(dir, PATIENCE_MS);

	if (ret == -ETIMEDOUT && state_lock_fits(dir, id) != 0) {
		end_holder(dir, end);
		ret = wait_for_lock(dir, AFTER_TERM_MS);
	}
	if (ret == -ETIMEDOUT && state_lock_fits(dir, id) != 0) {
		end_holder(dir, kill);
		ret = wait_for_lock(dir, AFTER_KILL_MS);
	}
	return ret;
}

static int take(int dir, const char *id, bool by_force, struct error *err)
{
	int ret = flock(dir, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
	bool locked;

	if (ret == -EWOULDBLOCK)
		ret = by_force ? wait_by_force(dir, id) : wait_for_lock(dir, LOCK_TIMEOUT_MS);
	locked = ret == 0;
	/* Also after a wait in vain: a removed directory keeps nobody out. */
	if (locked || ret == -ETIMEDOUT)
		ret = state_lock_fits(dir, id);
	if (ret > 0)
		return locked ? 0 : locked_error(dir, id, err);
	if (locked)
		state_lock_release(dir);
	if (ret < 0) {
		error_set(err, -ret, "lock container %s", id);
		return -EIO;
	}
	error_set(err, 0, "container %s does not exist", id);
	return -ENOENT;
}

int state_lock_take(int dir, const char *id, struct error *err)
{
	return take(dir, id, false, err);
}

int state_lock_take_by_force(int dir, const char *id, struct error *err)
{
	return take(dir, id, true, err);
}

void state_lock_release(int dir)
{
	(void)flock(dir, LOCK_UN);
}

bool state_lock_is_held(int dir)
{
	if (flock(dir, LOCK_SH | LOCK_NB) < 0)
		return errno == EWOULDBLOCK;
	state_lock_release(dir);
	return false;
}
