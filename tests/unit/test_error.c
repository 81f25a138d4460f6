/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <ctype.h>
#include <errno.h>

#include "tap.h"

static void test_set(void)
{
	struct error e = { 0 };

	errno = EBUSY;
	is_int(error_set(&e, ENOENT, "open %s", "/x"), -ENOENT, "set returns -errnum");
	is_int(errno, EBUSY, "errno is preserved");
	is_str(e.text, "open /x: no such file or directory", "the errno text is appended");
	is_int(e.errnum, ENOENT, "errnum is kept");
	is_int(error_set(&e, 0, "bad %d", 3), -EINVAL, "without errnum: -EINVAL");
	is_str(e.text, "bad 3", "without errnum: no text appended");
	is_int(error_set(NULL, EIO, "x"), -EIO, "err may be NULL");
	is_int(error_prefix(NULL, "x"), -EINVAL, "prefix: err may be NULL");
}

static void test_prefix(void)
{
	struct error e = { 0 };

	error_set(&e, EPERM, "mount");
	is_int(error_prefix(&e, "stage %d", 2), -EPERM, "prefix returns -errnum");
	is_str(e.text, "stage 2: mount: operation not permitted", "prefix");
	is_int(error_append(&e, " (%s)", "hint"), -EPERM, "append returns -errnum");
	is_str(e.text, "stage 2: mount: operation not permitted (hint)", "append");
	error_set(&e, 0, "again: %s", e.text);
	is_str(e.text, "again: stage 2: mount: operation not permitted (hint)",
	       "the old text may be an argument");
}

static void test_cut(void)
{
	struct error e = { 0 };
	char longer[3000];

	memset(longer, 'y', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	error_set(&e, ENOENT, "%s", longer);
	is_int((long long)strlen(e.text), ERROR_TEXT_MAX - 1, "a long message fills the text");
	is_str(e.text + ERROR_TEXT_MAX - 4, "...", "and ends in dots");
	error_prefix(&e, "front");
	ok(strncmp(e.text, "front: yyy", 10) == 0, "prefix of a full text keeps the front");
	is_str(e.text + ERROR_TEXT_MAX - 4, "...", "and ends in dots");
	error_append(&e, "more");
	is_str(e.text + ERROR_TEXT_MAX - 4, "...", "append to a full text");
}

static void test_table(void)
{
	bool named = true, lower = true;

	is_str(error_name(ENOENT), "ENOENT", "name");
	is_str(error_name(EWOULDBLOCK), "EAGAIN", "name of an alias");
	is_str(error_name(99999), "E?", "unknown number");
	is_str(error_name(-1), "E?", "negative number");
	is_str(error_text(EACCES), "permission denied", "text");
	is_str(error_text(0), "success", "text of 0");
	is_str(error_text(99999), "unknown error", "text of an unknown number");
	is_str(error_name(524), "ENOTSUPP", "the kernel's own number");
	for (int i = 1; i <= EHWPOISON; i++) {
		const char *t = error_text(i);

		/* 41 and 58 are not used on most architectures. */
		if (strcmp(error_name(i), "E?") == 0)
			named &= i == 41 || i == 58;
		lower &= !isupper((unsigned char)t[0]) || isupper((unsigned char)t[1]);
	}
	ok(named, "every errno has a name");
	ok(lower, "texts begin in lower case");
}

int main(void)
{
	test_set();
	test_prefix();
	test_cut();
	test_table();
	return done();
}
