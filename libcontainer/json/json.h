/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h - JSON in and out over tables.
 *
 * A table says once which property goes to which member of which struct; reader and writer both
 * walk it:
 *
 *	#define JSON_TYPE struct oci_rlimit
 *	static const struct json_field rlimit[] = {
 *		CHOICE(type, "type", oci_rlimit_types, JSON_REQUIRED),
 *		FIELD(soft, "soft", JSON_REQUIRED),
 *		FIELD(hard, "hard", JSON_REQUIRED),
 *		{ 0 }
 *	};
 *	#undef JSON_TYPE
 *
 * Reading is strict: wrong types, numbers that do not fit, fractions where integers are meant,
 * invalid UTF-8, unpaired surrogates, \u0000 in a string, duplicate members, missing required
 * members, anything after the value, and nesting deeper than JSON_DEPTH_MAX are errors.  An unknown
 * member is a warning (the specification says it must be ignored), an error when `strict` is set;
 * one that differs only by case is taken, with a warning, since engines written in Go do so.  null
 * stands for an absent optional member.
 *
 * yajl is used as a streaming parser only, and only here.
 */
#ifndef KIST_JSON_H
#define KIST_JSON_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

#define JSON_DEPTH_MAX 64
/* Bytes; far below where the buffers of yajl overflow (CVE-2022-24795). */
#define JSON_TEXT_MAX (64u << 20)
/* Values and members in one text: each takes some 100 bytes of memory, however short it is. */
#define JSON_VALUES_MAX (1u << 20)
/* Warnings of one text that go to the log. */
#define JSON_WARNINGS_MAX 100

/* A piece of the text that was read (not NUL-terminated; lives as long as that text). */
struct json_span {
	const char *text;
	size_t len;
};

/* Tables ---------------------------------------------------------------- */

/* A name and its constant; a NULL name ends the table.  Writing takes the first row that fits. */
struct json_choice {
	const char *name;
	int64_t value;
};

enum json_kind {
	JSON_BOOL = 1,
	JSON_U8,
	JSON_U16,
	JSON_U32,
	JSON_U64,
	JSON_I32,
	JSON_I64,
	JSON_DOUBLE,
	JSON_STRING,
	JSON_STRINGS,		/* NULL-terminated char ** */
	JSON_NUMBERS,		/* array of integers, and n_<member> */
	JSON_CHOICE,
	JSON_CHOICES,		/* array of integers, and n_<member> */
	JSON_PAIRS,		/* array of { char *key; char *value; }, and n_<member> */
	JSON_OBJECT,
	/*
	 * Array of structs, and n_<member>.  A struct of which findings are told as a whole begins
	 * with a member that is none of the table: it has the address of the first one else.
	 */
	JSON_LIST,
	JSON_MAP,		/* the same from an object; the struct starts with char *key */
	JSON_SPAN,		/* struct json_span: the value's own text, not looked into */
	JSON_IGNORED,		/* known, but of no use here: skipped, with a warning */
	JSON_OTHER_WORD,	/* unknown, but it is known what is meant by it */
};

/* Flags of a row. */
#define JSON_OPTIONAL 0x00
#define JSON_REQUIRED 0x01	/* reading: must be there; writing: even when empty, 0 or false */
#define JSON_WRITTEN 0x04	/* may be absent, but is written even when empty, 0 or false */
#define JSON_EMPTY 0x08		/* an empty text is an absent one: encoders write what is not set */
#define JSON_ID 0x02		/* a user or group id: at most 4294967294 */

/* One row: a property and its member.  Made by the macros below; a NULL name ends the table. */
struct json_field {
	const char *name;
	/* By kind.  In one place, since each pointer is written anew when the program starts. */
	union {
		const struct json_field *fields;	/* OBJECT, LIST, MAP */
		const struct json_choice *choices;	/* CHOICE, CHOICES; NULL for scalars */
		const char *meant;			/* OTHER_WORD: the member to suggest */
	};
	uint16_t offset;			/* of the member */
	uint16_t count;				/* of n_<member> */
	uint16_t size;				/* of one element or of the object */
	uint8_t kind;
	uint8_t item;				/* NUMBERS, CHOICE, CHOICES: the integer's kind */
	uint8_t indirect;			/* the member is a pointer, NULL when absent */
	uint8_t flags;
};

#define JSON_MEMBER(m) (((JSON_TYPE *)NULL)->m)

#define JSON_KIND(x) \
	_Generic((x), \
		bool: JSON_BOOL, bool *: JSON_BOOL, \
		uint8_t: JSON_U8, uint8_t *: JSON_U8, \
		uint16_t: JSON_U16, uint16_t *: JSON_U16, \
		uint32_t: JSON_U32, uint32_t *: JSON_U32, \
		uint64_t: JSON_U64, uint64_t *: JSON_U64, \
		int32_t: JSON_I32, int32_t *: JSON_I32, \
		int64_t: JSON_I64, int64_t *: JSON_I64, \
		double: JSON_DOUBLE, double *: JSON_DOUBLE, \
		char *: JSON_STRING, const char *: JSON_STRING, \
		char **: JSON_STRINGS)

