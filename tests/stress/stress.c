/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stress - commands of kist killed, held and failed at any moment, by the thousand.
 *
 *	stress HARNESS --kist PATH --dir DIR [--seed N] [--long] [--only WORD,...] [--at P.I]
 *
 * `run` beside it prepares DIR and calls this program for each harness.  Prints a table, every
 * kind of fault once with a text and how often it was seen, and a TAP line a row.  The status is 0
 * when there was no fault.
 */
#include "stress.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct harness *const harnesses[] = { &harness_kills, &harness_pairs, &harness_errnos,
						   &harness_crowd };

/* Scene, and what makes sense in every one, decide what a pair of commands finds. */
const struct verb_facts verbs[VERB_COUNT] = {
	[CREATE] = { "create", "create", { "create", "--bundle", "bundle", ID },
		     NOTHING, .makes = true },
	[START] = { "start", "start", { "start", ID }, CREATED },
	[EXEC] = { "exec", "exec", { "exec", ID, "/bin/true" }, RUNNING },
	[RUN_DETACHED] = { "run-detached", "run", { "run", "--detach", "--bundle", "bundle", ID },
			   NOTHING, .makes = true },
	[RUN] = { "run", "run", { "run", "--bundle", "bundle", ID }, NOTHING, .makes = true },
	[KILL] = { "kill", "kill", { "kill", ID, "KILL" }, RUNNING, true },
	[KILL_ALL] = { "kill-all", "kill", { "kill", "--all", ID, "KILL" }, RUNNING, true },
	[PAUSE] = { "pause", "pause", { "pause", ID }, RUNNING },
	[RESUME] = { "resume", "resume", { "resume", ID }, PAUSED },
	[UPDATE] = { "update", "update", { "update", "--device", "allow c 1:3 rw", ID }, RUNNING },
	[PS] = { "ps", "ps", { "ps", ID }, RUNNING, true },
	[STATE] = { "state", "state", { "state", ID }, RUNNING, true },
	[LIST] = { "list", "list", { "list" }, RUNNING, true },
	[EVENTS] = { "events", "events", { "events", "--stats", ID }, RUNNING },
	[DELETE] = { "delete", "delete", { "delete", ID }, STOPPED, .deletes = true },
	[DELETE_FORCE] = { "delete-force", "delete", { "delete", "--force", ID },
			   RUNNING, true, .deletes = true },
};

_Noreturn void stress_die(const char *what)
{
	fprintf(stderr, "stress: %s: %s\n", what, strerror(errno));
	exit(2);
}

uint64_t stress_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* xorshift64*: the same seed gives the same trials. */
uint64_t stress_random(struct worker *w, uint64_t below)
{
	w->random ^= w->random >> 12;
	w->random ^= w->random << 25;
	w->random ^= w->random >> 27;
	return below ? (w->random * 2685821657736338717u >> 11) % below : 0;
}

/* "a,b" holds "a"; everything is chosen when nothing was named. */
bool stress_chosen(const struct options *o, const char *name)
{
	size_t len = strlen(name);

	if (!o->only)
		return true;
	for (const char *p = o->only; *p; p += strcspn(p, ","), p += *p == ',') {
		if (strncmp(p, name, len) == 0 && (p[len] == ',' || p[len] == '\0'))
			return true;
	}
	return false;
}

/* Pids, times and the like differ in every trial; one kind of message is one text. */
static void without_numbers(char *text)
{
	char *to = text;

	for (char *from = text; *from; from++) {
		bool digit = *from >= '0' && *from <= '9';

		/* Those of system calls are kept. */
		if (*from == '@') {
			while (*from > ' ' && *from != ';')
				*to++ = *from++;
		}
		if (digit && to > text && to[-1] == '#')
			continue;
		*to++ = digit ? '#' : *from == '\n' ? '|' : *from;
		if (!*from)
			break;
	}
	*to = '\0';
}

void stress_count(struct results *r, unsigned int row, unsigned int column,
		  const struct point *at, const char *format, ...)
{
	struct report report = { .row = row, .column = column };
	va_list args;

	__atomic_fetch_add(&r->counts[row][column], 1, __ATOMIC_RELAXED);
	if (!format)
		return;
	va_start(args, format);
	vsnprintf(report.text, sizeof(report.text), format, args);
	va_end(args);
	without_numbers(report.text);
	/* Two workers may enter the same text at once; it is told twice then. */
	for (unsigned int i = 0; i < TEXTS_MAX; i++) {
		unsigned int n = __atomic_load_n(&r->n_texts, __ATOMIC_ACQUIRE);

		if (i < n && memcmp(&r->texts[i].report, &report, sizeof(report)) == 0) {
			__atomic_fetch_add(&r->texts[i].count, 1, __ATOMIC_RELAXED);
			return;
		}
		if (i == n && __atomic_compare_exchange_n(&r->n_texts, &n, n + 1, false,
							  __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
			r->texts[i].report = report;
			if (at)
				snprintf(r->texts[i].at, sizeof(r->texts[i].at), "%u.%u",
					 at->process, at->index);
			r->texts[i].count = 1;
			return;
		}
	}
}

/* ---- workers -------------------------------------------------------------------------------- */

/* Process 1 of its pid namespace: with its end, everything in it ends. */
static void work(const struct harness *h, const struct options *o, unsigned int number,
		 struct results *r)
{
	static struct worker w;
	unsigned int trials = h->plan(o);
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &chld, NULL);
	w.number = number;
	w.kist = o->kist;
	world_begin(&w, o);
	for (;;) {
		unsigned int trial = __atomic_fetch_add(&r->next, 1, __ATOMIC_RELAXED);

		if (trial >= trials)
			break;
		/* A trial's chances depend on its number and the seed alone, not on the worker. */
		w.random = o->seed * 0x9e3779b97f4a7c15u + trial * 0xbf58476d1ce4e5b9u + 1;
		(void)stress_random(&w, 0);
		h->trial(&w, o, trial, r);
	}
	world_sweep(&w);
}

