/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tracer.c - a hostile first process of a container, for the integration tests.
 *
 *	tracer handle FILE		on the host: prints the file's handle, for "act"
 *	tracer page VALUE		writes VALUE, or the largest number, all over the shared
 *					memory of each process that appears in its PID namespace,
 *					as long as that is still kist
 *	tracer wreck VALUE		the same, and kills it then: what is written stays
 *	tracer remap VALUE		maps what lies before that memory in the same object, and
 *					writes VALUE in the place of each pid there
 *	tracer spy TEXT			looks in all memory of each of them for TEXT, whose dots are
 *					left out: the configuration there has these words, too
 *	tracer agent TEXT		sends TEXT through each stream socket that one of them has
 *	tracer act HANDLE		makes each of them open the file of that handle
 *	tracer root FILE		reads FILE below the root directory of each of them
 *	tracer hold			stops each of them for ever
 *	tracer linger			sends a socket through the channel of each of them, whose
 *					close() waits for an hour
 *	tracer keep			keeps the channel of each of them open
 *	tracer exit			traces each of them when it has executed its program, so
 *					that it cannot come to its end
 *	tracer send			takes the socket that is its standard input, and sends a
 *					descriptor on it that is none of procfs
 *	tracer look			notes what each of them has: ids, capabilities, descriptors,
 *					limits
 *
 * A process is stopped as soon as it has a number.  When /end appears, what came of it is in
 * /result, a line each: "seen N" (processes that were caught before they executed a program),
 * "attacked N" (those with which the attack came to its end), and what the kind of attack tells.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define WINDOW 4 /* numbers ahead of the last process */

struct attack {
	const char *name;
	/* 1: it came to its end, 0: not. */
	int (*run)(pid_t pid, const char *argument, FILE *result);
};

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(1);
}

static void handle(const char *file)
{
	struct file_handle *h = malloc(sizeof(*h) + MAX_HANDLE_SZ);
	const unsigned char *bytes = (const unsigned char *)h;
	int mount_id;

	if (!h)
		die("malloc");
	h->handle_bytes = MAX_HANDLE_SZ;
	if (name_to_handle_at(AT_FDCWD, file, h, &mount_id, 0) < 0)
		die(file);
	for (size_t i = 0; i < sizeof(*h) + h->handle_bytes; i++)
		printf("%02x", bytes[i]);
	printf("\n");
	free(h);
}

/* ---- the attacks --------------------------------------------------------------------------- */

static int page(pid_t pid, const char *argument, FILE *result)
{
	static unsigned int round;
	static int32_t words[16384];
	const size_t sizes[] = { sizeof(words), 16, 4 };
	size_t size = sizes[round++ % 3];
	unsigned long from, to;
	char path[64], line[512], mode[8];
	int written = 0;
	FILE *maps;

	(void)result;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		words[i] = round / 3 % 2 ? INT_MAX : atoi(argument);
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 || strcmp(mode, "rw-s") != 0)
			continue;
		for (unsigned long at = from; at < to; at += sizeof(words)) {
			size_t n = to - at < size ? to - at : size;
			struct iovec local = { words, n }, remote = { (void *)at, n };

			written |= process_vm_writev(pid, &local, 1, &remote, 1, 0) > 0;
		}
	}
	if (maps)
		fclose(maps);
	return written;
}

static int wreck(pid_t pid, const char *argument, FILE *result)
{
	int written = page(pid, argument, result);

	kill(pid, SIGKILL);
	return written;
}

/* Whether it could be read. */
static int show_file(const char *path, FILE *result)
{
	char text[128];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n > 0) {
		text[n] = '\0';
		fprintf(result, "read %s\n", text);
	}
	if (fd >= 0)
		close(fd);
	return n > 0;
}

static int root(pid_t pid, const char *argument, FILE *result)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/proc/%d/root%s", pid, argument);
	/* At once, and later: what it is at birth it need not stay. */
	for (int i = 0; i < 200; i++) {
		if (show_file(path, result))
			return 1;
		if (kill(pid, SIGCONT) < 0)
			return 0;
		usleep(500);
	}
	return 0;
}

