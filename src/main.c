/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - from words to a command, and from its result to an exit status.
 *
 * All words are read before anything is done: a mistake in the last one has no effects.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/fd.h"
#include "cmds.h"
#include "globals.h"
#include "help.h"
#include "log_output.h"
#include "options.h"
#include "output.h"
#include "version.h"

#define STATUS_FAILED 1

/* All that the words on the command line say. */
struct invocation {
	struct globals globals;
	const struct command *command;	/* NULL: none was named, or it is unknown */
	bool help;			/* --help after the command */
};

/*
 * kist trusts its caller: what the caller may not do, kist must not do for it.  So it refuses to
 * run with rights that come from its own file.  A changed id shows a set-user-ID bit.  File
 * capabilities show as a secure execution (AT_SECURE) of somebody who is not root and has
 * capabilities; AT_SECURE alone may also be a change of the SELinux domain, which is harmless.
 */
static int refuse_elevation(struct error *err)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (geteuid() != getuid() || getegid() != getgid())
		return error_set(err, 0, "refusing to run set-user-ID or set-group-ID");
	if (!getauxval(AT_SECURE) || geteuid() == 0)
		return 0;
	if (syscall(SYS_capget, &head, data) < 0)
		return error_set(err, errno, "read own capabilities");
	if (data[0].permitted || data[1].permitted)
		return error_set(err, 0, "refusing to run with file capabilities");
	return 0;
}

static int read_globals(struct invocation *in, char **words, struct cli *cli,
			struct arguments *rest, struct error *err)
{
	const struct option_set sets[] = {
		{ .rows = globals_rows, .target = &in->globals }, { .rows = NULL },
	};

	return options_parse(sets, words, true, cli->arena, rest, err);
}

static int check_count(const struct command *command, size_t count, struct error *err)
{
	const char *usage = *command->usage ? command->usage : "none";

	if (count < command->min_arguments)
		return error_set(err, 0, "%s: too few arguments; it takes %s", command->name,
				 usage);
	if (count > command->max_arguments)
		return error_set(err, 0, "%s: too many arguments; it takes %s", command->name,
				 usage);
	return 0;
}

static int read_command(struct invocation *in, char **words, struct cli *cli, struct error *err)
{
	struct option_set sets[CMDS_SETS + 1];
	const struct command *command;
	size_t n = 0;
	int ret;

	command = cmds_find(words[0], cli->arena, err);
	if (!command)
		return -EINVAL;
	in->command = command;
	if (command->options_size)
		cli->options = arena_alloc(cli->arena, command->options_size);
	cmds_option_sets(command, cli, &in->help, sets);
	while (sets[n].rows)
		n++;
	sets[n] = (struct option_set){ .rows = globals_rows, .elsewhere = true };
	sets[n + 1] = (struct option_set){ .rows = NULL };
	ret = options_parse(sets, words + 1, command->flags & CMD_OWN_WORDS, cli->arena,
			    &cli->arguments, err);
	if (ret < 0)
		return error_prefix(err, "%s", command->name);
	return in->help ? 0 : check_count(command, cli->arguments.count, err);
}

/* 0, or negative with err: the words make no sense. */
static int read_words(struct invocation *in, char **words, struct cli *cli, struct error *err)
{
	struct arguments rest;
	int ret = read_globals(in, words, cli, &rest, err);

	if (ret < 0 || in->globals.help || in->globals.version)
		return ret;
	if (rest.count == 0)
		return error_set(err, 0, "no command is given; kist --help lists them");
	ret = globals_apply(&in->globals, &cli->ctx, err);
	return ret < 0 ? ret : read_command(in, rest.words, cli, err);
}

static int carry_out(const struct invocation *in, struct cli *cli, struct error *err)
{
	if (in->globals.help) {
		const struct option_set sets[] = { { .rows = globals_rows }, { .rows = NULL } };

		help_program(sets, cli->out);
		return 0;
	}
	if (in->globals.version) {
		version_print(cli->out);
		return 0;
	}
	if (in->help) {
		help_command(in->command, cli->out);
		return 0;
	}
	if (in->command->flags & CMD_ENTERS) {
		bool closed = cli->out != stdout;
		int ret;

		/* Where a copy of kist is executed, that must find standard output closed again. */
		if (closed)
			(void)fcntl(STDOUT_FILENO, F_SETFD, FD_CLOEXEC);
		ret = container_protect_binary(cli->argv, err);
		if (ret < 0)
			return ret;
		if (closed)
			(void)fcntl(STDOUT_FILENO, F_SETFD, 0);
	}
	return in->command->run(cli, err);
}

