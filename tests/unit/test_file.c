/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/dir.h"
#include "base/fd.h"
#include "tap.h"

static void test_read(int dir, struct arena *a)
{
	char big[10000], *text;
	size_t len;

	memset(big, 'b', sizeof(big));
	is_int(file_create(dir, "big", 0600, big, sizeof(big)), 0, "create");
	is_int(file_create(dir, "big", 0600, "x", 1), -EEXIST, "create of what exists");
	is_int(file_read(dir, "big", 10000, a, &text, &len), 0, "read at the limit");
	ok(len == sizeof(big) && memcmp(text, big, len) == 0 && text[len] == '\0', "its content");
	is_int(file_read(dir, "big", 9999, a, &text, &len), -EFBIG, "read beyond the limit");
	is_int(file_create(dir, "empty", 0600, "", 0), 0, "create an empty file");
	ok(file_read(dir, "empty", 10, a, &text, NULL) == 0 && !*text, "read an empty file");
	is_int(file_read(dir, "missing", 10, a, &text, NULL), -ENOENT, "read a missing file");
	is_int(file_read(dir, ".", 10, a, &text, NULL), -EISDIR, "read a directory");
	mkfifoat(dir, "fifo", 0600);
	is_int(file_read(dir, "fifo", 10, a, &text, NULL), -EINVAL, "read a FIFO: no hang");
	is_int(file_read(AT_FDCWD, "/dev/zero", 10, a, &text, NULL), -EINVAL, "read a device");
	is_int(file_read(AT_FDCWD, "/proc/self/status", 1 << 20, a, &text, &len), 0,
	       "read of procfs");
	ok(len > 100 && strlen(text) == len, "has its text though its size is 0");
}

static void test_read_pipe(struct arena *a)
{
	static char big[30000];
	char *text;
	size_t len;
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		bail_out("pipe");
	memset(big, 'p', sizeof(big));
	fd_write_all(p[1], big, sizeof(big));
	close(p[1]);
	is_int(file_read_fd(p[0], 100000, a, &text, &len), 0, "read a pipe");
	ok(len == sizeof(big) && memcmp(text, big, len) == 0, "its content");
	close(p[0]);
}

static void test_small(int dir)
{
	char buf[8];

	file_create(dir, "small", 0600, "max\n\n", 5);
	is_int(file_read_small(dir, "small", buf, sizeof(buf)), 3, "read_small cuts newlines");
	is_str(buf, "max", "its text");
	is_int(file_read_small(dir, "small", buf, 5), -EFBIG, "read_small: no room for the NUL");
	is_int(file_read_small(dir, "small", buf, 6), 3, "read_small: just fits");
	is_int(file_read_small(dir, "missing", buf, 6), -ENOENT, "read_small: missing");
	is_int(file_write(dir, "small", "val"), 0, "write");
	file_read_small(dir, "small", buf, sizeof(buf));
	is_str(buf, "val", "write does not truncate, nor need to");
	is_int(file_writef(dir, "small", "%d\n", 12), 0, "writef");
	is_int(file_write(dir, "missing", "x"), -ENOENT, "write never creates");
	if (symlinkat("small", dir, "link") < 0)
		bail_out("symlink");
	is_int(file_write(dir, "link", "x"), -ELOOP, "write follows no symlink");
	is_int(file_create(dir, "link", 0600, "x", 1), -EEXIST, "nor does create");
	is_int(file_write(AT_FDCWD, "/dev/full", "x"), -ENOSPC, "write reports the kernel's errno");
}

static void test_replace(int dir)
{
	char buf[16];
	struct stat st;

	is_int(file_replace(dir, "link", 0640, "new", 3), 0, "replace a symlink");
	ok(fstatat(dir, "link", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode),
	   "it is a file now");
	file_read_small(dir, "link", buf, sizeof(buf));
	is_str(buf, "new", "its text");
	is_int(file_read_small(dir, "small", buf, sizeof(buf)), 2, "the target is untouched");
	is_int(file_replace(dir, "sub/x", 0600, "x", 1), -ENOENT, "replace in a missing directory");
	mkdirat(dir, "sub", 0700);
	is_int(file_replace(dir, "sub/x", 0600, "x", 1), 0, "replace below a directory");
	is_int(file_replace(dir, "sub", 0600, "x", 1), -EISDIR, "a directory is not replaced");
}

