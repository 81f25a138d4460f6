/* SPDX-License-Identifier: Apache-2.0 */
#include "log_output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "json/json.h"

#define FULL_MS 500	/* for the reader of a full FIFO or socket, once */
#define JOURNALD_SOCKET "/run/systemd/journal/socket"
#define SYSLOG_SOCKET "/dev/log"
/* syslog(3): LOG_DAEMON, in the place where the facility stands. */
#define SYSLOG_DAEMON (3 << 3)

static const struct {
	const char *name;
	int severity;			/* of syslog(3), which journald shares */
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", 3 },
	[LOG_LEVEL_WARNING] = { "warning", 4 },
	[LOG_LEVEL_INFO] = { "info", 6 },
	[LOG_LEVEL_DEBUG] = { "debug", 7 },
};

/* RFC 3339 in UTC; containerd drops an entry whose time it cannot parse. */
static void format_time(char *buf, size_t size)
{
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static void format_json(struct json_out *o, enum log_level level, const char *text)
{
	char when[32];

	format_time(when, sizeof(when));
	json_out_open_object(o);
	json_out_key(o, "level");
	json_out_string(o, levels[level].name);
	json_out_key(o, "msg");
	json_out_string(o, text);
	json_out_key(o, "time");
	json_out_string(o, when);
	json_out_close_object(o);
}

/*
 * Whether a descriptor that was full has room again.  Whoever reads a FIFO or a socket may have
 * stopped for good, and a log must not hold up the container: one wait in vain, and from then on
 * nothing waits for that reader.
 */
static bool has_room(struct log_output *out, int fd)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };

	if (poll(&room, 1, out->full ? 0 : FULL_MS) > 0)
		return true;
	out->full = true;
	return false;
}

/*
 * The rest of a line for which there is no room is lost.  Only a descriptor that does not block
 * says that there is none: --log's is one; standard error is the caller's as it is, and when it
 * blocks, kist waits for its reader as any program does.
 */
static void write_all(struct log_output *out, int fd, const char *line)
{
	size_t len = strlen(line);

	while (len > 0) {
		ssize_t n = write(fd, line, len);

		if (n > 0) {
			line += n;
			len -= (size_t)n;
		} else if (n == 0 || (errno != EAGAIN && errno != EINTR) ||
			   (errno == EAGAIN && !has_room(out, fd))) {
			return;
		}
	}
}