#define JSON_IS_POINTER(x) \
	_Generic((x), \
		bool: 0, uint8_t: 0, uint16_t: 0, uint32_t: 0, uint64_t: 0, \
		int32_t: 0, int64_t: 0, double: 0, default: 1)

/* What all rows have, and what those of lists have. */
#define JSON_ROW(m, property, flag) \
	.name = (property), .offset = offsetof(JSON_TYPE, m), .flags = (flag)
#define JSON_LIST_ROW(m, property, flag) \
	JSON_ROW(m, property, flag), .count = offsetof(JSON_TYPE, n_##m), \
	.size = sizeof(*JSON_MEMBER(m)), .indirect = 1

/* bool, integers, double, pointers to them (optional), char *, char **: the member tells. */
#define FIELD(m, property, flag) \
	{ JSON_ROW(m, property, flag), .kind = JSON_KIND(JSON_MEMBER(m)), \
	  .indirect = JSON_IS_POINTER(JSON_MEMBER(m)) }

/* An array of integers: `m` and `n_m`. */
#define NUMBERS(m, property, flag) \
	{ JSON_LIST_ROW(m, property, flag), .kind = JSON_NUMBERS, \
	  .item = JSON_KIND(JSON_MEMBER(m)) }

/* A name out of table `names`, kept as its value in an integer or a pointer to one. */
#define CHOICE(m, property, names, flag) \
	{ JSON_ROW(m, property, flag), .choices = (names), .kind = JSON_CHOICE, \
	  .item = JSON_KIND(JSON_MEMBER(m)), .indirect = JSON_IS_POINTER(JSON_MEMBER(m)) }

/* An array of such names: `m` and `n_m`. */
#define CHOICES(m, property, names, flag) \
	{ JSON_LIST_ROW(m, property, flag), .choices = (names), .kind = JSON_CHOICES, \
	  .item = JSON_KIND(JSON_MEMBER(m)) }

/* A map of string to string: `m`, an array of { char *key; char *value; }, and `n_m`. */
#define PAIRS(m, property, flag) { JSON_LIST_ROW(m, property, flag), .kind = JSON_PAIRS }

/* A pointer to a struct with a table of its own. */
#define OBJECT(m, property, table, flag) \
	{ JSON_ROW(m, property, flag), .fields = (table), .kind = JSON_OBJECT, \
	  .size = sizeof(*JSON_MEMBER(m)), .indirect = 1 }

/* A struct embedded in this one. */
#define EMBEDDED(m, property, table, flag) \
	{ JSON_ROW(m, property, flag), .fields = (table), .kind = JSON_OBJECT, \
	  .size = sizeof(JSON_MEMBER(m)) }

/* An array of structs: `m` and `n_m`. */
#define LIST(m, property, table, flag) \
	{ JSON_LIST_ROW(m, property, flag), .fields = (table), .kind = JSON_LIST }

/* An object of objects, kept as an array `m` and `n_m` of structs that start with char *key. */
#define MAP(m, property, table, flag) \
	{ JSON_LIST_ROW(m, property, flag), .fields = (table), .kind = JSON_MAP }

/* The value as text.  Property "": the text of the very object of this table; not written. */
#define SPAN(m, property, flag) { JSON_ROW(m, property, flag), .kind = JSON_SPAN }

#define IGNORED(property) { .name = (property), .kind = JSON_IGNORED }

/* What other formats call a member: too far from its name for a comparison of letters to find. */
#define OTHER_WORD(property, suggestion) \
	{ .name = (property), .meant = (suggestion), .kind = JSON_OTHER_WORD }

/* The row's name for a value, or NULL. */
const char *json_choice_name(const struct json_choice *choices, int64_t value);
/* The row with that exact name, or NULL. */
const struct json_choice *json_choice_find(const struct json_choice *choices, const char *name);

/* Findings -------------------------------------------------------------- */

enum json_class {
	JSON_SYNTAX,		/* not JSON: reading stops */
	JSON_BAD_TYPE,		/* a string where a number belongs */
	JSON_BAD_VALUE,		/* out of range, not one of the names, breaks a rule */
	JSON_UNKNOWN,		/* a member no table knows, or known in other case */
	JSON_DUPLICATE,		/* a member twice; the last one is kept */
	JSON_CONFLICT,		/* two members that exclude each other */
	JSON_MISSING,		/* required, but not there */
};

/* "syntax", "type", "value", "unknown", "duplicate", "conflict", "missing". */
const char *json_class_name(enum json_class class_);

struct json_finding {
	enum json_class class_;
	bool warning;		/* else an error */
	unsigned int line;	/* from 1; 0: not known */
	unsigned int column;	/* from 1, in bytes */
	const char *path;	/* "process.rlimits[2].hard"; "" for the whole text */
	const char *text;	/* what is wrong, without position and path */
};

/* Takes one finding; its strings live in the document's arena. */
typedef void json_collect(void *ctx, const struct json_finding *finding);

/* A document: a text, its name, and (after reading) where each member stood. */
struct json_doc {
	const char *name;		/* what messages call it: "config.json" */
	const char *text;		/* must outlive the doc */
	size_t len;
	struct arena *arena;		/* receives everything that is read */
	bool strict;			/* unknown members are errors */
	/*
	 * With a collector, reading goes on after an error as long as the text is JSON, and
	 * warnings go there too. Without, the first error ends the reading and warnings go to
	 * log_warning().
	 */
	json_collect *collect;
	void *collect_ctx;

	/* the reader's own */
	struct json_place *places;
	size_t n_places, places_room;
	struct json_place **sorted;	/* by address, once somebody asks for one of many */
	size_t n_sorted;
	unsigned int n_warnings;	/* logged */
	size_t n_errors;
	struct error first_error;
	uint32_t *lines;		/* where each begins, once somebody asks for one */
	size_t n_lines;
};

/*
 * Reads doc->text, an object, into *out, a zeroed struct that `fields` describes.
 * 0, or negative with err: "<name>:<line>:<column>: <path>: <text>" of the first error.
 */
int json_read(struct json_doc *doc, const struct json_field *fields, void *out, struct error *err);

/*
 * The text of one member, an object or a list, of an object that json_out_*() wrote without
 * indentation: for whoever wants nothing else of a long text.  Only quotes and brackets are looked
 * at.  false: it is not there.
 */
bool json_member(const char *text, size_t len, const char *name, struct json_span *out);

struct json_position {
	unsigned int line;	/* from 1 */
	unsigned int column;	/* from 1, in bytes */
	const char *path;	/* in the doc's arena */
};

/*
 * Where the value at this address (a member, a list's element, a string list's element, a pair) was
 * read.  An object and its first member share an address: the member is meant then.  false when
 * nothing was read into it.
 */
bool json_locate(const struct json_doc *doc, const void *addr, struct json_position *out);

/*
 * Says that the value at this address does not come from the text: findings about it have this name
 * and no line.  For values that an option of a command put over those of a file.
 */
void json_place_name(struct json_doc *doc, const void *addr, const char *name);

/*
 * An error or a warning about the value at this address (may be NULL: about the whole, which stands
 * where its text begins), found by rules beyond the tables.  doc may be NULL (a struct that was not
 * read): then only the text is left, and a warning goes to log_warning().
 * json_fault() fills err as json_read() does and returns negative; err keeps the first error of the
 * document when there is a collector.  json_warn() goes to the collector, or to log_warning().
 */
int json_fault(struct json_doc *doc, enum json_class class_, const void *addr, struct error *err,
	       const char *fmt, ...) __attribute__((format(printf, 5, 6)));
int json_vfault(struct json_doc *doc, enum json_class class_, const void *addr, struct error *err,
		const char *fmt, va_list ap) __attribute__((format(printf, 5, 0)));
void json_warn(struct json_doc *doc, enum json_class class_, const void *addr, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Writing --------------------------------------------------------------- */

/*
 * Text that grows in an arena.  Commas, line ends and indentation come by themselves; the caller
 * keeps the order key, value inside objects.  Bytes that are not UTF-8 are written as U+FFFD.
 */
struct json_out {
	struct arena *arena;
	char *text;
	size_t len;
	size_t size;
	unsigned int indent;	/* spaces a level; 0: everything on one line */
	unsigned int depth;
	bool first;		/* nothing yet in the open object or array */
	bool after_key;
};

void json_out_begin(struct json_out *o, struct arena *a, unsigned int indent);
void json_out_open_object(struct json_out *o);
void json_out_close_object(struct json_out *o);
void json_out_open_array(struct json_out *o);
void json_out_close_array(struct json_out *o);
void json_out_key(struct json_out *o, const char *key);
void json_out_string(struct json_out *o, const char *s);	/* NULL is written as "" */
void json_out_stringn(struct json_out *o, const char *s, size_t len);
void json_out_int(struct json_out *o, int64_t value);
void json_out_uint(struct json_out *o, uint64_t value);
void json_out_double(struct json_out *o, double value);		/* not finite: null */
void json_out_bool(struct json_out *o, bool value);
void json_out_null(struct json_out *o);
void json_out_raw(struct json_out *o, const char *text, size_t len);	/* a whole JSON value */

/*
 * An object by its table, in table order.  Absent members (NULL, or a plain number or bool that is
 * 0) are left out unless the row is JSON_REQUIRED or JSON_WRITTEN; a string list that is there but
 * empty is written as [].
 */
void json_out_object(struct json_out *o, const struct json_field *fields, const void *object);
/* The members alone, into the object that is open. */
void json_out_members(struct json_out *o, const struct json_field *fields, const void *object);

/* The text, NUL-terminated, without a final newline. */
const char *json_out_text(struct json_out *o);

#endif
