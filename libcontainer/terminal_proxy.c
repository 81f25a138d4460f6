/* SPDX-License-Identifier: Apache-2.0 */
/* terminal_proxy.c - between the caller's terminal and the container's. */
#include "terminal_proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/sys.h"

/*
 * POLLOUT on a pipe promises room for this much (PIPE_BUF), so a write of it never blocks the loop.
 */
#define CHUNK_MAX 4096
/* A terminal promises room for one byte only. */
#define TERMINAL_CHUNK_MAX 1
/*
 * After the end: what lies in the terminal (the kernel holds less than this) is fetched, new output
 * is not waited for.
 */
#define DRAIN_MS 100
#define DRAIN_CHUNKS 64
/* How long the caller has to take what was fetched; a terminal that nobody reads takes nothing. */
#define DRAIN_ALL_MS 2000

/* Bytes on their way from one descriptor to another; -1: that end is closed. */
struct stream {
	int from, to;
	bool at_end;			/* from has said that nothing more comes */
	char last;			/* byte that was read */
	size_t start, end;
	size_t write_max;		/* bytes that a write may have */
	unsigned int drained;		/* reads since the end */
	char bytes[CHUNK_MAX];
};

struct loop {
	struct terminal_proxy *proxy;
	pid_t pid;
	int pidfd;
	int master;
	bool ended;			/* the process has, and status is valid */
	int status;
	int64_t end_time;		/* when it did, in milliseconds; 0: it has not */
	struct stream in, out;		/* to and from the container */
};

int terminal_proxy_begin(struct terminal_proxy *p, struct error *err)
{
	sigset_t set;

	sigfillset(&set);
	/*
	 * Faults of our own must kill us; SIGURG is the business of Go programs' schedulers only.
	 */
	sigdelset(&set, SIGSEGV);
	sigdelset(&set, SIGBUS);
	sigdelset(&set, SIGFPE);
	sigdelset(&set, SIGILL);
	sigdelset(&set, SIGSYS);
	sigdelset(&set, SIGTRAP);
	sigdelset(&set, SIGABRT);
	sigdelset(&set, SIGURG);
	if (sigprocmask(SIG_BLOCK, &set, &p->old_mask) < 0)
		return error_set(err, errno, "block signals");
	p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p->signals < 0) {
		int saved = errno;

		sigprocmask(SIG_SETMASK, &p->old_mask, NULL);
		return error_set(err, saved, "open a signalfd");
	}
	return 0;
}

void terminal_proxy_end(struct terminal_proxy *p)
{
	if (p->signals < 0)
		return;
	fd_close(&p->signals);
	sigprocmask(SIG_SETMASK, &p->old_mask, NULL);
}

/* A terminal that nobody gave a size says 0 by 0: then the configuration's stays. */
static void copy_size(int from, int to)
{
	struct winsize size;

	if (to >= 0 && ioctl(from, TIOCGWINSZ, &size) == 0 && (size.ws_row > 0 || size.ws_col > 0))
		ioctl(to, TIOCSWINSZ, &size);
}

/* Takes the dead: the process itself, and as a subreaper whoever it left behind. */
static void reap(struct loop *l)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == l->pid) {
			l->status = status;
			l->ended = true;
		}
	}
}

static void on_signal(struct loop *l)
{
	struct signalfd_siginfo info;

	while (read(l->proxy->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			reap(l);
		else if (info.ssi_signo == SIGWINCH)
			copy_size(STDIN_FILENO, l->master);
		/* Our own, from a standard output that was closed. */
		else if (info.ssi_signo == SIGPIPE && info.ssi_pid == (uint32_t)getpid())
			continue;
		/* Through the pidfd, so that it can never hit a process that has the pid later. */
		else if (!l->ended)
			sys_pidfd_send_signal(l->pidfd, (int)info.ssi_signo);
	}
}

static void stream_close(struct stream *s)
{
	s->from = -1;
	s->to = -1;
	s->start = s->end = 0;
}

static void stream_read(struct stream *s)
{
	ssize_t n = read(s->from, s->bytes, sizeof(s->bytes));

	if (n > 0) {
		s->end = (size_t)n;
		s->last = s->bytes[n - 1];
		return;
	}
	s->at_end = n == 0;
	/* The master says EIO when nobody has the slave open. */
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		stream_close(s);
}

static void stream_write(struct stream *s)
{
	size_t size = s->end - s->start;
	ssize_t n = write(s->to, s->bytes + s->start, size < s->write_max ? size : s->write_max);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		stream_close(s);
		return;
	}
	if (n > 0)
		s->start += (size_t)n;
	if (s->start == s->end)
		s->start = s->end = 0;
}

static bool stream_is_full(const struct stream *s)
{
	return s->end > s->start;
}

/* What the stream waits for: room when it holds bytes, else more of them. */
static struct pollfd stream_poll(const struct stream *s)
{
	bool full = stream_is_full(s);

	return (struct pollfd){ .fd = full ? s->to : s->from, .events = full ? POLLOUT : POLLIN };
}