static int failure_status(const struct command *command, const struct error *err)
{
	if (err->exit_code)
		return err->exit_code;
	return command && command->failure_status ? command->failure_status : STATUS_FAILED;
}

static int run(struct cli *cli, char **words, struct log_output *log, struct error *err)
{
	struct invocation in = { .globals = GLOBALS_INIT };
	struct error log_error = { 0 };
	const struct globals *g = &in.globals;
	int usage, ret;

	usage = read_words(&in, words, cli, err);
	/*
	 * Opened for a usage error too, when --log stood before it: an engine looks there for the
	 * reason.
	 */
	ret = log_output_open(log, g->log, g->log_format,
			      g->debug ? LOG_LEVEL_DEBUG : g->log_level, &log_error);
	if (usage < 0) {
		log_output_failure(log, err->text);
		if (in.command)
			help_usage(in.command, stderr);
		return err->exit_code ? err->exit_code : STATUS_FAILED;
	}
	if (ret < 0) {
		log_output_failure(log, log_error.text);
		return failure_status(in.command, &log_error);
	}
	ret = carry_out(&in, cli, err);
	if (ret == 0) {
		ret = output_finish(cli->out, err);
		if (ret == 0)
			return cli->status;
		/* Whoever reads has seen enough, as in `kist list | head`: nothing to say. */
		if (err->errnum == EPIPE)
			return STATUS_FAILED;
	}
	/* What was already printed comes before the reason why no more did. */
	fflush(cli->out);
	log_output_failure(log, err->text);
	return failure_status(in.command, err);
}

/* Not inlined: main() itself must be content with the least of stacks. */
static int __attribute__((noinline)) run_main(int argc, char **argv)
{
	struct arena arena = ARENA_INIT;
	struct cli cli = {
		.ctx = { .arena = &arena, .argv = argv },
		.arena = &arena,
		.out = stdout,
		.argv = argv,
	};
	struct log_output log = LOG_OUTPUT_INIT;
	struct error err = { 0 };
	int status;

	/*
	 * The container's process gets /dev/null for a closed standard output, but what kist
	 * itself would print there is lost, and that is a failure.
	 */
	if (fcntl(STDOUT_FILENO, F_GETFD) < 0)
		cli.out = output_closed();
	/*
	 * Before any open(): a file that lands on a closed descriptor 2 would receive the error
	 * messages.
	 */
	if (!cli.out || fd_sanitize_stdio() < 0)
		return STATUS_FAILED;
	/*
	 * A file size limit, or a reader of the log that has gone, then is an error with a
	 * rollback, instead of a death half way.
	 */
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	if (refuse_elevation(&err) < 0) {
		log_output_failure(&log, err.text);
		return STATUS_FAILED;
	}
	status = run(&cli, argv + (argc > 0), &log, &err);
	log_output_close(&log);
	arena_abandon(&arena);
	return status;
}

/*
 * A caller may limit the stack to less than a few path buffers need, down to 16 KiB.  Then
 * everything runs on a stack of our own, which no limit applies to; the children that are cloned
 * from here stay on their copy of it.
 */
#define STACK_MIN (256u << 10)
#define STACK_OWN (1u << 20)

struct main_call {
	int argc;
	char **argv;
	int status;
};

/* makecontext() passes ints only: the pointer comes in two. */
static void call_main(unsigned int high, unsigned int low)
{
	struct main_call *call = (struct main_call *)(uintptr_t)((uint64_t)high << 32 | low);

	call->status = run_main(call->argc, call->argv);
}

static int run_main_on_own_stack(int argc, char **argv)
{
	struct main_call call = { .argc = argc, .argv = argv, .status = STATUS_FAILED };
	uint64_t address = (uintptr_t)&call;
	char *stack = mmap(NULL, STACK_OWN, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	ucontext_t *here, *there;

	if (stack == MAP_FAILED)
		return STATUS_FAILED;
	/* At its low end, which it never grows to. */
	here = (ucontext_t *)(void *)stack;
	there = here + 1;
	if (getcontext(there) < 0)
		return STATUS_FAILED;
	there->uc_stack.ss_sp = there + 1;
	there->uc_stack.ss_size = STACK_OWN - 2 * sizeof(*there);
	there->uc_link = here;
	makecontext(there, (void (*)(void))call_main, 2, (unsigned int)(address >> 32),
		    (unsigned int)address);
	return swapcontext(here, there) < 0 ? STATUS_FAILED : call.status;
}

int main(int argc, char **argv)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < STACK_MIN)
		return run_main_on_own_stack(argc, argv);
	return run_main(argc, argv);
}
