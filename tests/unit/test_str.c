/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <errno.h>

#include "tap.h"

static void test_ids(void)
{
	static const struct { const char *text; int ret; uint32_t value; } rows[] = {
		{ "0", 0, 0 },
		{ "1000", 0, 1000 },
		{ "4294967294", 0, 4294967294u },
		{ "4294967295", -ERANGE, 0 },
		{ "4294967296", -ERANGE, 0 },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "99999999999999999999x", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "1\n", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "root", -EINVAL, 0 },
		{ "1:", -EINVAL, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t value = 0;

		is_int(str_to_id(rows[i].text, &value), rows[i].ret, "id row %zu", i);
		is_int(value, rows[i].value, "id row %zu: value", i);
	}
}

static void test_numbers(void)
{
	uint64_t u = 0;
	uint32_t v = 0;
	int64_t s = 0;

	ok(str_to_u64("18446744073709551615", UINT64_MAX, &u) == 0 && u == UINT64_MAX,
	   "greatest u64");
	is_int(str_to_u64("18446744073709551616", UINT64_MAX, &u), -ERANGE, "one more");
	is_int(str_to_u64("11", 10, &u), -ERANGE, "above max");
	ok(str_to_u32("4294967295", &v) == 0 && v == UINT32_MAX, "greatest u32");
	ok(str_to_i64("-9223372036854775808", &s) == 0 && s == INT64_MIN, "least i64");
	ok(str_to_i64("9223372036854775807", &s) == 0 && s == INT64_MAX, "greatest i64");
	is_int(str_to_i64("9223372036854775808", &s), -ERANGE, "above i64");
	is_int(str_to_i64("-9223372036854775809", &s), -ERANGE, "below i64");
	is_int(str_to_i64("--1", &s), -EINVAL, "two signs");
	is_int(str_to_i64("-", &s), -EINVAL, "a sign alone");
	ok(str_to_i64("-1", &s) == 0 && s == -1, "-1");
	ok(str_to_mode("1777", &v) == 0 && v == 01777, "mode");
	is_int(str_to_mode("8", &v), -EINVAL, "not octal");
	is_int(str_to_mode("10000", &v), -ERANGE, "more than a mode");
}

static void test_container_id(void)
{
	char longest[257];

	memset(longest, 'a', 256);
	longest[256] = '\0';
	ok(!str_is_container_id(longest), "256 bytes");
	longest[255] = '\0';
	ok(str_is_container_id(longest), "255 bytes");
	ok(str_is_container_id("a_Z0.+-"), "all classes");
	ok(str_is_container_id("..."), "three dots");
	ok(!str_is_container_id(""), "empty");
	ok(!str_is_container_id("."), "dot");
	ok(!str_is_container_id(".."), "dot dot");
	ok(!str_is_container_id("a/b"), "slash");
	ok(!str_is_container_id("a b"), "space");
	ok(!str_is_container_id("\xc3\xa4"), "not ASCII");
}

static void test_compare(void)
{
	ok(str_starts("self/fd", "self/") && !str_starts("sel", "self") && str_starts("x", ""),
	   "starts");
	ok(str_ends("a.json", ".json") && !str_ends("json", ".json") && str_ends("x", ""), "ends");
	is_int(str_distance("kitten", "sitting", 5), 3, "distance");
	is_int(str_distance("same", "same", 2), 0, "distance of the same");
	is_int(str_distance("", "abc", 5), 3, "distance from nothing");
	is_int(str_distance("abcdef", "uvwxyz", 2), 3, "limit + 1 when far");
	is_int(str_distance("mounst", "mounts", 2), 2, "a transposition is two");
}

static void test_strbuf(void)
{
	char text[8], one[1], wide[24];
	struct strbuf b = STRBUF(text), tiny = STRBUF(one);

	is_str(b.text, "", "a new builder is the empty string");
	strbuf_add(&b, "ab");
	strbuf_addc(&b, '-');
	strbuf_addf(&b, "%d", 42);
	ok(!b.overflow && b.len == 5, "fits");
	is_str(text, "ab-42", "text");
	strbuf_addf(&b, "%d", 6789);
	ok(b.overflow && b.len == 7, "overflow by a format");
	is_str(text, "ab-4267", "what fits is kept");
	strbuf_addn(&b, "zz", 2);
	is_str(text, "ab-4267", "nothing more fits");
	b = (struct strbuf)STRBUF(text);
	strbuf_addu(&b, 0);
	strbuf_addu(&b, 1209);
	is_str(text, "01209", "numbers");
	b = (struct strbuf)STRBUF(wide);
	strbuf_addu(&b, UINT64_MAX);
	is_str(wide, "18446744073709551615", "the largest number");
	strbuf_add(&tiny, "");
	ok(!tiny.overflow, "nothing fits in one byte");
	strbuf_addc(&tiny, 'x');
	ok(tiny.overflow && one[0] == '\0', "a character does not");
}

static void test_visible(void)
{
	static const char *const rows[][3] = {
		{ "plain \\ \"text\"", "", "plain \\ \"text\"" },
		{ "plain \\ \"text\"", "\\\"", "plain \\\\ \\\"text\\\"" },
		{ "a\033[31mb\n\tc\177", "", "a\\x1b[31mb\\n\\x09c\\x7f" },
		{ "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "",
		  "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "\xc2\x9b" "31m", "", "\\u009b31m" },
		{ "\x9b" "31m \xff \xc3", "", "\\x9b31m \\xff \\xc3" },
		{ "\xe2\x80\xae" "txt.exe", "", "\\u202etxt.exe" },
		{ "a\xe2\x80\xa8" "b\xe2\x81\xa6", "", "a\\u2028b\\u2066" },
		{ "\xf3\xa0\x80\x81", "", "\\U000e0001" },
		{ "a\xef\xb8\x8f" "b\xcd\x8f" "c", "", "a\\ufe0fb\\u034fc" },
		{ "\xe1\x85\x9f\xe1\x85\xa0\xe3\x85\xa4", "", "\\u115f\\u1160\\u3164" },
		{ "\xf3\xa0\x84\x80\xf3\xa0\x87\xaf", "", "\\U000e0100\\U000e01ef" },
		{ "dev-a\\x2db.mount", "", "dev-a\\x2db.mount" },
		{ "", "", "" },
	};
	static const char plain[] = "plain";
	struct arena a = ARENA_INIT;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		is_str(str_visible(rows[i][0], rows[i][1], &a), rows[i][2], "visible");
	ok(str_visible(plain, "", &a) == plain, "without a copy");
	arena_free(&a);
}

int main(void)
{
	test_ids();
	test_numbers();
	test_container_id();
	test_compare();
	test_strbuf();
	test_visible();
	return done();
}
