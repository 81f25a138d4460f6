/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stress.h - kist killed, held and failed at any moment: what the harnesses beside it share.
 *
 * Each worker is process 1 of a pid and a mount namespace of its own, with a state root, a bundle
 * and a cgroup name of its own.  So what a trial leaves is what the worker's namespaces hold, many
 * trials run at once, and whatever a failed one left is killed before the next.
 */
#ifndef KIST_TESTS_STRESS_STRESS_H
#define KIST_TESTS_STRESS_STRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ID "c"
#define TEXT_MAX_LEN 400
#define ARGS_MAX 12
#define POINTS_MAX 4096
#define TRACEES_MAX 64
#define MS 1000000ull

/* The commands of kist that a harness gives. */
enum verb {
	CREATE, START, EXEC, RUN_DETACHED, RUN, KILL, KILL_ALL, PAUSE, RESUME, UPDATE, PS, STATE,
	LIST, EVENTS, DELETE, DELETE_FORCE, VERB_COUNT,
	NO_VERB
};

/* What a command finds. */
enum scene { NOTHING, CREATED, RUNNING, PAUSED, STOPPED };

struct verb_facts {
	const char *name;		/* in tables, and what selects it */
	const char *lock_name;		/* the command, as the lock's error has it */
	const char *args[ARGS_MAX];
	enum scene scene;
	bool any_scene;			/* makes sense in every scene */
	bool makes, deletes;
};

extern const struct verb_facts verbs[VERB_COUNT];

/* One kist command that was started. */
struct command {
	pid_t pid;
	bool done;
	int status;			/* as of wait4() */
	int out;			/* both streams */
	uint64_t began, ended;
};

/* A system call of a traced command: the n-th of its n-th process. */
struct point {
	uint16_t process;
	uint16_t index;
	int32_t call;
	bool bound;			/* the container's directory has been opened before */
};

enum trace_act { TRACE_COUNT, TRACE_HOLD, TRACE_FAIL };

struct tracee {
	pid_t pid;
	uint16_t ordinal, calls;
	bool fails;			/* the call it is in gets an error at its end */
	bool execed;
};

/* The processes of one command, traced from its start. */
struct trace {
	enum trace_act act;
	struct point at;		/* HOLD, FAIL */
	int errnum;			/* FAIL */
	bool hit;			/* the point was reached */
	bool let_go;			/* calls are no longer looked at */
	pid_t held;
	pid_t payload;			/* the container's process, once it was executed */
	int crash;			/* signal that one of the processes died of */
	bool bound;
	unsigned int started;		/* processes so far */
	struct tracee tracees[TRACEES_MAX];
	size_t n_tracees;
	struct point *points;		/* COUNT: what was seen */
	size_t n_points;
};

struct worker {
	unsigned int number;
	const char *kist;
	char dir[128];			/* holds bundle, bundle-true, state */
	char root[160];			/* the state root */
	char cgroup[32];		/* name of the container's cgroup */
	uint64_t random;
	struct command *commands[64];
	size_t n_commands;
	struct trace *trace;
	char mounts[16384];		/* what was mounted before the first trial */
};

/* A trial's outcome: counted by kind, and told in words once per kind and text. */
struct report {
	unsigned int row;		/* of the harness' table */
	unsigned int column;
	char text[TEXT_MAX_LEN];
};

#define ROWS_MAX (VERB_COUNT * (VERB_COUNT + 1))
#define COLUMNS_MAX 10
#define TEXTS_MAX 2048

/* The calls of a command, in the order in which they were made. */
struct points {
	unsigned int state;		/* 0 unknown, 1 a worker is at it, 2 known */
	size_t n;
	struct point list[POINTS_MAX];
};

/* Shared by all workers. */
struct results {
	unsigned int next;		/* trial to be taken */
	struct points points[VERB_COUNT];
	unsigned int counts[ROWS_MAX][COLUMNS_MAX];
	unsigned int n_texts;
	struct {
		unsigned int count;
		char at[16];		/* where it was first seen */
		struct report report;
	} texts[TEXTS_MAX];
	uint64_t slowest_delete;	/* nanoseconds */
};

struct options {
	const char *kist;
	const char *dir;		/* bundles' templates, scratch */
	uint64_t seed;
	unsigned int workers;
	bool long_form;
	const char *only;		/* verbs, or pairs "A/B", with "," between them */
	const char *at;			/* errnos, pairs: one point "PROCESS.INDEX" */
};

struct harness {
	const char *name;
	const char *const *columns;	/* the first `n_good` are no faults */
	unsigned int n_columns, n_good;
	unsigned int workers_per_cpu;
	/* Number of trials; in the parent, before workers exist. */
	unsigned int (*plan)(const struct options *o);
	void (*trial)(struct worker *w, const struct options *o, unsigned int number,
		      struct results *r);
	const char *(*row_name)(unsigned int row, char *buffer, size_t size);
};

extern const struct harness harness_kills, harness_pairs, harness_errnos, harness_crowd;

/* ---- stress.c ------------------------------------------------------------------------------- */

uint64_t stress_random(struct worker *w, uint64_t below);
void stress_count(struct results *r, unsigned int row, unsigned int column,
		  const struct point *at, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
bool stress_chosen(const struct options *o, const char *name);
_Noreturn void stress_die(const char *what);
uint64_t stress_now(void);

/* ---- command.c: starting kist and waiting for it -------------------------------------------- */

/* Starts kist with the verb's arguments; traced when trace is not NULL. */
void command_start(struct worker *w, struct command *c, const char *const *args,
		   struct trace *trace);
/* Until c is done (NULL: until the trace holds, or all commands are done) or the time is over. */
bool command_wait(struct worker *w, struct command *c, uint64_t timeout_ns);
/* Ends it by SIGKILL. */
void command_kill(struct worker *w, struct command *c);
/* Start, wait, give the text; the exit status, 128 + signal, or -1 for one that hung. */
int command_run(struct worker *w, const char *const *args, char *text, uint64_t timeout_ns);
/* The same of one that has been started. */
int command_end(struct worker *w, struct command *c, char *text);
int command_status(const struct command *c);

/* ---- trace.c -------------------------------------------------------------------------------- */

void trace_begin(struct trace *t, pid_t pid);
/* An event of wait4() of a process that is traced.  False: not one of them. */
bool trace_event(struct trace *t, pid_t pid, int status);
/* Lets the held process go on, and no longer looks at calls. */
void trace_release(struct trace *t);

/* ---- world.c -------------------------------------------------------------------------------- */

void world_begin(struct worker *w, const struct options *o);
/* Makes the scene; 0, or negative with text. */
int world_prepare(struct worker *w, enum scene scene, char *text);
/* "" when nothing is left; what was killed gets a moment to go. */
bool world_is_clean(struct worker *w, char *text);
/* Kills and removes whatever a trial left. */
void world_sweep(struct worker *w);
bool world_has_record(const struct worker *w);
/* Processes in the worker's pid namespace, without the worker itself. */
unsigned int world_processes(char *text, size_t size);

#endif