#ifdef __x86_64__
/* Waits for the next stop of a process that is traced: the signal, or -1 when it has ended. */
static int next_stop(pid_t pid)
{
	int status;

	for (int i = 0; i < 2000; i++) {
		pid_t got = waitpid(pid, &status, __WALL | WNOHANG);

		if (got < 0 || (got == pid && !WIFSTOPPED(status)))
			return -1;
		if (got == pid)
			return WSTOPSIG(status);
		usleep(1000);
	}
	return -1;
}

/* Has it do one system call, and then a trap.  -1: it could not be had. */
static long make_call(pid_t pid, long nr, const long args[5])
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0 ||
	    ptrace(PTRACE_POKETEXT, pid, regs.rip, 0xcccccccccccc050fUL) < 0)
		return -1;
	regs.rax = (unsigned long)nr;
	/* No call to be restarted. */
	regs.orig_rax = (unsigned long)-1;
	regs.rdi = (unsigned long)args[0];
	regs.rsi = (unsigned long)args[1];
	regs.rdx = (unsigned long)args[2];
	regs.r10 = (unsigned long)args[3];
	regs.r8 = (unsigned long)args[4];
	if (ptrace(PTRACE_SETREGS, pid, NULL, &regs) < 0)
		return -1;
	/* Stops that are still to come, and then the trap. */
	for (int i = 0; i < 4; i++) {
		int stop = ptrace(PTRACE_CONT, pid, NULL, 0) < 0 ? -1 : next_stop(pid);

		if (stop < 0)
			return -1;
		if (stop == SIGTRAP)
			return ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0 ? -1 : (long)regs.rax;
	}
	return -1;
}

static int act(pid_t pid, const char *argument, FILE *result)
{
	unsigned char bytes[256];
	struct user_regs_struct regs;
	size_t n = 0;
	char path[64];
	long fd = -1, at;
	int came = 0;

	for (; n < sizeof(bytes) && sscanf(argument + 2 * n, "%2hhx", &bytes[n]) == 1; n++)
		;
	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) < 0)
		return 0;
	if (next_stop(pid) >= 0 && ptrace(PTRACE_GETREGS, pid, NULL, &regs) == 0) {
		at = (long)((regs.rsp - 1024) & ~7UL);
		for (size_t i = 0; i < n; i += sizeof(long)) {
			long word;

			memcpy(&word, bytes + i, sizeof(word));
			ptrace(PTRACE_POKEDATA, pid, at + (long)i, word);
		}
		fd = make_call(pid, SYS_open_by_handle_at, (long[5]){ AT_FDCWD, at, O_RDONLY });
		came = 1;
	}
	fprintf(result, "call %ld\n", fd);
	snprintf(path, sizeof(path), "/proc/%d/fd/%ld", pid, fd);
	if (fd >= 0)
		show_file(path, result);
	kill(pid, SIGKILL);
	while (next_stop(pid) >= 0)
		;
	return came;
}

/* The memory that a process shares: its first address and its place in its object, in pages. */
static unsigned long shared_memory(pid_t pid, unsigned long *place)
{
	unsigned long from, at = 0, offset;
	char path[64], line[512], mode[8];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%*x %7s %lx", &from, mode, &offset) == 3 &&
		    strcmp(mode, "rw-s") == 0) {
			at = from;
			*place = offset / 4096;
		}
	}
	if (maps)
		fclose(maps);
	return at;
}

/* A row's number is small: what is larger, in memory that is nearly empty, is a pid. */
static int replace_pids(pid_t pid, unsigned long at, int32_t value)
{
	int32_t words[1024];
	struct iovec local = { words, sizeof(words) }, remote = { (void *)at, sizeof(words) };
	int found = 0;

	if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != sizeof(words))
		return 0;
	for (size_t i = 0; i < 1024; i++) {
		if (words[i] > 128) {
			words[i] = value;
			found++;
		}
	}
	process_vm_writev(pid, &local, 1, &remote, 1, 0);
	return found;
}

