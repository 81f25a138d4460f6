/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_cache.c - compiled filters, kept below the state root.
 *
 * libseccomp needs 15 to 20 ms for an engine's profile; reading the result back takes microseconds.
 * An entry is named after a short hash of its key and holds the whole key, which a lookup compares
 * byte for byte: so the hash need not be cryptographic.  Entry: magic, key, a NUL, instructions.
 *
 * A forged entry would be a way out of the filter.  So everything on the way must be the caller's
 * own and closed to others; what is not is passed over as if it were not there.
 */
#include "seccomp_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "config.h"

#define MAX_ENTRIES 64
#define MAGIC	    "kistbpf" /* 8 bytes with its NUL */
#define FORMAT	    1	      /* to be raised whenever seccomp_program.c generates something else */

static const char *cache_key(const struct oci_config *c, const struct host *h, struct arena *a)
{
	const struct json_span *source = &c->linux->seccomp->source;
	unsigned int v[3];

	seccomp_library_version(v);
	return arena_printf(a, "%s %d libseccomp %u.%u.%u %s %zu\n%.*s", PACKAGE_VERSION, FORMAT,
			    v[0], v[1], v[2], h->arch, 8 * sizeof(void *), (int)source->len,
			    source->text);
}

/* FNV-1a, 64 bits, in hexadecimal. */
static void entry_name(const char *key, char name[17])
{
	static const char digits[] = "0123456789abcdef";
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *key != '\0'; key++)
		hash = (hash ^ (unsigned char)*key) * UINT64_C(0x100000001b3);
	for (int i = 15; i >= 0; i--, hash >>= 4)
		name[i] = digits[hash & 15];
	name[16] = '\0';
}

static bool is_cacheable(int state_root, const struct oci_config *c, const struct host *h)
{
	return state_root >= 0 && c->linux != NULL && c->linux->seccomp != NULL &&
	       c->linux->seccomp->source.len > 0 && c->linux->seccomp->source.len < INT32_MAX &&
	       h->arch != NULL;
}

/* The directory, if it is the caller's alone; else -errno. */
static int open_dir(int state_root, int flags)
{
	owned_fd fd = path_open(state_root, SECCOMP_CACHE_DIR, flags | O_DIRECTORY, 0,
				RESOLVE_NO_SYMLINKS);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
		log_debug("seccomp cache: directory of uid %u, mode %04o: not used", st.st_uid,
			  (unsigned int)(st.st_mode & 07777));
		return -EPERM;
	}
	return fd_take(&fd);
}

/* Number of instructions in an entry of this size with this key, or 0: no such entry can be. */
static size_t count_instructions(off_t size, size_t key_size)
{
	uint64_t head = sizeof(MAGIC) + key_size, rest;

	if (size < 0 || (uint64_t)size <= head)
		return 0;
	rest = (uint64_t)size - head;
	if (rest % sizeof(struct sock_filter) != 0 ||
	    rest / sizeof(struct sock_filter) > SECCOMP_MAX_INSTRUCTIONS)
		return 0;
	return rest / sizeof(struct sock_filter);
}

static bool read_entry(int fd, const char *key, struct arena *a, struct seccomp_plan *out)
{
	size_t key_size = strlen(key) + 1, n, len;
	struct stat st;
	char *data;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    st.st_nlink != 1 || (st.st_mode & 022) != 0)
		return false;
	n = count_instructions(st.st_size, key_size);
	if (n == 0 || file_read_fd(fd, (size_t)st.st_size, a, &data, &len) < 0 ||
	    len != (size_t)st.st_size)
		return false;
	if (memcmp(data, MAGIC, sizeof(MAGIC)) != 0 ||
	    memcmp(data + sizeof(MAGIC), key, key_size) != 0)
		return false;
	/* Whether it is a valid program, the kernel checks when it is loaded. */
	out->program =
		arena_memdup(a, data + sizeof(MAGIC) + key_size, n * sizeof(struct sock_filter));
	out->n_program = n;
	return true;
}

int seccomp_cache_get(int state_root, const struct oci_config *c, const struct host *h,
		      struct arena *a, struct seccomp_plan *out)
{
	owned_fd dir = -1;
	owned_fd fd = -1;
	const char *key;
	char name[17];

	if (!is_cacheable(state_root, c, h))
		return 0;
	dir = open_dir(state_root, O_PATH);
	if (dir < 0)
		return 0;
	key = cache_key(c, h, a);
	entry_name(key, name);
	/* A FIFO in its place must not block, a symlink must not lead elsewhere. */
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (read_entry(fd, key, a, out))
		return 1;
	log_debug("seccomp cache: entry %s is not for this profile, or not trustworthy: not used",
		  name);
	return 0;
}

/* Removes the oldest entry when there are too many (left-over temporary files count as entries). */
static void make_room(int dir)
{
	struct timespec oldest = { 0, 0 };
	char victim[256] = "";
	struct dir_iter it;
	const char *name;
	size_t n = 0;
	int r = dir_begin(&it, dir);

	if (r < 0)
		return;
	while ((name = dir_next(&it, NULL, &r)) != NULL) {
		struct stat st;

		if (strlen(name) >= sizeof(victim) ||
		    fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		n++;
		if (victim[0] == '\0' || st.st_mtim.tv_sec < oldest.tv_sec ||
		    (st.st_mtim.tv_sec == oldest.tv_sec && st.st_mtim.tv_nsec < oldest.tv_nsec)) {
			oldest = st.st_mtim;
			memcpy(victim, name, strlen(name) + 1);
		}
	}
	if (n >= MAX_ENTRIES && unlinkat(dir, victim, 0) < 0 && errno != ENOENT)
		log_debug("seccomp cache: cannot remove %s: %s", victim, error_text(errno));
}

void seccomp_cache_put(int state_root, const struct oci_config *c, const struct host *h,
		       struct arena *a, const struct seccomp_plan *p)
{
	size_t key_size, size, program_size = p->n_program * sizeof(struct sock_filter);
	owned_fd made = -1;
	owned_fd dir = -1;
	const char *key;
	char name[17], *data;
	int r;

	if (!is_cacheable(state_root, c, h) || p->n_program == 0)
		return;
	made = path_mkdirs(state_root, SECCOMP_CACHE_DIR, 0700);
	dir = made < 0 ? made : open_dir(state_root, O_RDONLY);
	if (dir < 0) {
		log_debug("seccomp cache: cannot be used: %s", error_text(-dir));
		return;
	}
	key = cache_key(c, h, a);
	key_size = strlen(key) + 1;
	size = sizeof(MAGIC) + key_size + program_size;
	data = arena_alloc(a, size);
	memcpy(data, MAGIC, sizeof(MAGIC));
	memcpy(data + sizeof(MAGIC), key, key_size);
	memcpy(data + sizeof(MAGIC) + key_size, p->program, program_size);
	entry_name(key, name);
	make_room(dir);
	r = file_replace(dir, name, 0600, data, size);
	if (r < 0)
		log_debug("seccomp cache: cannot write %s: %s", name, error_text(-r));
}
