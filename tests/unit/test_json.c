/* SPDX-License-Identifier: Apache-2.0 */
#include "json/json.h"

#include "base/log.h"

#include "tap.h"

struct pair {
	char *key;
	char *value;
};

struct inner {
	char *name;
	uint32_t id;
	char **words;
};

struct keyed {
	char *key;
	int32_t *n;
};

struct outer {
	bool flag;
	bool *maybe;
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	int32_t i32;
	int64_t i64;
	int64_t *opt;
	double fraction;
	char *text;
	char **words;
	uint32_t *numbers;
	size_t n_numbers;
	int color;
	int *colors;
	size_t n_colors;
	struct pair *pairs;
	size_t n_pairs;
	struct inner embedded;
	struct inner *object;
	struct inner *list;
	size_t n_list;
	struct keyed *map;
	size_t n_map;
	struct json_span raw;
	struct json_span own;
};

static const struct json_choice colors[] = { { "red", 1 }, { "green", 2 }, { NULL, 0 } };

#define JSON_TYPE struct inner
static const struct json_field inner_fields[] = {
	FIELD(name, "name", JSON_REQUIRED),
	FIELD(id, "id", JSON_ID),
	FIELD(words, "words", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct keyed
static const struct json_field keyed_fields[] = {
	FIELD(n, "n", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define JSON_TYPE struct outer
static const struct json_field outer_fields[] = {
	FIELD(flag, "flag", JSON_OPTIONAL),
	FIELD(maybe, "maybe", JSON_OPTIONAL),
	FIELD(u8, "u8", JSON_OPTIONAL),
	FIELD(u16, "u16", JSON_OPTIONAL),
	FIELD(u32, "u32", JSON_OPTIONAL),
	FIELD(u64, "u64", JSON_OPTIONAL),
	FIELD(i32, "i32", JSON_OPTIONAL),
	FIELD(i64, "i64", JSON_OPTIONAL),
	FIELD(opt, "opt", JSON_OPTIONAL),
	FIELD(fraction, "fraction", JSON_OPTIONAL),
	FIELD(text, "text", JSON_OPTIONAL),
	FIELD(words, "words", JSON_OPTIONAL),
	NUMBERS(numbers, "numbers", JSON_ID),
	CHOICE(color, "color", colors, JSON_OPTIONAL),
	CHOICES(colors, "colors", colors, JSON_OPTIONAL),
	PAIRS(pairs, "pairs", JSON_OPTIONAL),
	EMBEDDED(embedded, "embedded", inner_fields, JSON_OPTIONAL),
	OBJECT(object, "object", inner_fields, JSON_OPTIONAL),
	LIST(list, "list", inner_fields, JSON_OPTIONAL),
	MAP(map, "map", keyed_fields, JSON_OPTIONAL),
	SPAN(raw, "raw", JSON_OPTIONAL),
	SPAN(own, "", JSON_OPTIONAL),
	IGNORED("elsewhere"),
	{ 0 }
};
#undef JSON_TYPE

static struct arena arena;
static struct error error;
static char warning[512];

static void take_warning(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	snprintf(warning, sizeof(warning), "%s", text);
}

static struct json_doc doc_of(const char *text)
{
	struct json_doc doc = { .name = "t", .text = text, .len = strlen(text), .arena = &arena };

	warning[0] = error.text[0] = '\0';
	return doc;
}

static void test_kinds(void)
{
	static const char text[] =
		"{\"flag\":true, \"maybe\":false, \"u8\":255, \"u16\":65535, \"u32\":4294967295,\n"
		"\"u64\":18446744073709551615, \"i32\":-2147483648, \"i64\":-9223372036854775808,\n"
		"\"opt\":0, \"fraction\":-2.5e1, \"text\":\"a\\n\\u00e9\\ud83d\\ude00\",\n"
		"\"words\":[\"a\",\"b\",\"c\",\"d\",\"e\"], \"numbers\":[1,2,3,4,5,4294967294],\n"
		"\"color\":\"green\", \"colors\":[\"red\",\"green\"],\n"
		"\"pairs\":{\"k\":\"v\",\"l.m\":\"\"}, \"embedded\":{\"name\":\"e\",\"id\":7},\n"
		"\"object\":{\"name\":\"o\",\"words\":[]}, "
		"\"list\":[{\"name\":\"x\"},{\"name\":\"y\"}],\n"
		"\"map\":{\"d0\":{\"n\":-1},\"d1\":{}}, \"raw\": [1, {\"x\": 2}] ,\n"
		"\"elsewhere\":{\"a\":[[{}]]}}";
	struct json_doc doc = doc_of(text);
	struct outer o = { 0 };
	struct json_out out;

	is_int(json_read(&doc, outer_fields, &o, &error), 0, "every kind is read");
	is_str(error.text, "", "without an error");
	ok(o.flag && o.maybe && !*o.maybe, "bool");
	ok(o.u8 == 255 && o.u16 == 65535 && o.u32 == UINT32_MAX && o.u64 == UINT64_MAX, "unsigned");
	ok(o.i32 == INT32_MIN && o.i64 == INT64_MIN && o.opt && *o.opt == 0, "signed");
	ok(o.fraction == -25.0, "double");
	is_str(o.text, "a\n\xc3\xa9\xf0\x9f\x98\x80", "escapes");
	ok(!strcmp(o.words[0], "a") && !strcmp(o.words[4], "e") && !o.words[5], "strings");
	ok(o.n_numbers == 6 && o.numbers[5] == 4294967294u, "numbers");
	ok(o.color == 2 && o.n_colors == 2 && o.colors[0] == 1 && o.colors[1] == 2, "choices");
	ok(o.n_pairs == 2 && !strcmp(o.pairs[1].key, "l.m") && !*o.pairs[1].value, "pairs");
	ok(o.embedded.id == 7 && o.object->words && !o.object->words[0], "objects");
	ok(o.n_list == 2 && !strcmp(o.list[1].name, "y"), "list");
	ok(o.n_map == 2 && !strcmp(o.map[0].key, "d0") && *o.map[0].n == -1 && !o.map[1].n, "map");
	ok(o.raw.len == 13 && !strncmp(o.raw.text, "[1, {\"x\": 2}]", 13), "span");
	ok(o.own.len == strlen(text) && o.own.text == text, "span of the object itself");

	json_out_begin(&out, &arena, 0);
	json_out_object(&out, outer_fields, &o);
	is_str(json_out_text(&out),
	       "{\"flag\":true,\"maybe\":false,\"u8\":255,\"u16\":65535,\"u32\":4294967295,"
	       "\"u64\":18446744073709551615,\"i32\":-2147483648,\"i64\":-9223372036854775808,"
	       "\"opt\":0,\"fraction\":-25,\"text\":\"a\\n\xc3\xa9\xf0\x9f\x98\x80\","
	       "\"words\":[\"a\",\"b\",\"c\",\"d\",\"e\"],\"numbers\":[1,2,3,4,5,4294967294],"
	       "\"color\":\"green\",\"colors\":[\"red\",\"green\"],\"pairs\":{\"k\":\"v\",\"l.m\":"
	       "\"\"},"
	       "\"embedded\":{\"name\":\"e\",\"id\":7},\"object\":{\"name\":\"o\",\"words\":[]},"
	       "\"list\":[{\"name\":\"x\"},{\"name\":\"y\"}],\"map\":{\"d0\":{\"n\":-1},\"d1\":{}},"
	       "\"raw\":[1, {\"x\": 2}]}",
	       "and written again");
}

/* What is refused, and what is said. */
static const struct {
	const char *text, *error;
} refused[] = {
	{ "", "t:1:1: the text ends too early" },
	{ "  ", "t:1:3: the text ends too early" },
	{ "[]", "t:1:1: must be an object, not an array" },
	{ "12", "t:1:1: must be an object, not a number" },
	{ "{\"u8\":256}", "t:1:7: u8: 256 is out of range (0 to 255)" },
	{ "{\"u8\":-1}", "t:1:7: u8: -1 is out of range (0 to 255)" },
	{ "{\n  \"u64\": 18446744073709551616}",
	  "t:2:10: u64: 18446744073709551616 is out of range (0 to 18446744073709551615)" },
	{ "{\"i64\":9223372036854775808}",
	  "t:1:8: i64: 9223372036854775808 is out of range "
	  "(-9223372036854775808 to 9223372036854775807)" },
	{ "{\"i32\":-2147483649}",
	  "t:1:8: i32: -2147483649 is out of range (-2147483648 to 2147483647)" },
	{ "{\"u8\":1.0}", "t:1:7: u8: must be an integer, not 1.0" },
	{ "{\"u8\":1e2}", "t:1:7: u8: must be an integer, not 1e2" },
	{ "{\"u8\":\"1\"}", "t:1:7: u8: must be a number, not a string" },
	{ "{\"flag\":1}", "t:1:9: flag: must be true or false, not a number" },
	{ "{\"text\":{}}", "t:1:9: text: must be a string, not an object" },
	{ "{\"words\":\"a\"}", "t:1:10: words: must be an array, not a string" },
	{ "{\"words\":[\"a\",null]}", "t:1:15: words[1]: must be a string, not null" },
	{ "{\"numbers\":[4294967295]}",
	  "t:1:13: numbers[0]: 4294967295 is out of range (0 to 4294967294)" },
	{ "{\"list\":[null]}", "t:1:10: list[0]: must be an object, not null" },
	{ "{\"list\":[{\"name\":\"a\"},\n{\"id\":1}]}",
	  "t:2:1: list[1]: \"name\" is required" },
	{ "{\"object\":{\"name\":null}}", "t:1:11: object: \"name\" is required" },
	{ "{\"list\":[{\"name\":\"a\",\"words\":[\"x\",7]}]}",
	  "t:1:35: list[0].words[1]: must be a string, not a number" },
	{ "{\"pairs\":{\"a b\":1}}",
	  "t:1:17: pairs[\"a b\"]: must be a string, not a number" },
	{ "{\"map\":{\"d\":[]}}", "t:1:13: map.d: must be an object, not an array" },
	{ "{\"color\":\"gren\"}",
	  "t:1:10: color: unknown value \"gren\", did you mean \"green\"?" },
	{ "{\"color\":\"mauve\"}",
	  "t:1:10: color: unknown value \"mauve\" (known: red, green)" },
	{ "{\"u8\":1,\"u8\":2}", "t:1:9: u8: duplicate member" },
	{ "{\"u8\":1,\"U8\":2}", "t:1:9: u8: duplicate member" },
	{ "{\"pairs\":{\"a\":\"\",\"a\":\"\"}}", "t:1:18: pairs.a: duplicate member" },
	{ "{\"text\":\"\\ud800\"}", "t:1:9: text: contains an unpaired surrogate" },
	{ "{\"text\":\"\\ud800\\u0041\"}", "t:1:9: text: contains an unpaired surrogate" },
	{ "{\"text\":\"\\udc00\"}", "t:1:9: text: contains an unpaired surrogate" },
	{ "{\"text\":\"\\ud800x\"}", "t:1:9: text: contains an unpaired surrogate" },
	{ "{\"text\":\"a\\u0000b\"}", "t:1:9: text: contains \\u0000" },
	{ "{\"te\\u0000xt\":1}", "t:1:2: member name contains \\u0000" },
	{ "{\"text\":\"\xff\"}", "t:1:10: invalid UTF-8" },
	{ "{\"text\":\"\xc0\x80\"}", "t:1:10: invalid UTF-8" },
	{ "{\"text\":\"\xed\xa0\x80\"}", "t:1:10: invalid UTF-8" },
	{ "{\"text\":\"\xf4\x90\x80\x80\"}", "t:1:10: invalid UTF-8" },
	{ "\xef\xbb\xbf{}", "t:1:1: a byte order mark, which JSON does not begin with (save the "
	  "file as UTF-8 without one)" },
	{ "{\"flag\":true", "t:1:13: the text ends too early" },
	{ "{\"u8\":12", "t:1:9: the text ends too early" },
	{ "{\"text\":\"ab", "t:1:12: the text ends too early" },
};

static void test_errors(void)
{
	struct outer o;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct json_doc doc = doc_of(refused[i].text);

		memset(&o, 0, sizeof(o));
		ok(json_read(&doc, outer_fields, &o, &error) < 0, "refused: %s", refused[i].text);
		is_str(error.text, refused[i].error, "and told");
	}
}

static void test_syntax(void)
{
	static const struct { const char *text, *error; } rows[] = {
		{ "{\"u8\":1,}", "t:1:9: a name in double quotes must stand here (is there a \",\" "
		  "too many?)" },
		{ "{\"u8\":1}x", "t:1:9: nothing may follow the end of the JSON text" },
		{ "{} {}", "t:1:4: nothing may follow the end of the JSON text" },
		{ "{\"numbers\":[1,]}", "t:1:15: numbers: a value must stand here (is there a "
		  "\",\" too many?)" },
		{ "{\"numbers\":[1 2]}", "t:1:15: numbers: \",\" or \"]\" must stand here" },
		{ "{\"u8\":1 \"text\":\"\"}", "t:1:9: \",\" or \"}\" must stand here" },
		{ "{\"u8\" 1}", "t:1:7: \":\" must stand between a name and its value" },
		{ "{u8:1}", "t:1:2: no value begins so (texts and names stand in double quotes)" },
		{ "{\"u8\":01}", "t:1:8: \",\" or \"}\" must stand here" },
		{ "{\"u8\":-}", "t:1:7: a digit is missing in this number" },
		{ "{\"u8\":tru}", "t:1:9: neither true, false nor null (texts stand in double "
		  "quotes)" },
		{ "{\"text\":\"a\nb\"}", "t:1:10: a control character in a text must be written as "
		  "\\n, \\t or \\u00XX" },
		{ "{\"text\":\"\\x\"}", "t:1:10: no such character may follow a \\" },
		{ "{\"text\":\"\\u12x4\"}", "t:1:13: \\u needs four hexadecimal digits" },
		{ "{/* no */\"u8\":1}", "t:1:2: JSON has no comments" },
	};
	struct outer o;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json_doc doc = doc_of(rows[i].text);

		memset(&o, 0, sizeof(o));
		ok(json_read(&doc, outer_fields, &o, &error) < 0, "refused: %s", rows[i].text);
		is_str(error.text, rows[i].error, "and told in plain words");
	}
}

static void test_depth(void)
{
	char text[400];
	struct json_doc doc;
	struct outer o = { 0 };

	strcpy(text, "{\"elsewhere\":");
	memset(text + 13, '[', 63);
	memset(text + 13 + 63, ']', 63);
	strcpy(text + 13 + 126, "}");
	doc = doc_of(text);
	is_int(json_read(&doc, outer_fields, &o, &error), 0, "64 levels are read");
	memset(text + 13, '[', 64);
	memset(text + 13 + 64, ']', 64);
	strcpy(text + 13 + 128, "}");
	doc = doc_of(text);
	ok(json_read(&doc, outer_fields, &o, &error) < 0, "65 are not");
	is_str(error.text, "t:1:77: nested deeper than 64 levels", "and told");
}

static void test_warnings(void)
{
	struct json_doc doc = doc_of("{\"txt\":[{\"a\":1}],\"u8\":1}");
	struct outer o = { 0 };

	is_int(json_read(&doc, outer_fields, &o, &error), 0, "an unknown member is passed over");
	is_str(warning, "t:1:2: txt: unknown member, did you mean \"text\"?", "with a warning");
	is_int(o.u8, 1, "what follows is read");
	doc = doc_of("{\"zzzzz\":null}");
	doc.strict = true;
	ok(json_read(&doc, outer_fields, &o, &error) < 0, "strict: an error");
	is_str(error.text, "t:1:2: zzzzz: unknown member", "and told");
	doc = doc_of("{\"TEXT\":\"x\"}");
	is_int(json_read(&doc, outer_fields, &o, &error), 0, "other case is taken");
	is_str(o.text, "x", "as the member");
	is_str(warning, "t:1:2: TEXT: taken as \"text\": case matters", "with a warning");
	doc = doc_of("{\"text\":null,\"words\":null,\"object\":null,\"pairs\":null,\"u8\":null}");
	memset(&o, 0, sizeof(o));
	is_int(json_read(&doc, outer_fields, &o, &error), 0, "null is an absent member");
	ok(!o.text && !o.words && !o.object && !o.pairs, "and leaves nothing");
	is_str(warning, "", "without a warning");
}

struct seen {
	size_t n;
	struct json_finding list[16];
};

static void collect(void *ctx, const struct json_finding *f)
{
	struct seen *s = ctx;

	if (s->n < 16)
		s->list[s->n++] = *f;
}

static void test_collector(void)
{
	struct json_doc doc = doc_of(
		"{\"u8\":300,\"list\":[{\"name\":1},{\"name\":\"b\",\"idd\":1}],\n"
		"\"words\":[\"a\",2],\"words\":[\"z\"],\"pairs\":{\"a\":\"1\",\"a\":\"2\"},"
		"\"flag\":true}");
	struct seen seen = { 0 };
	struct outer o = { 0 };

	doc.collect = collect;
	doc.collect_ctx = &seen;
	ok(json_read(&doc, outer_fields, &o, &error) < 0, "errors with a collector");
	is_str(error.text, "t:1:7: u8: 300 is out of range (0 to 255)", "the first is told");
	is_int((long long)seen.n, 6, "all are collected");
	ok(seen.list[0].class_ == JSON_BAD_VALUE && !seen.list[0].warning, "value");
	ok(seen.list[1].class_ == JSON_BAD_TYPE, "type");
	is_str(seen.list[1].path, "list[0].name", "with the path");
	ok(seen.list[2].class_ == JSON_UNKNOWN && seen.list[2].warning, "unknown: a warning");
	ok(seen.list[3].class_ == JSON_BAD_TYPE && seen.list[3].line == 2, "second line");
	ok(seen.list[4].class_ == JSON_DUPLICATE && seen.list[5].class_ == JSON_DUPLICATE,
	   "duplicates");
	ok(!strcmp(o.words[0], "z") && !o.words[1], "the last of duplicates replaces the first");
	is_int(seen.list[5].column, 48, "at the second key of a map");
	ok(o.flag, "reading went on to the end");
	is_str(json_class_name(JSON_DUPLICATE), "duplicate", "classes have names");
}

static void test_locate(void)
{
	static const char element[] =
		"\n{\"name\":\"n\",\"id\":1,\"words\":[\"a\",\"b\",\"c\",\"d\",\"e\"]}";
	struct json_doc doc;
	struct outer o = { 0 };
	struct json_position at;
	struct json_out out;
	char want[64];

	json_out_begin(&out, &arena, 0);
	json_out_open_object(&out);
	json_out_key(&out, "list");
	json_out_open_array(&out);
	for (int i = 0; i < 100; i++)
		json_out_raw(&out, element, strlen(element));
	json_out_close_array(&out);
	json_out_close_object(&out);
	doc = doc_of(json_out_text(&out));
	is_int(json_read(&doc, outer_fields, &o, &error), 0, "a list that grows and moves");
	is_str(error.text, "", "no error");
	for (int i = 0; i < 100; i += 33) {
		snprintf(want, sizeof(want), "list[%d].id", i);
		ok(json_locate(&doc, &o.list[i].id, &at), "a member of an element is found");
		is_str(at.path, want, "by its path");
		ok(at.line == (unsigned int)i + 2 && at.column == 18, "line and column");
		snprintf(want, sizeof(want), "list[%d].words[4]", i);
		ok(json_locate(&doc, &o.list[i].words[4], &at),
		   "an element of a string list is found");
		is_str(at.path, want, "by its path");
	}
	ok(!json_locate(&doc, &o.text, &at), "an absent member is nowhere");
	ok(json_fault(&doc, JSON_CONFLICT, &o.list[1].id, &error, "bad %d", 5) < 0, "a fault");
	is_str(error.text, "t:3:18: list[1].id: bad 5", "has its place");
	json_fault(&doc, JSON_CONFLICT, &o.text, &error, "gone");
	is_str(error.text, "t: gone", "or only the name");
	json_fault(NULL, JSON_CONFLICT, &o.text, &error, "gone");
	is_str(error.text, "gone", "or nothing");
}

static void test_writer(void)
{
	struct json_out out;

	json_out_begin(&out, &arena, 4);
	json_out_open_object(&out);
	json_out_key(&out, "a");
	json_out_open_array(&out);
	json_out_close_array(&out);
	json_out_key(&out, "b");
	json_out_open_array(&out);
	json_out_int(&out, -1);
	json_out_uint(&out, UINT64_MAX);
	json_out_double(&out, 0.5);
	json_out_null(&out);
	json_out_bool(&out, true);
	json_out_close_array(&out);
	json_out_close_object(&out);
	is_str(json_out_text(&out), "{\n    \"a\": [],\n    \"b\": [\n        -1,\n"
	       "        18446744073709551615,\n        0.5,\n        null,\n        true\n    ]\n}",
	       "indented");
	json_out_begin(&out, &arena, 0);
	json_out_string(&out, "\"\\/\b\f\n\r\t\x01\x7f\xc3\xa9\xff\xe2\x82");
	is_str(json_out_text(&out),
	       "\"\\\"\\\\/"
	       "\\b\\f\\n\\r\\t\\u0001\x7f\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
	       "escapes");
	json_out_begin(&out, &arena, 0);
	json_out_object(&out, outer_fields, &(struct outer){ .embedded.name = NULL });
	is_str(json_out_text(&out), "{\"embedded\":{\"name\":\"\"}}",
	       "absent members are left out");
}

static void test_member(void)
{
	static const char text[] = "{\"a\":{\"c\":[1]},\"b\":\"c\",\"\\\"c\":[],\"c\":"
				   "{\"x}\\\"]\": [{}, \"{\"]},\"d\":[]}";
	struct json_span s = { 0 };
	int found = 0;

	ok(json_member(text, strlen(text), "c", &s), "a member's text is found");
	is_str(arena_strndup(&arena, s.text, s.len), "{\"x}\\\"]\": [{}, \"{\"]}",
	       "by its own name, and whole");
	ok(json_member(text, strlen(text), "d", &s) && s.len == 2, "so is the last one");
	ok(!json_member(text, strlen(text), "b", &s), "neither object nor list");
	ok(!json_member(text, strlen(text), "x}", &s), "a member of a member");
	for (size_t i = 0; i < strlen(text) - 8; i++)
		found += json_member(arena_strndup(&arena, text, i), i, "c", &s);
	is_int(found, 0, "a text that is cut off anywhere");
}

int main(void)
{
	log_set_sink(take_warning, NULL, LOG_LEVEL_WARNING);
	test_kinds();
	test_errors();
	test_syntax();
	test_depth();
	test_warnings();
	test_collector();
	test_locate();
	test_writer();
	test_member();
	arena_free(&arena);
	return done();
}
