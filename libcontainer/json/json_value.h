/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_value.h - one value of the text, and how it gets into a member.  Private to json/.
 */
#ifndef KIST_JSON_VALUE_H
#define KIST_JSON_VALUE_H

#include "json/json.h"

enum json_value_type {
	JSON_VALUE_ANY,
	JSON_VALUE_NULL,
	JSON_VALUE_BOOL,
	JSON_VALUE_NUMBER,
	JSON_VALUE_STRING,
	JSON_VALUE_OBJECT,
	JSON_VALUE_ARRAY,
};

struct json_value {
	enum json_value_type type;
	bool boolean;
	const char *text; /* NUMBER: as written; STRING: without escapes; not NUL-terminated */
	size_t len;
	const char *fault;	/* STRING: why it cannot be kept, or NULL */
};

/* With its article: "a string". */
const char *json_value_type_name(enum json_value_type type);

/* The type that a row takes. */
enum json_value_type json_value_type(const struct json_field *field);

/* Bytes of an integer, bool or double kind. */
size_t json_kind_size(enum json_kind kind);

/*
 * Stores a value of the right type: scalars, strings, and single elements of NUMBERS and CHOICES.
 * member: the member (a pointer to allocate for where the row is indirect), or the element.
 * What does not fit is reported for entry `place` and not stored.
 */
void json_value_store(struct json_doc *doc, const struct json_field *field, void *member,
		      const struct json_value *v, uint32_t place);

#endif
