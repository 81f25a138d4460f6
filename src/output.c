/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"

#define COLUMN_GAP 3
/* Narrower columns look ragged when ids are short. */
#define COLUMN_MIN 8

static void put_cell(FILE *out, const char *text, size_t width)
{
	size_t len = 0;

	for (; *text; text++, len++)
		putc_unlocked((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, out);
	for (; len < width; len++)
		putc_unlocked(' ', out);
}

void output_columns(FILE *out, const char *const *cells, size_t rows, size_t columns)
{
	struct arena a = ARENA_INIT;
	size_t *width = ARENA_NEW_ARRAY(&a, size_t, columns);

	/* The last column keeps width 0: no blanks at the end of a line. */
	for (size_t c = 0; c + 1 < columns; c++) {
		width[c] = COLUMN_MIN;
		for (size_t r = 0; r < rows; r++) {
			size_t len = strlen(cells[r * columns + c]);

			if (len > width[c])
				width[c] = len;
		}
		width[c] += COLUMN_GAP;
	}
	for (size_t r = 0; r < rows; r++) {
		for (size_t c = 0; c < columns; c++)
			put_cell(out, cells[r * columns + c], width[c]);
		putc('\n', out);
	}
	arena_free(&a);
}

void output_json(FILE *out, struct json_out *o)
{
	output_text(out, json_out_text(o));
}

void output_text(FILE *out, const char *text)
{
	size_t len = strlen(text);

	fwrite(text, 1, len, out);
	if (!len || text[len - 1] != '\n')
		putc('\n', out);
}

int output_finish(FILE *out, struct error *err)
{
	bool failed = ferror(out);

	errno = 0;
	if (fflush(out) != 0 || failed)
		return error_set(err, errno ? errno : EIO, "write standard output");
	return 0;
}