static int remap(pid_t pid, const char *argument, FILE *result)
{
	struct user_regs_struct before;
	unsigned long at, place = 0;
	long word, ret = -1;

	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) < 0)
		return 0;
	at = next_stop(pid) >= 0 ? shared_memory(pid, &place) : 0;
	if (at && ptrace(PTRACE_GETREGS, pid, NULL, &before) == 0) {
		word = ptrace(PTRACE_PEEKTEXT, pid, before.rip, NULL);
		ret = make_call(pid, SYS_remap_file_pages, (long[5]){ (long)at, 4096 });
		if (ret == 0)
			fprintf(result, "pids %d\n", replace_pids(pid, at, atoi(argument)));
		ptrace(PTRACE_POKETEXT, pid, before.rip, word);
		ptrace(PTRACE_SETREGS, pid, NULL, &before);
		/* As it was, so that it goes on. */
		make_call(pid, SYS_remap_file_pages, (long[5]){ (long)at, 4096, 0, (long)place });
		ptrace(PTRACE_POKETEXT, pid, before.rip, word);
		ptrace(PTRACE_SETREGS, pid, NULL, &before);
	}
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return ret == 0;
}
#else
static int act(pid_t pid, const char *argument, FILE *result)
{
	(void)pid;
	(void)argument;
	(void)result;
	return 0;
}

static int remap(pid_t pid, const char *argument, FILE *result)
{
	return act(pid, argument, result);
}
#endif

/* 1: all its memory could be looked at. */
static int spy(pid_t pid, const char *argument, FILE *result)
{
	static char memory[1 << 20];
	char path[64], line[512], mode[8];
	unsigned long from, to;
	char text[64] = "";
	int looked = 0;
	FILE *maps;

	for (size_t n = 0; *argument && n < sizeof(text) - 1; argument++) {
		if (*argument != '.')
			text[n++] = *argument;
	}
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3)
			continue;
		for (; from < to; from += sizeof(memory)) {
			size_t size = to - from < sizeof(memory) ? to - from : sizeof(memory);
			struct iovec local = { memory, size }, remote = { (void *)from, size };
			ssize_t n = process_vm_readv(pid, &local, 1, &remote, 1, 0);

			looked |= n > 0;
			if (n > 0 && memmem(memory, (size_t)n, text, strlen(text)))
				fprintf(result, "found %s", line);
		}
	}
	if (maps)
		fclose(maps);
	return looked;
}

static int agent(pid_t pid, const char *argument, FILE *result)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), type, looked = 0;

	for (int number = 3; number < 64; number++) {
		int fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
		socklen_t len = sizeof(type);

		looked |= fd >= 0;
		if (fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
		    type == SOCK_STREAM && send(fd, argument, strlen(argument), MSG_NOSIGNAL) > 0)
			fprintf(result, "sent\n");
		if (fd >= 0)
			close(fd);
	}
	if (pidfd >= 0)
		close(pidfd);
	return looked;
}

static void look_at_limits(pid_t pid, FILE *result)
{
	char path[64], line[512], soft[32], hard[32];
	FILE *limits;

	snprintf(path, sizeof(path), "/proc/%d/limits", pid);
	limits = fopen(path, "r");
	while (limits && fgets(line, sizeof(line), limits)) {
		if (sscanf(line, "Max open files %31s %31s", soft, hard) == 2)
			fprintf(result, "files: %s %s\n", soft, hard);
		if (sscanf(line, "Max processes %31s %31s", soft, hard) == 2)
			fprintf(result, "processes: %s %s\n", soft, hard);
	}
	if (limits)
		fclose(limits);
}

