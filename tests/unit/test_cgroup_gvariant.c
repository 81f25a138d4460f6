/* SPDX-License-Identifier: Apache-2.0 */
/* GVariant's text format, as far as properties of units need it. */
#include "cgroup/cgroup_gvariant.h"

#include "tap.h"

static char *joined(struct arena *a, const struct cgroup_gvariant *v)
{
	char *text = arena_printf(a, "%s:", v->type);

	for (char **word = v->words; *word; word++)
		text = arena_printf(a, "%s %s", text, *word);
	return text;
}

static void value_is(struct arena *a, const char *text, const char *want, const char *expected)
{
	struct cgroup_gvariant v;
	const char *why = NULL;

	if (cgroup_gvariant_parse(text, want, a, &v, &why) < 0)
		ok(false, "%s: %s", text, why);
	else
		is_str(joined(a, &v), expected, "%s", text);
}

static void test_values(struct arena *a)
{
	value_is(a, "'text'", NULL, "s: text");
	value_is(a, " \"it's\" ", NULL, "s: it's");
	value_is(a, "'a\\'b\\\\n\\n'", NULL, "s: a'b\\n\n");
	value_is(a, "true", NULL, "b: 1");
	value_is(a, "false", "b", "b: 0");
	value_is(a, "15", NULL, "i: 15");
	value_is(a, "-15", NULL, "i: -15");
	value_is(a, "15", "t", "t: 15");
	value_is(a, "uint64 10000000", NULL, "t: 10000000");
	value_is(a, "uint64 18446744073709551615", "t", "t: 18446744073709551615");
	value_is(a, "@t 15", NULL, "t: 15");
	value_is(a, "0x10", "u", "u: 16");
	value_is(a, "1.5", NULL, "d: 1.5");
	value_is(a, "byte 255", NULL, "y: 255");
	value_is(a, "objectpath '/a'", NULL, "o: /a");
	value_is(a, "['a', 'b']", NULL, "as: a b");
	value_is(a, "@as []", NULL, "as:");
	value_is(a, "[]", "as", "as:");
	value_is(a, "[1, 2,3]", "ay", "ay: 1 2 3");
	value_is(a, "[uint64 1, 2]", NULL, "at: 1 2");
	value_is(a, "b'ab'", NULL, "ay: 97 98 0");
	value_is(a, "[('/dev/sda', uint64 5), ('/dev/sdb', 6)]", NULL,
		 "a(st): /dev/sda 5 /dev/sdb 6");
	value_is(a, "[('/dev/sda', 5)]", "a(st)", "a(st): /dev/sda 5");
}

static void refused(struct arena *a, const char *text, const char *want)
{
	struct cgroup_gvariant v;
	const char *why = "";

	ok(cgroup_gvariant_parse(text, want, a, &v, &why) < 0 && *why, "%s is refused: %s", text,
	   why);
}

static void test_refused(struct arena *a)
{
	refused(a, "", NULL);
	refused(a, "text", NULL);
	refused(a, "'text", NULL);
	refused(a, "'text' 5", NULL);
	refused(a, "[]", NULL);
	refused(a, "[1, 'a']", NULL);
	refused(a, "['a' 'b']", NULL);
	refused(a, "['a'", NULL);
	refused(a, "[('a', 1), ('b')]", NULL);
	refused(a, "[('a', 1), ('b', 1, 2)]", NULL);
	refused(a, "byte 256", NULL);
	refused(a, "uint64 -1", NULL);
	refused(a, "2147483648", NULL);
	refused(a, "18446744073709551616", "t");
	refused(a, "5x", NULL);
	refused(a, "--5", NULL);
	refused(a, "'5'", "t");
	refused(a, "5", "s");
	refused(a, "5", "as");
	refused(a, "[5]", "t");
	refused(a, "true", "t");
	refused(a, "int32 5", "t");
	refused(a, "@as ['a']", "t");
	refused(a, "@", NULL);
	refused(a, "<5>", NULL);
	refused(a, "nothing", NULL);
}

int main(void)
{
	struct arena a = ARENA_INIT;

	test_values(&a);
	test_refused(&a);
	arena_free(&a);
	return done();
}
