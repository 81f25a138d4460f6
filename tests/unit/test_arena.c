/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdint.h>
#include <sys/wait.h>

#include "tap.h"

static bool all_zero(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i])
			return false;
	}
	return true;
}

static void test_alloc(struct arena *a)
{
	static const size_t sizes[] = { 0, 1, 7, 16, 100, 4096, 20000, 70000, 3, 2000000, 5 };
	const size_t count = sizeof(sizes) / sizeof(sizes[0]);
	unsigned char *p[sizeof(sizes) / sizeof(sizes[0])];
	bool zero = true, aligned = true, kept = true;

	for (size_t i = 0; i < count; i++) {
		p[i] = arena_alloc(a, sizes[i]);
		zero &= all_zero(p[i], sizes[i]);
		aligned &= (uintptr_t)p[i] % _Alignof(max_align_t) == 0;
		memset(p[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < sizes[i]; j++)
			kept &= p[i][j] == i + 1;
	}
	ok(zero, "memory is zeroed");
	ok(aligned, "memory is aligned");
	ok(kept, "objects do not overlap");
	ok(arena_alloc(a, 0) != arena_alloc(a, 0), "size 0 gives a unique pointer");
}

static void test_many(struct arena *a)
{
	bool good = true;

	for (int i = 0; i < 100000; i++) {
		int *p = ARENA_NEW(a, int);

		good &= *p == 0;
		*p = i;
	}
	ok(good, "100000 small objects");
}

static void test_grow(struct arena *a)
{
	int *list = NULL, *other = NULL;
	bool good = true;

	for (int i = 0; i < 1000; i++) {
		list = arena_grow(a, list, (size_t)i, sizeof(*list));
		list[i] = i;
		other = arena_grow(a, other, (size_t)i, sizeof(*other));
		other[i] = -i;
	}
	for (int i = 0; i < 1000; i++)
		good &= list[i] == i && other[i] == -i;
	ok(good, "two arrays grow side by side");
	ok(arena_grow(a, list, 3, sizeof(*list)) == list, "room below the capacity is used");
}

static void test_strings(struct arena *a)
{
	char longer[1000];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	is_str(arena_strdup(a, "word"), "word", "strdup");
	is_str(arena_strndup(a, "word", 2), "wo", "strndup cuts");
	is_str(arena_strndup(a, "word", 20), "word", "strndup stops at the NUL");
	is_str(arena_printf(a, "%s-%d", "a", 7), "a-7", "printf");
	is_str(arena_printf(a, "%s", longer), longer, "printf longer than its first buffer");
	is_str(arena_memdup(a, "ab", 3), "ab", "memdup");
}

static void test_text(struct arena *a)
{
	struct arena_text t = ARENA_TEXT(a);
	char longer[1000];
	bool good = true;

	is_str(t.text, "", "a text begins empty");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	for (int i = 0; i < 10000; i++)
		arena_text_addf(&t, "%04d", i);
	for (int i = 0; i < 10000; i++)
		good &= atoi(arena_strndup(a, t.text + (size_t)i * 4, 4)) == i;
	ok(good && t.len == 40000, "a text of 10000 pieces");
	ok(t.size <= 4 * t.len, "has at most four times its length");
	arena_text_addf(&t, "%s", longer);
	is_str(t.text + 40000, longer, "a piece longer than its first buffer");
}

static void test_overflow(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		struct arena a = ARENA_INIT;

		close(STDERR_FILENO);
		arena_alloc_array(&a, SIZE_MAX / 2, 3);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 1,
	   "an overflowing product ends the process");
}

int main(void)
{
	struct arena a = ARENA_INIT;

	test_alloc(&a);
	test_many(&a);
	test_grow(&a);
	test_strings(&a);
	test_text(&a);
	arena_free(&a);
	ok(!a.head, "free empties the arena");
	is_str(arena_strdup(&a, "again"), "again", "usable after free");
	arena_free(&a);
	test_overflow();
	return done();
}
