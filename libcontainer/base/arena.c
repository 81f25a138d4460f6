/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.c - blocks from mmap(), a bump pointer in the newest one.
 *
 * Fresh anonymous pages are zero and cost memory only when touched, so that blocks can be generous
 * and need no memset().
 */
#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ARENA_ALIGN _Alignof(max_align_t)

static _Noreturn void out_of_memory(void)
{
	static const char text[] = "kist: out of memory\n";

	/* No stdio: this may be the child of a clone(). */
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(1);
	_exit(1);
}

#ifdef KIST_SANITIZE

struct arena_block {
	struct arena_block *next;
	_Alignas(max_align_t) unsigned char data[];
};

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *b;

	if (size > PTRDIFF_MAX - sizeof(*b))
		out_of_memory();
	b = calloc(1, sizeof(*b) + size);
	if (!b)
		out_of_memory();
	b->next = a->head;
	a->head = b;
	return b->data;
}

void arena_free(struct arena *a)
{
	while (a->head) {
		struct arena_block *b = a->head;

		a->head = b->next;
		free(b);
	}
}

/* For a sanitizer the blocks are the C library's, and a leak if nobody frees them. */
void arena_abandon(struct arena *a)
{
	arena_free(a);
}

#else

#define ARENA_FIRST_BLOCK ((size_t)64 * 1024)
#define ARENA_MAX_BLOCK ((size_t)1024 * 1024)
#define ARENA_PAGE ((size_t)4096)

struct arena_block {
	struct arena_block *next;	/* older */
	size_t size;			/* of the whole mapping */
	size_t used;			/* this header included */
};

static size_t round_up(size_t n, size_t to)
{
	return (n + to - 1) & ~(to - 1);
}

static struct arena_block *block_new(size_t size)
{
	struct arena_block *b = mmap(NULL, size, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (b == MAP_FAILED)
		out_of_memory();
	b->size = size;
	b->used = round_up(sizeof(*b), ARENA_ALIGN);
	return b;
}

static void *block_take(struct arena_block *b, size_t size)
{
	void *p = (unsigned char *)b + b->used;

	b->used += size;
	return p;
}

/* A large object gets a block of its own behind the head: what is left in the head stays of use. */
static void *alloc_large(struct arena *a, size_t size)
{
	struct arena_block *b;

	b = block_new(round_up(size + sizeof(*b) + ARENA_ALIGN, ARENA_PAGE));
	if (a->head) {
		b->next = a->head->next;
		a->head->next = b;
	} else {
		a->head = b;
	}
	return block_take(b, size);
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *b = a->head;
	size_t next = ARENA_FIRST_BLOCK;

	if (size > PTRDIFF_MAX / 2)
		out_of_memory();
	size = round_up(size ? size : 1, ARENA_ALIGN);
	if (b && b->size - b->used >= size)
		return block_take(b, size);

	if (b && b->size >= ARENA_FIRST_BLOCK)
		next = b->size * 2;
	if (next > ARENA_MAX_BLOCK)
		next = ARENA_MAX_BLOCK;
	if (size > next / 4)
		return alloc_large(a, size);

	b = block_new(next);
	b->next = a->head;
	a->head = b;
	return block_take(b, size);
}

void arena_free(struct arena *a)
{
	while (a->head) {
		struct arena_block *b = a->head;

		a->head = b->next;
		munmap(b, b->size);
	}
}

void arena_abandon(struct arena *a)
{
	a->head = NULL;
}

#endif

void *arena_alloc_array(struct arena *a, size_t count, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		out_of_memory();
	return arena_alloc(a, total);
}

void *arena_grow(struct arena *a, void *old, size_t count, size_t size)
{
	void *p;

	/* Full exactly when count has reached a power of two, the first being 4. */
	if (old && (count < 4 || (count & (count - 1))))
		return old;
	if (count > SIZE_MAX / 2)
		out_of_memory();
	p = arena_alloc_array(a, count < 4 ? 4 : count * 2, size);
	if (old)
		memcpy(p, old, count * size);
	return p;
}

void *arena_memdup(struct arena *a, const void *p, size_t n)
{
	void *copy = arena_alloc(a, n);

	if (n)
		memcpy(copy, p, n);
	return copy;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = arena_alloc(a, len + 1);

	memcpy(copy, s, len);
	return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_memdup(a, s, strlen(s) + 1);
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	char local[256];
	va_list again;
	char *p;
	int n;

	va_copy(again, ap);
	n = vsnprintf(local, sizeof(local), fmt, ap);
	if (n < 0)
		out_of_memory();
	if ((size_t)n < sizeof(local)) {
		p = arena_memdup(a, local, (size_t)n + 1);
	} else {
		p = arena_alloc(a, (size_t)n + 1);
		vsnprintf(p, (size_t)n + 1, fmt, again);
	}
	va_end(again);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

void arena_text_add(struct arena_text *t, const char *s, size_t len)
{
	char *text = (char *)(uintptr_t)t->text;

	if (t->size == 0 || t->size - t->len <= len) {
		size_t size = t->size < 128 ? 128 : t->size;

		/* Twice as much each time, so that n bytes take 2n and not n squared. */
		while (size - t->len <= len)
			if (__builtin_mul_overflow(size, 2, &size))
				out_of_memory();
		text = arena_alloc(t->arena, size);
		memcpy(text, t->text, t->len);
		t->text = text;
		t->size = size;
	}
	memcpy(text + t->len, s, len);
	t->len += len;
	text[t->len] = '\0';
}

void arena_text_addf(struct arena_text *t, const char *fmt, ...)
{
	char local[256], *longer = local;
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(local, sizeof(local), fmt, ap);
	if (n >= (int)sizeof(local))
		longer = arena_vprintf(t->arena, fmt, again);
	va_end(again);
	va_end(ap);
	if (n < 0)
		out_of_memory();
	arena_text_add(t, longer, (size_t)n);
}
