/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_doc.h - what the reader tells the document: where values stand, and what is wrong.  Private
 * to json/.
 */
#ifndef KIST_JSON_DOC_H
#define KIST_JSON_DOC_H

#include "json/json.h"

/* Where one value was read.  Entry 0 is the whole document. */
struct json_place {
	const void *addr;	/* the member; NULL: nothing was stored */
	const char *name;	/* member name; NULL: an array element */
	uint32_t index;		/* of the element; JSON_PLACE_HERE: a position inside the parent */
	uint32_t parent;	/* entry of the enclosing value */
	uint32_t offset;	/* of the value's first byte */
};

#define JSON_PLACE_HERE UINT32_MAX
#define JSON_PLACE_NOWHERE UINT32_MAX	/* as an offset: the value stood in no text */

/* Returns the new entry's number. */
uint32_t json_place_add(struct json_doc *doc, const struct json_place *place);

/* An array moved: entries from `first` on that point into its old place follow it. */
void json_place_move(struct json_doc *doc, uint32_t first, const void *old, size_t size,
		     const void *new);

/* Tells collector, error or log about the value of entry `place`. */
void json_report(struct json_doc *doc, enum json_class class_, bool warning, uint32_t place,
		 const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* For messages: s in double quotes, and cut; in the doc's arena. */
const char *json_quote(struct json_doc *doc, const char *s, size_t len);

#endif
