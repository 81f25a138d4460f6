/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/str.h"

#define COLUMN_GAP 3
/* Narrower columns look ragged when ids are short. */
#define COLUMN_MIN 8

/* Characters, as far as each takes one column. */
static size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void put_cell(FILE *out, const char *text, size_t width)
{
	fputs(text, out);
	for (size_t len = text_width(text); len < width; len++)
		putc_unlocked(' ', out);
}

void output_columns(FILE *out, const char *const *cells, size_t rows, size_t columns)
{
	struct arena a = ARENA_INIT;
	const char **visible = ARENA_NEW_ARRAY(&a, const char *, rows * columns);
	size_t *width = ARENA_NEW_ARRAY(&a, size_t, columns);

	for (size_t i = 0; i < rows * columns; i++)
		visible[i] = str_visible(cells[i], "", &a);
	/* The last column keeps width 0: no blanks at the end of a line. */
	for (size_t c = 0; c + 1 < columns; c++) {
		width[c] = COLUMN_MIN;
		for (size_t r = 0; r < rows; r++) {
			size_t len = text_width(visible[r * columns + c]);

			if (len > width[c])
				width[c] = len;
		}
		width[c] += COLUMN_GAP;
	}
	for (size_t r = 0; r < rows; r++) {
		for (size_t c = 0; c < columns; c++)
			put_cell(out, visible[r * columns + c], width[c]);
		putc('\n', out);
	}
	arena_free(&a);
}

void output_line(FILE *out, const char *text)
{
	struct arena a = ARENA_INIT;

	fputs(str_visible(text, "", &a), out);
	putc('\n', out);
	arena_free(&a);
}

void output_json(FILE *out, struct json_out *o)
{
	output_text(out, json_out_text(o));
}

void output_text(FILE *out, const char *text)
{
	size_t len = strlen(text);

	if (len > 0 && text[len - 1] == '\n')
		len--;
	fwrite(text, 1, len, out);
	/*
	 * By itself: after a write that failed nothing is left to flush, and output_finish() would
	 * not learn why.
	 */
	putc('\n', out);
}

static ssize_t refuse_write(void *cookie, const char *text, size_t len)
{
	(void)cookie;
	(void)text;
	(void)len;
	errno = EBADF;
	return 0;
}

FILE *output_closed(void)
{
	return fopencookie(NULL, "w", (cookie_io_functions_t){ .write = refuse_write });
}

int output_finish(FILE *out, struct error *err)
{
	bool failed = ferror(out);

	errno = 0;
	if (fflush(out) != 0 || failed)
		return error_set(err, errno ? errno : EIO, "write standard output");
	return 0;
}
