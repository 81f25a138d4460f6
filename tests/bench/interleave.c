/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interleave - times short commands against each other on a machine that does other things too.
 *
 *	interleave [-n ROUNDS] [-w WARMUP] [-p PAUSE_MS] [-s SEED] SCENARIO
 *	interleave -m SCENARIO
 *
 * SCENARIO has one line a candidate: LABEL | BEFORE | TIMED | AFTER.  BEFORE and AFTER are not
 * timed and may be empty or several commands with ";" between them.  Words are separated by blanks,
 * nothing is quoted, and {n} is a number that is new in every sample.  Every round runs each
 * candidate once in random order, so that what else happens on the machine meets all of them alike.
 *
 * Prints a line a candidate, tab-separated: label, median, lower and upper quartile, minimum
 * (microseconds), samples, failures.  With -m it prints instead: label, peak resident memory of the
 * command itself in KiB.  For this the command is traced and asked at its very end, since wait4()'s
 * figure includes the pages of who started it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CANDIDATES_MAX 64
#define WORDS_MAX 256
#define COLUMNS 4

struct candidate {
	char *column[COLUMNS];		/* label, before, timed, after */
	double *samples;		/* microseconds */
	size_t n;
	size_t failures;
};

struct bench {
	struct candidate candidates[CANDIDATES_MAX];
	size_t n;
	unsigned int rounds, warmup, pause_ms;
	uint64_t random;		/* state of the generator */
	unsigned int serial;		/* what {n} becomes */
	int null_fd;
};

extern char **environ;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "interleave: %s: %s\n", what, strerror(errno));
	exit(2);
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* xorshift64*: good enough for an order, and the same on every libc. */
static uint64_t next_random(struct bench *b)
{
	b->random ^= b->random >> 12;
	b->random ^= b->random << 25;
	b->random ^= b->random >> 27;
	return b->random * 0x2545f4914f6cdd1dULL;
}

static char *trim(char *s)
{
	char *end;

	s += strspn(s, " \t");
	end = s + strlen(s);
	while (end > s && strchr(" \t\n", end[-1]))
		*--end = '\0';
	return s;
}

/* Splits text into words, with {n} replaced; the words live in buffer.  Returns their number. */
static size_t split(const struct bench *b, const char *text, char *buffer, size_t size,
		    char **words)
{
	char *out = buffer, *end = buffer + size - 16, *save = NULL;
	size_t n = 0;

	while (*text && out < end) {
		if (strncmp(text, "{n}", 3) == 0) {
			out += snprintf(out, 16, "%u", b->serial);
			text += 3;
		} else {
			*out++ = *text++;
		}
	}
	*out = '\0';
	for (char *w = strtok_r(buffer, " \t", &save); w && n < WORDS_MAX - 1;
	     w = strtok_r(NULL, " \t", &save))
		words[n++] = w;
	words[n] = NULL;
	return n;
}

static pid_t start(const struct bench *b, char **words)
{
	posix_spawn_file_actions_t files;
	pid_t pid;
	int ret;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, b->null_fd, 0);
	posix_spawn_file_actions_adddup2(&files, b->null_fd, 1);
	ret = posix_spawnp(&pid, words[0], &files, NULL, words, environ);
	posix_spawn_file_actions_destroy(&files);
	if (ret != 0) {
		errno = ret;
		die(words[0]);
	}
	return pid;
}