static int look(pid_t pid, const char *argument, FILE *result)
{
	char path[64], line[512];
	struct dirent *entry;
	int sockets = 0;
	FILE *status;
	ssize_t n;
	DIR *dir;

	(void)argument;
	look_at_limits(pid, result);
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "r");
	while (status && fgets(line, sizeof(line), status)) {
		if (strncmp(line, "Cap", 3) == 0 || strncmp(line, "Uid", 3) == 0 ||
		    strncmp(line, "Groups", 6) == 0 || strncmp(line, "NoNew", 5) == 0 ||
		    strncmp(line, "Seccomp:", 8) == 0)
			fputs(line, result);
	}
	if (status)
		fclose(status);
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	n = readlink(path, line, sizeof(line) - 1);
	if (n > 0) {
		line[n] = '\0';
		fprintf(result, "exe %s\n", line);
	}
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		n = readlinkat(dirfd(dir), entry->d_name, line, sizeof(line) - 1);
		if (n > 0 && atoi(entry->d_name) > 2) {
			line[n] = '\0';
			sockets += strncmp(line, "socket:", 7) == 0;
			fprintf(result, "descriptor %s\n", line);
		}
	}
	if (dir) {
		fprintf(result, "sockets %d\n", sockets);
		closedir(dir);
	}
	return status != NULL;
}

static int hold(pid_t pid, const char *argument, FILE *result)
{
	(void)argument;
	fprintf(result, "held %d\n", (int)pid);
	return 1;
}

/* The channel to kist: the one socket of its kind that such a process has.  -1: there is none. */
static int take_channel(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), fd = -1;

	for (int number = 3; number < 64 && fd < 0; number++) {
		socklen_t len = sizeof(int);
		int type;

		fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
		if (fd >= 0 && (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
				type != SOCK_SEQPACKET)) {
			close(fd);
			fd = -1;
		}
	}
	close(pidfd);
	return fd;
}

/* A TCP socket with data that nobody ever reads. */
static int lingering_socket(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct linger hour = { 1, 3600 };
	static char much[65536];
	socklen_t len = sizeof(a);
	int server = socket(AF_INET, SOCK_STREAM, 0), sock = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(server, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(server, 1) < 0 ||
	    getsockname(server, (struct sockaddr *)&a, &len) < 0 ||
	    connect(sock, (struct sockaddr *)&a, sizeof(a)) < 0)
		die("a TCP connection");
	while (send(sock, much, sizeof(much), MSG_DONTWAIT) > 0)
		;
	setsockopt(sock, SOL_SOCKET, SO_LINGER, &hour, sizeof(hour));
	return sock;
}

static int linger(pid_t pid, const char *argument, FILE *result)
{
	/* A line for the log: FRAME_LOG of stage.c. */
	struct { uint32_t type, row; int32_t pid; uint32_t level; char text[8]; } line = {
		.type = 4, .level = 3, .text = "x",
	};
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .buf = "" };
	struct iovec iov = { &line, sizeof(line) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	int channel = take_channel(pid), sock = channel < 0 ? -1 : lingering_socket();
	ssize_t n;

	(void)argument;
	(void)result;
	if (channel < 0)
		return 0;
	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_RIGHTS;
	control.align.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.align), &sock, sizeof(sock));
	n = sendmsg(channel, &msg, MSG_NOSIGNAL);
	close(sock);
	close(channel);
	return n > 0;
}

static int keep(pid_t pid, const char *argument, FILE *result)
{
	(void)argument;
	(void)result;
	return take_channel(pid) >= 0;
}

static int at_exit(pid_t pid, const char *argument, FILE *result)
{
	int ret;

	(void)argument;
	kill(pid, SIGCONT);
	usleep(500000);
	ret = (int)ptrace(PTRACE_SEIZE, pid, NULL, (void *)PTRACE_O_TRACEEXIT);
	fprintf(result, "traced %d\n", ret);
	return ret == 0;
}

