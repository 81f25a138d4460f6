/* SPDX-License-Identifier: Apache-2.0 */
#include "signal_name.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <strings.h>

#include "base/str.h"

/* The kernel's highest signal (_NSIG); what the C library keeps for itself can still be sent. */
#define SIGNAL_MAX 64

/* Hurd and System V names that Linux knows as aliases stand behind the name they mean. */
static const struct {
	char name[8];		/* itself: a pointer would be written anew at each start */
	int number;
} signals[] = {
	{ "HUP", SIGHUP }, { "INT", SIGINT }, { "QUIT", SIGQUIT }, { "ILL", SIGILL },
	{ "TRAP", SIGTRAP }, { "ABRT", SIGABRT }, { "IOT", SIGABRT }, { "BUS", SIGBUS },
	{ "FPE", SIGFPE }, { "KILL", SIGKILL }, { "USR1", SIGUSR1 }, { "SEGV", SIGSEGV },
	{ "USR2", SIGUSR2 }, { "PIPE", SIGPIPE }, { "ALRM", SIGALRM }, { "TERM", SIGTERM },
	{ "CHLD", SIGCHLD }, { "CLD", SIGCHLD }, { "CONT", SIGCONT }, { "STOP", SIGSTOP },
	{ "TSTP", SIGTSTP }, { "TTIN", SIGTTIN }, { "TTOU", SIGTTOU }, { "URG", SIGURG },
	{ "XCPU", SIGXCPU }, { "XFSZ", SIGXFSZ }, { "VTALRM", SIGVTALRM },
	{ "PROF", SIGPROF }, { "WINCH", SIGWINCH }, { "IO", SIGIO }, { "POLL", SIGIO },
	{ "PWR", SIGPWR }, { "SYS", SIGSYS }, { "UNUSED", SIGSYS },
#ifdef SIGSTKFLT
	{ "STKFLT", SIGSTKFLT },
#endif
};

/* "RTMIN+n" and "RTMAX-n", as the C library counts them: kill(1) and programs mean the same. */
static bool parse_realtime(const char *name, int *out)
{
	bool from_min = strncasecmp(name, "RTMIN", 5) == 0;
	uint64_t distance = 0;

	if (!from_min && strncasecmp(name, "RTMAX", 5) != 0)
		return false;
	name += 5;
	if (*name) {
		if (*name != (from_min ? '+' : '-'))
			return false;
		if (str_to_u64(name + 1, (uint64_t)(SIGRTMAX - SIGRTMIN), &distance) < 0)
			return false;
	}
	*out = from_min ? SIGRTMIN + (int)distance : SIGRTMAX - (int)distance;
	return true;
}

int signal_name_parse(const char *text, int *out)
{
	uint64_t number;

	if (str_to_u64(text, SIGNAL_MAX, &number) == 0) {
		*out = (int)number;
		return 0;
	}
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		if (strcasecmp(text, signals[i].name) == 0) {
			*out = signals[i].number;
			return 0;
		}
	}
	return parse_realtime(text, out) ? 0 : -EINVAL;
}
