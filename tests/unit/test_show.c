/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_show.c - a dry run shows every value that is applied: each member that the tables know
 * stands in tests/golden/everything/config.json with a value of its own, and that value in plan.txt
 * there (which tests/golden/run holds to be what is printed).
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "oci/oci.h"

#include "tap.h"

static struct arena arena = ARENA_INIT;
static const char *plan;

/* Members that need not be there, or not be shown, and why; a final dot: all below. */
static const char *const hidden[] = {
	"ociVersion",				/* asks for nothing */
	"process.user.username",		/* of other platforms */
	"process.commandLine",
	"process.execCPUAffinity.",		/* of exec */
	"process.terminal", "root.readonly",	/* true or false: the act itself shows it */
	"process.noNewPrivileges",
	"process.scheduler.nice",		/* of other policies: golden scheduler, -realtime */
	"process.scheduler.priority",
	"process.user.umask",			/* printed in octal */
	"linux.devices.fileMode",
	"annotations.",				/* golden cgroup-systemd-annotation, .. */
	"linux.resources.devices.allow",	/* as lines of the kernel: golden cgroup-devices */
	"linux.resources.devices.type",
	"linux.resources.memory.kernel",	/* has no effect, which is told */
	"linux.resources.memory.checkBeforeUpdate",	/* of update */
	"linux.resources.memory.useHierarchy",	/* true: "1" */
	"linux.resources.memory.disableOOMKiller",
	"linux.resources.unified.",		/* of v2: golden cgroup-unified */
	"linux.seccomp.",			/* made into a program when it is carried out */
	"linux.intelRdt.",			/* refused */
	"linux.personality.flags",
	"linux.devices.type",			/* one letter: would be found anywhere */
	NULL
};

static bool is_hidden(const char *path)
{
	for (const char *const *h = hidden; *h; h++) {
		size_t len = strlen(*h);
		bool below = (*h)[len - 1] == '.';

		if (below ? strncmp(path, *h, len - 1) == 0 : strcmp(path, *h) == 0)
			return true;
	}
	return false;
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A value stands in the plan as a word: 12 is not shown by 123. */
static bool is_shown(const char *value)
{
	size_t len = strlen(value);

	for (const char *at = plan; len > 0 && (at = strstr(at, value)); at++)
		if ((at == plan || !is_word(*value) || !is_word(at[-1])) && !is_word(at[len]))
			return true;
	return false;
}

static void check_value(const char *path, const char *value)
{
	ok(value && is_shown(value), "%s: \"%s\" is shown", path, value ? value : "(not there)");
}

/* An integer of a kind, wherever the row keeps it. */
static int64_t integer(unsigned int kind, const void *at)
{
	switch (kind) {
	case JSON_U8:
		return *(const uint8_t *)at;
	case JSON_U16:
		return *(const uint16_t *)at;
	case JSON_U32:
		return *(const uint32_t *)at;
	case JSON_I32:
		return *(const int32_t *)at;
	default:
		return *(const int64_t *)at;
	}
}

static const char *number_text(const struct json_field *f, unsigned int kind, const void *at)
{
	int64_t n = integer(kind, at);

	return f->choices ? json_choice_name(f->choices, n) : arena_printf(&arena, "%" PRId64, n);
}

static void walk(const struct json_field *fields, const char *base, const char *path);

static void check_list(const struct json_field *f, const char *base, const char *path)
{
	size_t n = *(const size_t *)(const void *)(base + f->count);
	const char *list = *(const char *const *)(const void *)(base + f->offset);

	ok(n > 0, "%s has elements", path);
	for (size_t i = 0; i < n; i++) {
		const char *item = list + i * f->size;

		if (f->kind == JSON_NUMBERS || f->kind == JSON_CHOICES) {
			check_value(path, number_text(f, f->item, item));
		} else if (f->kind == JSON_PAIRS) {
			check_value(path, ((char *const *)(const void *)item)[1]);
		} else {
			if (f->kind == JSON_MAP)
				check_value(path, *(char *const *)(const void *)item);
			/* Lists of alternatives: one element has what the other lacks. */
			walk(f->fields, item, path);
		}
	}
}

static void check_row(const struct json_field *f, const char *base, const char *path)
{
	const void *at = base + f->offset;

	switch (f->kind) {
	case JSON_STRING:
		check_value(path, *(char *const *)at);
		break;
	case JSON_STRINGS:
		ok(*(char **const *)at, "%s is there", path);
		for (char **s = *(char **const *)at; s && *s; s++)
			check_value(path, *s);
		break;
	case JSON_OBJECT:
		if (f->indirect)
			at = *(const void *const *)at;
		ok(at, "%s is there", path);
		if (at)
			walk(f->fields, at, path);
		break;
	case JSON_NUMBERS:
	case JSON_CHOICES:
	case JSON_PAIRS:
	case JSON_LIST:
	case JSON_MAP:
		check_list(f, base, path);
		break;
	default:
		if (f->indirect)
			at = *(const void *const *)at;
		check_value(path, at ? number_text(f, f->choices ? f->item : f->kind, at) : NULL);
	}
}

/* Elements that may lack a member: another has it. */
static bool may_lack(const struct json_field *f, const char *base, const char *path)
{
	static const char *const some[] = {
		"mounts", "linux.namespaces", "linux.resources.devices", NULL
	};
	const void *member;

	if (!f->indirect)
		return false;
	memcpy(&member, base + f->offset, sizeof(member));
	for (const char *const *s = some; *s; s++)
		if (strncmp(path, *s, strlen(*s)) == 0 && !member)
			return true;
	return false;
}

static void walk(const struct json_field *fields, const char *base, const char *path)
{
	for (const struct json_field *f = fields; f->name; f++) {
		const char *below =
			arena_printf(&arena, "%s%s%s", path, *path ? "." : "", f->name);

		if (f->kind != JSON_IGNORED && f->kind != JSON_OTHER_WORD &&
		    f->kind != JSON_SPAN && !is_hidden(below) && !may_lack(f, base, below))
			check_row(f, base, below);
	}
}

int main(void)
{
	const char *srcdir = getenv("srcdir");
	const char *dir = arena_printf(&arena, "%s/tests/golden/everything", srcdir ? srcdir : ".");
	struct error err = { 0 };
	struct oci_config *c;
	char *text, *shown;
	size_t len;

	if (file_read(AT_FDCWD, arena_printf(&arena, "%s/config.json", dir), 1 << 20, &arena, &text,
		      &len) < 0 ||
	    file_read(AT_FDCWD, arena_printf(&arena, "%s/plan.txt", dir), 1 << 20, &arena, &shown,
		      NULL) < 0)
		bail_out("tests/golden/everything cannot be read");
	plan = shown;
	is_int(oci_config_parse(text, len, "config.json", &arena, &c, &err), 0, "read %s",
	       err.text);
	walk(oci_config_fields, (const char *)c, "");
	arena_free(&arena);
	return done();
}
