/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_proc.c - /proc/PID/stat, in which a process of the container chooses its own name.
 */
#include <sys/stat.h>

#include "base/proc.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int proc = fuzz_dir();
	struct proc_stat st = { .ppid = -1 };

	(void)mkdirat(proc, "7", 0700);
	fuzz_file(proc, "7/stat", data, size);
	if (proc_stat(proc, 7, &st) == 0 && st.ppid < 0)
		abort();
	return 0;
}
