/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output.h - what commands print on standard output: columns and JSON.
 */
#ifndef KIST_OUTPUT_H
#define KIST_OUTPUT_H

#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "json/json.h"

/*
 * Aligned columns: cells holds rows * columns texts, the heading row first.  Control characters are
 * printed as '?': a bundle's name may come from somebody who would like to write to the reader's
 * terminal.
 */
void output_columns(FILE *out, const char *const *cells, size_t rows, size_t columns);

/* The text that was written into o, and a newline. */
void output_json(FILE *out, struct json_out *o);

/* Text, with a newline behind it if it has none. */
void output_text(FILE *out, const char *text);

/* One line, of a text that somebody else wrote (see str_visible()). */
void output_line(FILE *out, const char *text);

/*
 * A stream in place of a standard output that is closed: what is written to it fails as write(2)
 * on a closed descriptor does.  NULL: no memory.
 */
FILE *output_closed(void);

/* Flushes; an error here or earlier (a full disk) is the command's error. */
int output_finish(FILE *out, struct error *err);

#endif