/* As the process that opens procfs would: a number, and a descriptor. */
static int send_other(int sock)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	int32_t number = 0;
	struct iovec data = { &number, sizeof(number) };
	struct msghdr m = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int other = open("/", O_RDONLY | O_CLOEXEC);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(other));
	memcpy(CMSG_DATA(c), &other, sizeof(other));
	number = sendmsg(sock, &m, MSG_NOSIGNAL) == sizeof(number);
	close(other);
	return number;
}

static int send_to_kist(pid_t pid, const char *argument, FILE *result)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int sock = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, 0, 0);
	struct stat st;
	int sent = sock >= 0 && fstat(sock, &st) == 0 && S_ISSOCK(st.st_mode) && send_other(sock);

	(void)argument;
	(void)result;
	if (sock >= 0)
		close(sock);
	if (pidfd >= 0)
		close(pidfd);
	return sent;
}

/* ---- catching a process -------------------------------------------------------------------- */

/* The number that was given last in this PID namespace: for when some were missed. */
static pid_t last_given(pid_t last)
{
	FILE *file = fopen("/proc/loadavg", "r");
	int pid = 0;

	if (file && fscanf(file, "%*s %*s %*s %*s %d", &pid) != 1)
		pid = 0;
	if (file)
		fclose(file);
	return pid > last ? pid : last;
}

/* The next process, stopped.  0: /end is there. */
static pid_t catch_next(pid_t last)
{
	for (unsigned long i = 1;; i++) {
		for (pid_t pid = last + 1; pid <= last + WINDOW; pid++) {
			if (kill(pid, SIGSTOP) == 0)
				return pid;
		}
		if (i % 512 == 0)
			last = last_given(last);
		if (i % 4096 == 0 && access("/end", F_OK) == 0)
			return 0;
	}
}

/* Not a program of the container yet; or a step of the test's control. */
static int is_joiner(pid_t pid)
{
	char path[64], name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "r");
	if (file && !fgets(name, sizeof(name), file))
		name[0] = '\0';
	if (file)
		fclose(file);
	return strcmp(name, "kist\n") == 0 || strcmp(name, "nsenter\n") == 0 ||
	       strcmp(name, "setpriv\n") == 0 || strcmp(name, "sleep\n") == 0;
}

/* The last of them; the test keeps the others to the first. */
static void keep_processor(void)
{
	cpu_set_t set;
	int last = CPU_SETSIZE - 1;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return;
	while (last > 0 && !CPU_ISSET(last, &set))
		last--;
	CPU_ZERO(&set);
	CPU_SET(last, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

int main(int argc, char **argv)
{
	static const struct attack attacks[] = {
		{ "page", page }, { "wreck", wreck }, { "act", act }, { "root", root },
		{ "look", look }, { "hold", hold }, { "remap", remap }, { "spy", spy },
		{ "agent", agent }, { "linger", linger }, { "keep", keep }, { "exit", at_exit },
		{ "send", send_to_kist },
	};
	unsigned long seen = 0, done = 0;
	const struct attack *attack = NULL;
	pid_t last = getpid();
	FILE *result;

	if (argc > 2 && strcmp(argv[1], "handle") == 0) {
		handle(argv[2]);
		return 0;
	}
	for (size_t i = 0; argc > 1 && i < sizeof(attacks) / sizeof(*attacks); i++) {
		if (strcmp(argv[1], attacks[i].name) == 0)
			attack = &attacks[i];
	}
	result = attack ? fopen("/result.new", "w") : NULL;
	if (!result)
		die("usage: tracer KIND [ARGUMENT]");
	keep_processor();
	for (;;) {
		pid_t pid = catch_next(last);

		if (pid == 0)
			break;
		last = pid;
		if (is_joiner(pid)) {
			seen++;
			done += attack->run(pid, argc > 2 ? argv[2] : "", result) ? 1 : 0;
		}
		if (attack->run != hold)
			kill(pid, SIGCONT);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
	fprintf(result, "seen %lu\nattacked %lu\n", seen, done);
	if (fclose(result) != 0 || rename("/result.new", "/result") < 0)
		die("/result");
	return 0;
}
