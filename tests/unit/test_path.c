/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/proc.h"
#include "tap.h"

/*
 * The test directory holds root/, where the functions work, and outside/, which must
 * never be touched.
 */
struct tree {
	int top;
	int root;
};

static void link_to(const struct tree *t, const char *target, const char *name)
{
	if (symlinkat(target, t->root, name) < 0)
		bail_out("symlink");
}

static bool is_dir(int dir, const char *path)
{
	struct stat st;

	return fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static bool is_file(int dir, const char *path)
{
	struct stat st;

	return fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

static bool is_empty(int top, const char *path)
{
	owned_fd fd = openat(top, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dir_iter it;
	int ret;

	return fd >= 0 && dir_begin(&it, fd) == 0 && !dir_next(&it, NULL, &ret);
}

/* Whether fd is the same as path below the root, and an O_PATH descriptor; closes it. */
static bool leads_to(const struct tree *t, int fd, const char *path)
{
	owned_fd got = fd;
	owned_fd want = openat(t->root, path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	return got >= 0 && want >= 0 && fd_same_inode(got, want) == 1 &&
	       (fcntl(got, F_GETFL) & O_PATH) && fcntl(got, F_GETFD) == FD_CLOEXEC;
}

static void test_lookup(const struct tree *t)
{
	mkdirat(t->root, "usr", 0755);
	mkdirat(t->root, "usr/lib", 0755);
	link_to(t, "/usr/lib", "lib");
	link_to(t, "../../../../outside", "escape");
	link_to(t, "loop", "loop");
	ok(leads_to(t, path_lookup(t->root, "/lib"), "usr/lib"),
	   "an absolute symlink stays inside");
	ok(leads_to(t, path_lookup_nofollow(t->root, "/lib"), "lib"), "a symlink itself");
	ok(leads_to(t, path_lookup(t->root, "../../../usr"), "usr"), "\"..\" stays inside");
	ok(leads_to(t, path_lookup(t->root, "/"), "."), "the root itself");
	is_int(path_lookup(t->root, "escape"), -ENOENT, "a relative symlink stays inside");
	is_int(path_lookup(t->root, "loop"), -ELOOP, "a loop");
	is_int(path_lookup(t->root, "nothing"), -ENOENT, "a missing file");
	is_int(path_lookup(t->root, "usr/nothing/x"), -ENOENT, "below a missing directory");
}

static void test_mkdirs(const struct tree *t)
{
	owned_fd plain = openat(t->root, "plain", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	ok(plain >= 0, "a plain file");
	ok(leads_to(t, path_mkdirs(t->root, "/a/b//c/", 0755), "a/b/c"), "mkdirs");
	ok(leads_to(t, path_mkdirs(t->root, "a/b/c", 0755), "a/b/c"), "mkdirs of what is there");
	ok(leads_to(t, path_mkdirs(t->root, "/", 0755), "."), "mkdirs of the root");
	ok(leads_to(t, path_mkdirs(t->root, "new/./x/../y", 0755), "new/y"), "mkdirs with dots");
	ok(is_dir(t->root, "new/x"), "what \"..\" leaves is made as well");
	ok(leads_to(t, path_mkdirs(t->root, "../../../up/../up2", 0755), "up2"),
	   "mkdirs above root");
	ok(leads_to(t, path_mkdirs(t->root, "lib/mod/x", 0755), "usr/lib/mod/x"),
	   "through a symlink");
	is_int(path_mkdirs(t->root, "plain/x", 0755), -ENOTDIR, "a file in the way");
	is_int(path_mkdirs(t->root, "plain", 0755), -ENOTDIR, "a file at the end");
	is_int(path_mkdirs(t->root, "nil/../plain/x", 0755), -ENOTDIR, "a file met on the way");
	is_int(path_mkdirs(t->root, "nil2/../loop/x", 0755), -ELOOP, "a loop met on the way");
}

static void test_dangling(const struct tree *t)
{
	link_to(t, "/var/run/deep", "d1");
	link_to(t, "../../outside/made", "d2");
	link_to(t, "d4/tail", "d3");
	link_to(t, "/srv/d4", "d4");
	link_to(t, "/run/resolv/stub.conf", "resolv.conf");
	ok(leads_to(t, path_mkdirs(t->root, "d1/x", 0755), "var/run/deep/x"), "an absolute one");
	ok(leads_to(t, path_mkdirs(t->root, "d2", 0755), "outside/made"), "one that points out");
	ok(leads_to(t, path_mkdirs(t->root, "d3", 0755), "srv/d4/tail"), "one over another");
	ok(leads_to(t, path_mkfile(t->root, "resolv.conf", 0644), "run/resolv/stub.conf"),
	   "a file's");
	ok(is_file(t->root, "run/resolv/stub.conf"), "whose target is made");
}

static void test_mkfile(const struct tree *t)
{
	struct stat st;

	ok(leads_to(t, path_mkfile(t->root, "/etc/a/hosts", 0640), "etc/a/hosts"), "mkfile");
	ok(fstatat(t->root, "etc/a/hosts", &st, 0) == 0 && st.st_mode == (S_IFREG | 0640), "mode");
	ok(leads_to(t, path_mkfile(t->root, "etc/a/hosts", 0600), "etc/a/hosts"),
	   "when it is there");
	is_int(path_mkfile(t->root, "etc/a", 0600), -EISDIR, "a directory");
	is_int(path_mkfile(t->root, "etc/new/", 0600), -EISDIR, "a directory's name");
	ok(!is_dir(t->root, "etc/new"), "which is not made");
	is_int(path_mkfile(t->root, "etc/a/hosts/x", 0600), -ENOTDIR, "below a file");
	ok(leads_to(t, path_mkfile(t->root, "/../../../../f", 0600), "f"), "above root");
}

static void test_newfile(const struct tree *t)
{
	owned_fd made = path_newfile(t->root, "/../etc/a/fresh", 0640);
	owned_fd there = openat(t->root, "etc/a/fresh", O_PATH | O_CLOEXEC);

	ok(made >= 0 && fd_same_inode(made, there) == 1, "newfile");
	is_int(path_newfile(t->root, "etc/a/fresh", 0640), -EEXIST, "when it is there");
	is_int(path_newfile(t->root, "etc/a", 0640), -EEXIST, "a directory");
	is_int(path_newfile(t->root, "etc/a/slash/", 0640), -EISDIR, "a directory's name");
	is_int(path_newfile(t->root, "etc/none/x", 0640), -ENOENT, "without its directory");
	is_int(path_newfile(t->root, "etc/a/hosts/x", 0640), -ENOTDIR, "below a file");
	is_int(path_newfile(t->root, "/", 0640), -EISDIR, "the root");
	link_to(t, "/outside/made-by-link", "fresh-link");
	is_int(path_newfile(t->root, "fresh-link", 0640), -EEXIST, "a dangling symlink");
	ok(!is_file(t->root, "outside/made-by-link"), "whose target is not made");
}

static void test_parent(const struct tree *t)
{
	char name[256], longer[300];

	ok(leads_to(t, path_parent(t->root, "/usr/lib/", 0, name), "usr"), "parent");
	is_str(name, "lib", "its name");
	ok(leads_to(t, path_parent(t->root, "single", 0, name), "."), "parent of one component");
	is_str(name, "single", "its name");
	ok(leads_to(t, path_parent(t->root, "p/q/r", 0755, name), "p/q"), "parent that is made");
	is_int(path_parent(t->root, "no/q", 0, name), -ENOENT, "parent that is missing");
	is_int(path_parent(t->root, "", 0, name), -EINVAL, "no path");
	is_int(path_parent(t->root, "//", 0, name), -EINVAL, "the root");
	is_int(path_parent(t->root, "usr/..", 0, name), -EINVAL, "dot dot");
	is_int(path_parent(t->root, "usr/.", 0, name), -EINVAL, "dot");
	memset(longer, 'n', 256);
	longer[256] = '\0';
	is_int(path_parent(t->root, longer, 0, name), -ENAMETOOLONG, "a long name");
	is_int(path_mkdirs(t->root, longer, 0755), -ENAMETOOLONG, "mkdirs of a long name");
}

static void test_reopen(const struct tree *t)
{
	owned_fd proc = proc_open();
	owned_fd file = path_mkfile(t->root, "io", 0600);
	owned_fd rw = path_reopen(proc, file, O_RDWR);
	owned_fd magic = -1;

	ok(rw >= 0 && write(rw, "x", 1) == 1, "reopen for writing");
	is_int(path_reopen(proc, -1, O_RDONLY), -ENOENT, "reopen of nothing");
	magic = path_lookup(proc, "self/fd");
	ok(magic >= 0, "procfs as a root");
	is_int(path_lookup(proc, "self/cwd"), -ELOOP, "magic links are refused");
	is_int(path_mkdirs(proc, "self/cwd/x", 0755), -ELOOP, "by mkdirs too");
}

static void test_text(void)
{
	static const struct { const char *in, *out; } rows[] = {
		{ "/", "/" },
		{ "//a//b/", "/a/b" },
		{ "/a/./b", "/a/b" },
		{ "/a/../b", "/b" },
		{ "/../../x", "/x" },
		{ "/a/b/../..", "/" },
		{ "a/../..", "." },
		{ "", "." },
		{ "a/b/..", "a" },
		{ "../x", "x" },
		{ "/..a/...", "/..a/..." },
	};
	char out[64], tiny[4];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int n = path_clean(rows[i].in, out, sizeof(out));

		is_str(out, rows[i].out, "clean \"%s\"", rows[i].in);
		is_int(n, (long long)strlen(rows[i].out), "its length");
	}
	is_int(path_clean("/abc", tiny, sizeof(tiny)), -ENAMETOOLONG, "clean: no room");
	is_int(path_clean("/ab", tiny, sizeof(tiny)), 3, "clean: just fits");
	ok(path_has_dotdot("a/../b") && path_has_dotdot("..") && path_has_dotdot("/a/.."),
	   "has ..");
	ok(!path_has_dotdot("/a/..b/c..") && !path_has_dotdot("") && !path_has_dotdot("..."),
	   "no ..");
	ok(path_is_below("/proc/sys", "/proc") && path_is_below("/proc", "/proc"), "below");
	ok(!path_is_below("/process", "/proc") && !path_is_below("/", "/proc"), "not below");
	ok(path_is_below("/x", "/") && !path_is_below("x", "/"), "below the root");
}

/* Exchanges the directory and the symlink out of the root for ever. */
static _Noreturn void race(const struct tree *t)
{
	for (;;)
		syscall(SYS_renameat2, t->root, "swap", t->root, "evil", 2u /* RENAME_EXCHANGE */);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void test_race(const struct tree *t)
{
	double end = now() + 0.2;
	char path[64];
	int made = 0;
	pid_t pid;

	mkdirat(t->root, "swap", 0755);
	link_to(t, "../outside", "evil");
	pid = fork();
	if (pid == 0)
		race(t);
	for (int i = 0; now() < end; i++) {
		owned_fd fd = -1, file = -1;

		snprintf(path, sizeof(path), "swap/x%d/y", i % 50);
		fd = path_mkdirs(t->root, path, 0755);
		snprintf(path, sizeof(path), "swap/../swap/f%d", i % 50);
		file = path_mkfile(t->root, path, 0644);
		made += fd >= 0 && file >= 0;
		/* Where the symlink leads inside the root: to be made again. */
		dir_remove_tree(t->root, "outside");
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ok(made > 0, "directories and files are made during a race (%d)", made);
}

int main(void)
{
	char template[] = "/tmp/kist-test-path-XXXXXX";
	struct tree t = { -1, -1 };

	umask(022);
	if (!mkdtemp(template))
		bail_out("mkdtemp");
	t.top = open(template, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mkdirat(t.top, "root", 0755);
	mkdirat(t.top, "outside", 0755);
	t.root = openat(t.top, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	test_lookup(&t);
	test_mkdirs(&t);
	test_dangling(&t);
	test_mkfile(&t);
	test_newfile(&t);
	test_parent(&t);
	test_reopen(&t);
	test_text();
	test_race(&t);
	ok(is_empty(t.top, "outside"), "nothing was made outside");

	fd_close(&t.root);
	fd_close(&t.top);
	dir_remove_tree(AT_FDCWD, template);
	return done();
}
