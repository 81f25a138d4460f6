/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h - memory with one owner and one lifetime.
 *
 * Each command has one arena; scratch arenas serve loops.  Nothing is freed on
 * its own.  Allocation never returns NULL: when the kernel gives no more memory the
 * process writes "out of memory" to standard error and ends with status 1.  That is
 * safe because all allocation happens before the first side effect, or after the
 * intent record exists from which `delete -f` recovers.
 *
 * With --enable-sanitizers every object is its own malloc(), so that AddressSanitizer
 * sees overflows between neighbours.
 */
#ifndef KIST_BASE_ARENA_H
#define KIST_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *head;	/* newest block, or NULL */
};

#define ARENA_INIT { NULL }

/* Zeroed memory, aligned for any type.  size 0 gives a unique pointer. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((malloc, returns_nonnull));

/* As arena_alloc(count * size), and the product is checked for overflow. */
void *arena_alloc_array(struct arena *a, size_t count, size_t size)
	__attribute__((returns_nonnull));

/*
 * Grows a dynamic array for one more element: returns old, or a copy of it with more room.
 * count: elements in use.  The capacity is the next power of two at or above count (at
 * least 4), so no capacity need be stored.
 */
void *arena_grow(struct arena *a, void *old, size_t count, size_t size)
	__attribute__((returns_nonnull));

char *arena_strdup(struct arena *a, const char *s) __attribute__((returns_nonnull));
char *arena_strndup(struct arena *a, const char *s, size_t n) __attribute__((returns_nonnull));
void *arena_memdup(struct arena *a, const void *p, size_t n) __attribute__((returns_nonnull));
char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), returns_nonnull));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0), returns_nonnull));

/* A text that is made piece by piece, of any length.  Begins as { .arena = a, .text = "" }. */
struct arena_text {
	struct arena *arena;
	const char *text;
	size_t len, size;	/* size 0: text is not in the arena yet */
};

void arena_text_add(struct arena_text *t, const char *s, size_t len);
void arena_text_addf(struct arena_text *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define ARENA_TEXT(a) { .arena = (a), .text = "" }

/* Gives all memory back; the arena is empty and usable again. */
void arena_free(struct arena *a);
/* At the end of the process, whose memory the kernel takes back at once. */
void arena_abandon(struct arena *a);

#define ARENA_NEW(arena, type) ((type *)arena_alloc(arena, sizeof(type)))
#define ARENA_NEW_ARRAY(arena, type, n) ((type *)arena_alloc_array(arena, n, sizeof(type)))

#endif