static pid_t start_worker(const struct harness *h, const struct options *o, unsigned int number,
			  struct results *r)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0)
		stress_die("unshare");
	pid = fork();
	if (pid == 0) {
		work(h, o, number, r);
		exit(0);
	}
	exit(pid > 0 && waitpid(pid, NULL, 0) == pid ? 0 : 2);
}

/* ---- the report ----------------------------------------------------------------------------- */

static bool row_is_used(const struct harness *h, const struct results *r, unsigned int row,
			bool *bad)
{
	bool used = false;

	*bad = false;
	for (unsigned int i = 0; i < h->n_columns; i++) {
		used = used || r->counts[row][i];
		*bad = *bad || (i >= h->n_good && r->counts[row][i]);
	}
	return used;
}

static void print_row(const struct harness *h, const struct results *r, unsigned int row)
{
	char name[64];

	printf("# %-28s", h->row_name(row, name, sizeof(name)));
	for (unsigned int i = 0; i < h->n_columns; i++)
		printf(" %*u", (int)strlen(h->columns[i]), r->counts[row][i]);
	printf("\n");
}

static bool print_results(const struct harness *h, const struct results *r)
{
	unsigned int n = 0, faults = 0;
	char name[64];
	bool bad;

	printf("# %-28s", h->name);
	for (unsigned int i = 0; i < h->n_columns; i++)
		printf(" %s", h->columns[i]);
	printf("\n");
	for (unsigned int row = 0; row < ROWS_MAX; row++) {
		if (row_is_used(h, r, row, &bad))
			print_row(h, r, row);
	}
	for (unsigned int i = 0; i < r->n_texts; i++)
		printf("# %ux %s at %s: %s: %s\n", r->texts[i].count,
		       h->row_name(r->texts[i].report.row, name, sizeof(name)), r->texts[i].at,
		       h->columns[r->texts[i].report.column], r->texts[i].report.text);
	for (unsigned int row = 0; row < ROWS_MAX; row++) {
		if (!row_is_used(h, r, row, &bad))
			continue;
		faults += bad;
		printf("%sok %u - %s: %s\n", bad ? "not " : "", ++n, h->name,
		       h->row_name(row, name, sizeof(name)));
	}
	printf("1..%u\n", n);
	return faults == 0 && n > 0;
}

/* ---- main ----------------------------------------------------------------------------------- */

static const struct harness *parse(int argc, char **argv, struct options *o)
{
	const struct harness *h = NULL;

	for (size_t i = 0; argc > 1 && i < sizeof(harnesses) / sizeof(harnesses[0]); i++) {
		if (strcmp(harnesses[i]->name, argv[1]) == 0)
			h = harnesses[i];
	}
	for (int i = 2; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (strcmp(argv[i], "--long") == 0) {
			o->long_form = true;
			continue;
		}
		if (strcmp(argv[i], "--kist") == 0)
			o->kist = value;
		else if (strcmp(argv[i], "--dir") == 0)
			o->dir = value;
		else if (strcmp(argv[i], "--seed") == 0)
			o->seed = strtoull(value, NULL, 10);
		else if (strcmp(argv[i], "--only") == 0)
			o->only = value;
		else if (strcmp(argv[i], "--at") == 0)
			o->at = value;
		else
			return NULL;
		i++;
	}
	return o->kist && o->dir ? h : NULL;
}

int main(int argc, char **argv)
{
	struct options o = { .seed = (uint64_t)time(NULL) };
	const struct harness *h = parse(argc, argv, &o);
	struct results *r = mmap(NULL, sizeof(*r), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t began = stress_now();
	unsigned int trials, died = 0;
	int status;
	bool good;

	if (!h || r == MAP_FAILED) {
		fprintf(stderr, "usage: stress kills|pairs|errnos|crowd --kist PATH --dir DIR "
				"[--seed N] [--long] [--only WORD,...] [--at PROCESS.CALL]\n");
		return 2;
	}
	o.workers = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN) * h->workers_per_cpu;
	trials = h->plan(&o);
	printf("# %s: %u trials, --seed %llu\n", h->name, trials, (unsigned long long)o.seed);
	fflush(stdout);
	for (unsigned int i = 0; i < o.workers; i++)
		(void)start_worker(h, &o, i, r);
	while (wait(&status) > 0)
		died += status != 0;
	if (died)
		printf("not ok - %s: %u workers died\n", h->name, died);
	good = print_results(h, r);
	printf("# %.1f s, %.0f trials/s, slowest delete --force %.0f ms\n",
	       (double)(stress_now() - began) / 1e9,
	       trials * 1e9 / (double)(stress_now() - began), (double)r->slowest_delete / 1e6);
	return good && !died ? 0 : 1;
}