/* One message to the socket of journald or syslog. */
static void send_all(struct log_output *out, const struct msghdr *msg)
{
	while (sendmsg(out->fd, msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		if (errno != EINTR && (errno != EAGAIN || !has_room(out, out->fd)))
			return;
}

/*
 * One line of a file or of standard error.  One write, so that lines of two processes do not mix.
 */
static void write_line(struct log_output *out, int fd, enum log_level level, const char *text)
{
	struct arena a = ARENA_INIT;
	const char *line;

	if (out->format == LOG_OUTPUT_JSON) {
		struct json_out o;

		json_out_begin(&o, &a, 0);
		format_json(&o, level, text);
		line = arena_printf(&a, "%s\n", json_out_text(&o));
	} else if (fd == STDERR_FILENO) {
		text = str_visible(text, "", &a);
		line = level == LOG_LEVEL_ERROR ? arena_printf(&a, "kist: %s\n", text) :
		       arena_printf(&a, "kist: %s: %s\n", levels[level].name, text);
	} else {
		char when[32];

		format_time(when, sizeof(when));
		line = arena_printf(&a, "time=\"%s\" level=%s msg=\"%s\"\n", when,
				    levels[level].name, str_visible(text, "\"\\", &a));
	}
	write_all(out, fd, line);
	arena_free(&a);
}

/*
 * systemd's native protocol: fields as "NAME\n", a little-endian length, the bytes, "\n": safe for
 * any text.
 */
static void send_journald(struct log_output *out, enum log_level level, const char *text)
{
	size_t len = strlen(text);
	unsigned char length[8];
	char head[256];
	struct strbuf b = STRBUF(head);
	struct iovec iov[4];
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 4 };

	for (size_t i = 0; i < sizeof(length); i++)
		length[i] = (unsigned char)((uint64_t)len >> (8 * i));
	strbuf_addf(&b, "PRIORITY=%d\nSYSLOG_IDENTIFIER=%.128s\nMESSAGE\n", levels[level].severity,
		    out->identifier);
	iov[0] = (struct iovec){ head, b.len };
	iov[1] = (struct iovec){ length, sizeof(length) };
	iov[2] = (struct iovec){ (char *)text, len };
	iov[3] = (struct iovec){ (char *)"\n", 1 };
	send_all(out, &msg);
}

static void send_syslog(struct log_output *out, enum log_level level, const char *text)
{
	char line[ERROR_TEXT_MAX + 192];
	struct strbuf b = STRBUF(line);
	struct iovec iov = { .iov_base = line };
	const struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	strbuf_addf(&b, "<%d>%.128s[%d]: %s", SYSLOG_DAEMON | levels[level].severity,
		    out->identifier, (int)getpid(), text);
	iov.iov_len = b.len;
	send_all(out, &msg);
}

static void log_output_write(struct log_output *out, enum log_level level, const char *text)
{
	struct arena a = ARENA_INIT;

	switch (out->target) {
	case LOG_OUTPUT_STDERR:
		write_line(out, STDERR_FILENO, level, text);
		break;
	case LOG_OUTPUT_FILE:
		write_line(out, out->fd, level, text);
		break;
	case LOG_OUTPUT_JOURNALD:
		send_journald(out, level, str_visible(text, "", &a));
		break;
	case LOG_OUTPUT_SYSLOG:
		send_syslog(out, level, str_visible(text, "", &a));
		break;
	}
	arena_free(&a);
}

static void sink(void *ctx, enum log_level level, const char *text)
{
	log_output_write(ctx, level, text);
}

static int open_socket(struct log_output *out, const char *path, const char *identifier,
		       struct error *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	owned_fd fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return error_set(err, errno, "create a socket for the log");
	memcpy(addr.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return error_set(err, errno, "open the log: connect to %s", path);
	out->identifier = *identifier ? identifier : "kist";
	out->fd = fd_take(&fd);
	return 0;
}

/* The length of "scheme" in "scheme:rest"; 0 when there is none, as in "/a:b" or "log.txt". */
static size_t scheme_length(const char *where)
{
	size_t len = strspn(where, "abcdefghijklmnopqrstuvwxyz");

	return where[len] == ':' ? len : 0;
}

static int open_target(struct log_output *out, const char *where, struct error *err)
{
	size_t scheme = scheme_length(where);

	if (!*where)
		return error_set(err, 0, "option --log is empty");
	if (str_starts(where, "journald:")) {
		out->target = LOG_OUTPUT_JOURNALD;
		return open_socket(out, JOURNALD_SOCKET, where + scheme + 1, err);
	}
	if (str_starts(where, "syslog:")) {
		out->target = LOG_OUTPUT_SYSLOG;
		return open_socket(out, SYSLOG_SOCKET, where + scheme + 1, err);
	}
	if (scheme && !str_starts(where, "file:"))
		return error_set(err, 0, "unknown log \"%s\": it is a path, "
				 "file:PATH, journald:NAME or syslog:NAME", where);
	if (scheme)
		where += scheme + 1;
	out->target = LOG_OUTPUT_FILE;
	/* Not blocking: the open() of a FIFO without a reader would wait for one. */
	out->fd = file_open_own(where, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY, 0644);
	if (out->fd == -ENXIO)
		return error_set(err, ENXIO,
				 "open log file %s: a socket, or a FIFO that nobody "
				 "reads",
				 where);
	if (out->fd < 0)
		return error_set(err, -out->fd, "open log file %s", where);
	return 0;
}

int log_output_open(struct log_output *out, const char *where, enum log_output_format format,
		    int level, struct error *err)
{
	struct log_output opened = LOG_OUTPUT_INIT;
	int ret;

	opened.format = format;
	if (level >= 0)
		opened.level = (enum log_level)level;
	if (where) {
		ret = open_target(&opened, where, err);
		if (ret < 0)
			return ret;
	}
	*out = opened;
	log_set_sink(sink, out, out->level);
	return 0;
}

void log_output_failure(struct log_output *out, const char *message)
{
	struct log_output plain = LOG_OUTPUT_INIT;

	log_output_write(out, LOG_LEVEL_ERROR, message);
	if (out->target != LOG_OUTPUT_STDERR)
		log_output_write(&plain, LOG_LEVEL_ERROR, message);
}

void log_output_close(struct log_output *out)
{
	log_set_sink(NULL, NULL, LOG_LEVEL_ERROR);
	fd_close(&out->fd);
}
