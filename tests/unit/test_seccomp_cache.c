/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cache must give back, and what it must not take from a directory that someone tampered
 * with.
 */
#include "seccomp_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "tap.h"

static char root_path[] = "/tmp/kist-cache-XXXXXX";
static struct arena arena;
static struct sock_filter program[] = { { BPF_RET | BPF_K, 0, 0, 0x7fff0000 },
					{ BPF_RET | BPF_K, 0, 0, 1 } };
static const struct seccomp_plan stored = { .enabled = true, .program = program, .n_program = 2 };
static const struct host host = { .arch = (char *)"x86_64" };
static int root;

static const char *cache_dir(void)
{
	return arena_printf(&arena, "%s/%s", root_path, SECCOMP_CACHE_DIR);
}

static int get(const char *source, const struct host *h, struct seccomp_plan *out)
{
	struct oci_seccomp s = { .source = { source, strlen(source) } };
	struct oci_linux l = { .seccomp = &s };
	struct oci_config c = { .linux = &l };

	memset(out, 0, sizeof(*out));
	return seccomp_cache_get(root, &c, h, &arena, out);
}

static void put(const char *source)
{
	struct oci_seccomp s = { .source = { source, strlen(source) } };
	struct oci_linux l = { .seccomp = &s };
	struct oci_config c = { .linux = &l };

	seccomp_cache_put(root, &c, &host, &arena, &stored);
}

/* The entry's path; how many there are goes to *n. */
static const char *find_entry(int *n)
{
	DIR *d = opendir(cache_dir());
	const char *path = NULL;
	struct dirent *e;

	*n = 0;
	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.') {
			path = arena_printf(&arena, "%s/%s", cache_dir(), e->d_name);
			++*n;
		}
	if (d != NULL)
		closedir(d);
	return path;
}

static void test_hit(void)
{
	struct host other = { .arch = (char *)"aarch64" };
	struct seccomp_plan out;

	is_int(get("{1}", &host, &out), 0, "nothing there");
	put("{1}");
	is_int(get("{1}", &host, &out), 1, "a hit");
	ok(out.n_program == 2 && memcmp(out.program, program, sizeof(program)) == 0,
	   "the same program");
	is_int(get("{2}", &host, &out), 0, "another profile");
	is_int(get("{1} ", &host, &out), 0, "a longer one");
	is_int(get("{1}", &other, &out), 0, "another machine");
	is_int(seccomp_cache_get(-1, &(struct oci_config){ 0 }, &host, &arena, &out), 0,
	       "no state root");
}

static void put_bytes(const char *path, off_t offset, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || pwrite(fd, data, len, offset) != (ssize_t)len)
		bail_out("cannot change the entry");
	close(fd);
}

static void refused(const char *what)
{
	struct seccomp_plan out;
	int n;

	is_int(get("{1}", &host, &out), 0, "refused: %s", what);
	unlink(find_entry(&n));
	put("{1}");
	is_int(get("{1}", &host, &out), 1, "and healed");
}

static void test_tampering(void)
{
	const char *other = arena_printf(&arena, "%s/other", root_path), *path;
	struct stat st;
	int n;

	put("{1}");
	path = find_entry(&n);
	is_int(n, 1, "one entry");
	stat(path, &st);
	is_int(st.st_mode & 0777, 0600, "of the owner alone");
	put_bytes(path, 0, "X", 1);
	refused("wrong magic");
	put_bytes(path, 10, "X", 1);
	refused("another key");
	put_bytes(path, st.st_size, "12345678", 4);
	refused("half an instruction more");
	ok(truncate(path, st.st_size - 16) == 0, "cut");
	refused("no instruction");
	ok(truncate(path, 0) == 0, "emptied");
	refused("empty");
	ok(truncate(path, st.st_size + 8L * SECCOMP_MAX_INSTRUCTIONS) == 0, "stretched");
	refused("more instructions than the kernel takes");
	chmod(path, 0620);
	refused("writable by the group");
	ok(link(path, other) == 0, "linked");
	refused("a second link");
	unlink(other);
	ok(rename(path, other) == 0 && symlink(other, path) == 0, "moved");
	refused("a symlink");
	unlink(other);
	ok(unlink(path) == 0 && mkfifo(path, 0600) == 0, "a FIFO in its place");
	refused("a FIFO does not block");
}

static void test_directory(void)
{
	const char *moved = arena_printf(&arena, "%s/moved", root_path);
	struct seccomp_plan out;

	chmod(cache_dir(), 0770);
	is_int(get("{1}", &host, &out), 0, "a directory open to the group");
	put("{9}");
	chmod(cache_dir(), 0700);
	is_int(get("{9}", &host, &out), 0, "is not written to either");
	is_int(get("{1}", &host, &out), 1, "closed again");
	if (geteuid() == 0) {
		ok(chown(cache_dir(), 1, 1) == 0 && get("{1}", &host, &out) == 0,
		   "a stranger's directory");
		ok(chown(cache_dir(), 0, 0) == 0, "back");
	}
	ok(rename(cache_dir(), moved) == 0 && symlink(moved, cache_dir()) == 0,
	   "a symlink to a directory");
	is_int(get("{1}", &host, &out), 0, "is not followed");
	unlink(cache_dir());
	ok(rename(moved, cache_dir()) == 0 && get("{1}", &host, &out) == 1, "restored");
}

static void test_bound(void)
{
	struct seccomp_plan out;
	int n;

	for (int i = 100; i < 200; i++)
		put(arena_printf(&arena, "{%d}", i));
	find_entry(&n);
	is_int(n, 64, "no more than 64 entries");
	is_int(get("{199}", &host, &out), 1, "the newest is there");
	is_int(get("{1}", &host, &out), 0, "the oldest is not");
}

int main(void)
{
	umask(022);
	alarm(60);
	if (mkdtemp(root_path) == NULL ||
	    (root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		bail_out("cannot make a directory in /tmp");
	test_hit();
	test_tampering();
	test_directory();
	test_bound();
	if (system(arena_printf(&arena, "rm -rf %s", root_path)) != 0)
		return 1;
	arena_free(&arena);
	return done();
}
