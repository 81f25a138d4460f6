/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_image.c - files of an image that kist itself reads: /etc/passwd for HOME, and a program that
 * execve() has refused, for the reason.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "fuzz.h"
#include "process_reason.h"
#include "user.h"

static void passwd(int root)
{
	static const uint32_t uids[] = { 0, 1, 1000, 4294967294u };

	for (size_t i = 0; i < sizeof(uids) / sizeof(uids[0]); i++) {
		char home[64];

		user_home_run(root, uids[i], home, sizeof(home));
		if (home[0] != '/' || !memchr(home, '\0', sizeof(home)))
			abort();
	}
}

static void program(int root)
{
	static const int errnums[] = { ENOENT, ENOEXEC, EACCES, ELOOP };
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/etc/passwd", root);
	for (size_t i = 0; i < sizeof(errnums) / sizeof(errnums[0]); i++) {
		struct error err = { 0 };

		error_set(&err, errnums[i], "exec");
		process_reason(path, "x86_64", &err);
		if (!memchr(err.text, '\0', sizeof(err.text)))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int root = fuzz_dir();

	fuzz_quiet();
	(void)mkdirat(root, "etc", 0700);
	fuzz_file(root, "etc/passwd", data, size);
	passwd(root);
	program(root);
	return 0;
}
