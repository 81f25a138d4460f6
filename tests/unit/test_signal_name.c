/* SPDX-License-Identifier: Apache-2.0 */
#include "../../src/signal_name.h"

#include <signal.h>

#include "tap.h"

static int parse(const char *text)
{
	int number = -1;

	return signal_name_parse(text, &number) < 0 ? -1 : number;
}

int main(void)
{
	static const char *const wrong[] = {
		"", "SIG", "TERMX", "65", "-9", "+9", "9 ", "0x9", "RTMIN-1", "RTMAX+1", "RTMIN+31",
		"RTMIN+", "SIGSIGTERM", "18446744073709551625",
	};

	is_int(parse("TERM"), SIGTERM, "a name");
	is_int(parse("SIGKILL"), SIGKILL, "with SIG");
	is_int(parse("sigusr1"), SIGUSR1, "in lower case");
	is_int(parse("Hup"), SIGHUP, "in mixed case");
	is_int(parse("IOT"), SIGABRT, "an alias");
	is_int(parse("STKFLT"), 16, "a signal of Linux only");
	is_int(parse("9"), 9, "a number");
	is_int(parse("0"), 0, "0 asks for existence");
	is_int(parse("64"), 64, "the last one");
	is_int(parse("RTMIN"), SIGRTMIN, "RTMIN");
	is_int(parse("SIGRTMIN+3"), SIGRTMIN + 3, "RTMIN+n");
	is_int(parse("rtmax-2"), SIGRTMAX - 2, "RTMAX-n");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		is_int(parse(wrong[i]), -1, "\"%s\" is none", wrong[i]);
	return done();
}