static int count_entries(int dir)
{
	owned_fd fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dir_iter it;
	int ret, n = 0;

	if (dir_begin(&it, fd) < 0)
		return -1;
	while (dir_next(&it, NULL, &ret))
		n++;
	return n;
}

static void link_to(const char *target, int dir, const char *name, uid_t owner)
{
	if (symlinkat(target, dir, name) < 0 ||
	    (owner != geteuid() && fchownat(dir, name, owner, owner, AT_SYMLINK_NOFOLLOW) < 0))
		bail_out("symlink");
}

/* dir: a directory of the test.  As root, with somebody else's links in a directory for all. */
static void test_own(int dir, const char *path)
{
	char target[512], name[600], text[32];
	owned_fd fd = -1;
	int ends[2];

	if (mkdirat(dir, "all", 0777) < 0 || fchmodat(dir, "all", 01777, 0) < 0)
		bail_out("mkdir");
	snprintf(target, sizeof(target), "%s/target", path);
	snprintf(name, sizeof(name), "%s/all/new", path);
	fd = file_open_own(name, O_WRONLY | O_CREAT, 0600);
	ok(fd >= 0, "a new file");
	fd_close(&fd);
	link_to(target, dir, "all/own", geteuid());
	snprintf(name, sizeof(name), "%s/all/own", path);
	fd = file_open_own(name, O_WRONLY | O_CREAT, 0600);
	ok(fd >= 0 && faccessat(dir, "target", F_OK, 0) == 0, "an own link is followed");
	fd_close(&fd);
	link_to(".", dir, "here", geteuid());
	snprintf(name, sizeof(name), "%s/here/here/all/../target", path);
	fd = file_open_own(name, O_RDONLY, 0);
	ok(fd >= 0, "links and .. on the way");
	fd_close(&fd);
	link_to("loop", dir, "loop", geteuid());
	snprintf(name, sizeof(name), "%s/loop", path);
	is_int(file_open_own(name, O_RDONLY, 0), -ELOOP, "a loop ends");
	snprintf(name, sizeof(name), "%s/target/x", path);
	is_int(file_open_own(name, O_RDONLY, 0), -ENOTDIR, "a file is no directory");
	if (pipe2(ends, O_CLOEXEC) < 0)
		bail_out("pipe2");
	snprintf(name, sizeof(name), "/dev/fd/%d", ends[1]);
	fd = file_open_own(name, O_WRONLY | O_NONBLOCK, 0);
	ok(fd >= 0 && write(fd, "x", 1) == 1 && read(ends[0], text, sizeof(text)) == 1,
	   "a descriptor by its name");
	fd_close(&fd);
	close(ends[0]);
	close(ends[1]);
	if (geteuid() != 0) {
		skip("needs root");
		return;
	}
	link_to(target, dir, "all/theirs", 4242);
	snprintf(name, sizeof(name), "%s/all/theirs", path);
	is_int(file_open_own(name, O_WRONLY | O_CREAT, 0600), -EACCES, "somebody else's is not");
	link_to(path, dir, "all/directory", 4242);
	snprintf(name, sizeof(name), "%s/all/directory/target", path);
	is_int(file_open_own(name, O_WRONLY | O_CREAT, 0600), -EACCES, "nor on the way");
}

int main(void)
{
	char template[] = "/tmp/kist-test-file-XXXXXX";
	struct arena a = ARENA_INIT;
	owned_fd dir = -1;

	umask(022);
	if (!mkdtemp(template))
		bail_out("mkdtemp");
	dir = open(template, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	test_read(dir, &a);
	test_read_pipe(&a);
	test_small(dir);
	test_replace(dir);
	is_int(count_entries(dir), 6, "no temporary file is left");
	test_own(dir, template);
	arena_free(&a);
	dir_remove_tree(AT_FDCWD, template);
	return done();
}