/* Runs one command to its end; whether it succeeded. */
static bool run(const struct bench *b, const char *text)
{
	char buffer[65536], *words[WORDS_MAX];
	int status;
	pid_t pid;

	if (split(b, text, buffer, sizeof(buffer), words) == 0)
		return true;
	pid = start(b, words);
	if (waitpid(pid, &status, 0) < 0)
		die("waitpid");
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Runs commands with ";" between them; all of them, whatever they return. */
static bool run_list(const struct bench *b, const char *text)
{
	char copy[65536], *save = NULL;
	bool good = true;

	snprintf(copy, sizeof(copy), "%s", text);
	for (char *one = strtok_r(copy, ";", &save); one; one = strtok_r(NULL, ";", &save))
		good &= run(b, trim(one));
	return good;
}

static void pause_ms(unsigned int ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

static void sample(struct bench *b, struct candidate *c, bool keep)
{
	double begin, end;
	bool good;

	b->serial++;
	good = run_list(b, c->column[1]);
	if (b->pause_ms)
		pause_ms(b->pause_ms);
	begin = now_us();
	good &= run(b, c->column[2]);
	end = now_us();
	run_list(b, c->column[3]);
	if (!keep)
		return;
	if (good)
		c->samples[c->n++] = end - begin;
	else
		c->failures++;
}

static void measure(struct bench *b)
{
	size_t order[CANDIDATES_MAX];

	for (size_t i = 0; i < b->n; i++) {
		order[i] = i;
		b->candidates[i].samples = calloc(b->rounds, sizeof(double));
		if (!b->candidates[i].samples)
			die("calloc");
	}
	for (unsigned int round = 0; round < b->warmup + b->rounds; round++) {
		for (size_t i = b->n; i > 1; i--) {
			size_t j = next_random(b) % i, swap = order[i - 1];

			order[i - 1] = order[j];
			order[j] = swap;
		}
		for (size_t i = 0; i < b->n; i++)
			sample(b, &b->candidates[order[i]], round >= b->warmup);
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void report(const struct bench *b)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct candidate *c = &b->candidates[i];

		if (c->n == 0) {
			printf("%s\t-\t-\t-\t-\t0\t%zu\n", c->column[0], c->failures);
			continue;
		}
		qsort(c->samples, c->n, sizeof(double), by_value);
		printf("%s\t%.0f\t%.0f\t%.0f\t%.0f\t%zu\t%zu\n", c->column[0], c->samples[c->n / 2],
		       c->samples[c->n / 4], c->samples[c->n * 3 / 4], c->samples[0], c->n,
		       c->failures);
	}
}

/* VmHWM of a process in KiB, or -1. */
static long peak_kib(pid_t pid)
{
	char path[32], line[256];
	long kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (kib < 0 && fgets(line, sizeof(line), f))
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = strtol(line + 6, NULL, 10);
	fclose(f);
	return kib;
}

/* Starts the words stopped at their exec, with a stop at their end to come. */
static pid_t start_traced(const struct bench *b, char **words)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		dup2(b->null_fd, 0);
		dup2(b->null_fd, 1);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execvp(words[0], words);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACEEXIT | PTRACE_O_TRACEEXEC) < 0)
		die(words[0]);
	return pid;
}

/* The highest resident set of the command itself, in its last image; -1 if it failed. */
static long memory(const struct bench *b, const char *text)
{
	char buffer[65536], *words[WORDS_MAX];
	long peak = -1;
	pid_t pid;

	if (split(b, text, buffer, sizeof(buffer), words) == 0)
		return -1;
	pid = start_traced(b, words);
	for (int status, sig = 0;; sig = 0) {
		if (ptrace(PTRACE_CONT, pid, NULL, (void *)(intptr_t)sig) < 0 ||
		    waitpid(pid, &status, 0) < 0)
			die("ptrace");
		if (WIFEXITED(status))
			return WEXITSTATUS(status) == 0 ? peak : -1;
		if (WIFSIGNALED(status))
			return -1;
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8)) {
			long kib = peak_kib(pid);

			peak = kib > peak ? kib : peak;
		} else if (status >> 16 == 0) {
			sig = WSTOPSIG(status);
		}
	}
}

static void measure_memory(struct bench *b)
{
	for (size_t i = 0; i < b->n; i++) {
		struct candidate *c = &b->candidates[i];
		long kib;

		b->serial++;
		run_list(b, c->column[1]);
		kib = memory(b, c->column[2]);
		run_list(b, c->column[3]);
		printf(kib < 0 ? "%s\t-\n" : "%s\t%ld\n", c->column[0], kib);
	}
}

static void read_scenario(struct bench *b, const char *file)
{
	FILE *f = fopen(file, "re");
	char *line = NULL;
	size_t size = 0;

	if (!f)
		die(file);
	while (getline(&line, &size, f) > 0) {
		struct candidate *c = &b->candidates[b->n];
		char *rest = line;

		if (*trim(line) == '\0' || *line == '#')
			continue;
		for (int i = 0; i < COLUMNS; i++) {
			char *column = strsep(&rest, "|");

			c->column[i] = strdup(column ? trim(column) : "");
		}
		if (++b->n == CANDIDATES_MAX)
			break;
	}
	free(line);
	fclose(f);
}

int main(int argc, char **argv)
{
	struct bench b = { .rounds = 30, .warmup = 2, .random = (uint64_t)now_us() | 1 };
	bool only_memory = false;

	for (int c; (c = getopt(argc, argv, "n:w:p:s:m")) != -1;) {
		switch (c) {
		case 'n': b.rounds = (unsigned int)strtoul(optarg, NULL, 10); break;
		case 'w': b.warmup = (unsigned int)strtoul(optarg, NULL, 10); break;
		case 'p': b.pause_ms = (unsigned int)strtoul(optarg, NULL, 10); break;
		case 's': b.random = strtoull(optarg, NULL, 10) | 1; break;
		case 'm': only_memory = true; break;
		default: return 2;
		}
	}
	if (optind + 1 != argc) {
		fputs("usage: interleave [-n ROUNDS] [-w WARMUP] [-p PAUSE_MS] [-s SEED] [-m]"
		      " SCENARIO\n", stderr);
		return 2;
	}
	b.serial = (unsigned int)getpid() % 100000 * 10000;
	b.null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (b.null_fd < 0)
		die("/dev/null");
	read_scenario(&b, argv[optind]);
	if (only_memory) {
		measure_memory(&b);
	} else {
		measure(&b);
		report(&b);
	}
	return 0;
}
