/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_record.c - a container's record, damaged or forged: state.json and intent.json.
 *
 * The input is state.json, then a line "--", then intent.json.  What is loaded must be what the
 * directory's name says, and no cgroup of it may be the root of a hierarchy or lead upwards.
 */
#include <sys/stat.h>

#include "base/path.h"
#include "fuzz.h"
#include "state.h"

#define ID "box"

static void check(const struct state *s)
{
	if (strcmp(s->id, ID) != 0 || s->pid < 0)
		abort();
	for (size_t i = 0; s->cgroup && i < s->cgroup->n_dirs; i++) {
		const char *path = s->cgroup->dirs[i].path;

		if (*path && (*path != '/' || !path[strspn(path, "/")] || path_has_dotdot(path)))
			abort();
	}
}

static void load(int root, struct arena *a)
{
	struct error err;
	owned_fd dir = state_open(root, ID, &err);
	struct state *s;

	if (dir < 0 || state_read(dir, ID, a, &s, &err) < 0)
		abort();
	check(s);
	state_recover_cgroup(dir, s, a);
	check(s);
	if (!state_is_damaged(s) && strlen(state_for_hooks(s, "stopped", a)) == 0)
		abort();
	if (state_load_config(dir, s, a, &err) == 0 && s->config.len > 0 &&
	    memchr(s->config.text, '{', s->config.len) == NULL &&
	    memchr(s->config.text, '[', s->config.len) == NULL)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char between[] = "\n--\n";
	const uint8_t *cut = size ? memmem(data, size, between, sizeof(between) - 1) : NULL;
	size_t first = cut ? (size_t)(cut - data) : size;
	size_t second = cut ? size - first - (sizeof(between) - 1) : 0;
	struct arena a = ARENA_INIT;
	int root = fuzz_dir();
	owned_fd dir = -1;

	fuzz_quiet();
	(void)mkdirat(root, ID, 0700);
	dir = openat(root, ID, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fuzz_file(dir, "state.json", data, first);
	fuzz_file(dir, "intent.json", data + size - second, second);
	load(root, &a);
	arena_free(&a);
	return 0;
}