static void stream_step(struct stream *s, const struct pollfd *pfd)
{
	if (pfd->fd < 0 || pfd->revents == 0)
		return;
	if (pfd->events == POLLOUT)
		stream_write(s);
	else
		stream_read(s);
}

/*
 * A terminal has no end; who reads lines from it is told of one by a character, at the beginning of
 * a line: in the middle of one that only hands over what there is.  A program that reads single
 * bytes (raw) has made rules of its own, and is told nothing.
 */
static void end_input(struct loop *l)
{
	struct termios t;
	bool in_line;

	l->in.at_end = false;
	if (tcgetattr(l->master, &t) < 0 || !(t.c_lflag & ICANON) ||
	    t.c_cc[VEOF] == _POSIX_VDISABLE)
		return;
	in_line = l->in.last != '\0' && l->in.last != '\n' &&
		  (l->in.last != '\r' || !(t.c_iflag & ICRNL));
	l->in.to = l->master;
	l->in.end = in_line ? 2 : 1;
	memset(l->in.bytes, t.c_cc[VEOF], l->in.end);
}

/*
 * How long to wait, in milliseconds: -1 is for ever; 0: the loop is at its end.  When the process
 * has ended, the caller gets a time to take the output.
 */
static int loop_timeout(struct loop *l)
{
	int64_t left;

	if (!l->ended)
		return -1;
	if (l->end_time == 0)
		l->end_time = clock_ms();
	left = DRAIN_ALL_MS - (clock_ms() - l->end_time);
	if (l->out.from < 0 || left <= 0)
		return 0;
	if (stream_is_full(&l->out))
		return (int)left;
	if (l->out.drained++ == DRAIN_CHUNKS)
		return 0;
	return left < DRAIN_MS ? (int)left : DRAIN_MS;
}

static int loop_run(struct loop *l, struct error *err)
{
	int timeout;

	while ((timeout = loop_timeout(l)) != 0) {
		struct pollfd fds[4] = {
			{ .fd = l->proxy->signals, .events = POLLIN },
			{ .fd = l->ended ? -1 : l->pidfd, .events = POLLIN },
			stream_poll(&l->in),
			stream_poll(&l->out),
		};
		int n = poll(fds, 4, timeout);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, errno, "wait for the container");
		if (n == 0)
			break;
		stream_step(&l->in, &fds[2]);
		if (l->in.at_end)
			end_input(l);
		stream_step(&l->out, &fds[3]);
		if (fds[0].revents)
			on_signal(l);
		if (fds[1].revents)
			reap(l);
		if (fds[1].revents && !l->ended)
			return error_set(err, ECHILD, "wait for process %d of the container",
					 (int)l->pid);
		if (l->ended)
			stream_close(&l->in);
	}
	return 0;
}

/*
 * The caller's terminal may take nothing (Ctrl-S, a connection that stalls), and signals are passed
 * on all the same: no write may block.  O_NONBLOCK belongs to the open file, which is the shell's,
 * too; so the terminal, or the pipe, is opened once more.  -1 where that cannot be: it is
 * another user's, or the side of a terminal where opening makes a new one.
 */
static int open_output(void)
{
	struct stat given, opened;
	unsigned int number;
	owned_fd fd = -1;

	if (fstat(STDOUT_FILENO, &given) < 0 || !(S_ISFIFO(given.st_mode) || isatty(STDOUT_FILENO)))
		return -1;
	if (ioctl(STDOUT_FILENO, TIOCGPTN, &number) == 0)
		return -1;
	fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &opened) < 0 || opened.st_dev != given.st_dev ||
	    opened.st_ino != given.st_ino)
		return -1;
	return fd_take(&fd);
}

int terminal_proxy_run(struct terminal_proxy *p, pid_t pid, int pidfd, int master, int *status,
		       struct error *err)
{
	struct loop l = {
		.proxy = p,
		.pid = pid,
		.pidfd = pidfd,
		.master = master,
		.in = { .from = master >= 0 ? STDIN_FILENO : -1, .to = master,
			.write_max = CHUNK_MAX },
		.out = { .from = master,
			 .to = master >= 0 ? STDOUT_FILENO : -1,
			 .write_max = CHUNK_MAX },
	};
	owned_fd output = master >= 0 ? open_output() : -1;
	struct termios old, raw;
	bool is_raw = false;
	int r;

	if (master >= 0 && fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return error_set(err, errno, "set the terminal non-blocking");
	if (master >= 0 && tcgetattr(STDIN_FILENO, &old) == 0) {
		raw = old;
		cfmakeraw(&raw);
		/* "\r" is added here: the container's terminal has ONLCR off. */
		raw.c_oflag = old.c_oflag;
		is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
		copy_size(STDIN_FILENO, master);
	}
	if (output >= 0)
		l.out.to = output;
	else if (isatty(STDOUT_FILENO))
		l.out.write_max = TERMINAL_CHUNK_MAX;
	r = loop_run(&l, err);
	/*
	 * SIGTTOU is blocked: this works from the background too.  Not TCSADRAIN: a terminal that
	 * nobody reads would keep us.  The modes of the output have not changed.
	 */
	if (is_raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &old);
	if (r == 0)
		*status = l.status;
	return r;
}
