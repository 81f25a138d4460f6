/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of units.  systemd: systemd.unit(5) "String escaping", systemd.slice(5) "Description".
 */
#include "cgroup/cgroup_unit.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

#define UNIT_CHARS \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\"

static bool is_unit_name(const char *name)
{
	return *name && strlen(name) < CGROUP_UNIT_NAME_MAX &&
	       strspn(name, UNIT_CHARS) == strlen(name);
}

/*
 * A cgroup's directory has the unit's name, unless that could be taken for a file of the kernel:
 * then systemd puts
 * "_" before it (src/basic/cgroup-util.c, cg_needs_escape).
 */
static bool needs_escape(const char *name)
{
	static const char *const prefixes[] = {
		"cgroup.", "cpu.",    "cpuacct.", "cpuset.", "io.",
		"blkio.",  "memory.", "devices.", "pids.",
	};

	if (*name == '_' || *name == '.')
		return true;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		if (str_starts(name, prefixes[i]))
			return true;
	}
	return false;
}

const char *cgroup_unit_slice_path(const char *slice, struct arena *a)
{
	size_t stem = strlen(slice) - (str_ends(slice, ".slice") ? strlen(".slice") : 0);
	char *path = arena_strdup(a, "");

	if (!is_unit_name(slice) || slice[stem] == '\0' || stem == 0)
		return NULL;
	if (strcmp(slice, "-.slice") == 0)
		return path;
	for (size_t i = 0; i <= stem; i++) {
		if (slice[i] != '-' && i < stem)
			continue;
		/* "-a", "a--b", "a-": a part without a name. */
		if (i == 0 || slice[i - 1] == '-')
			return NULL;
		path = arena_printf(a, "%s/%s%.*s.slice", path, needs_escape(slice) ? "_" : "",
				    (int)i, slice);
	}
	return path;
}

/* What a container id may have and a unit's name may not, as systemd-escape(1) writes it. */
static char *escape_id(const char *id, struct arena *a)
{
	char *text = arena_strdup(a, ""), *plus;

	while ((plus = strchr(id, '+'))) {
		text = arena_printf(a, "%s%.*s\\x2b", text, (int)(plus - id), id);
		id = plus + 1;
	}
	return arena_printf(a, "%s%s", text, id);
}

/* The three fields of cgroupsPath.  Returns 0, or -EINVAL: it has another form. */
static int split(const char *path, struct arena *a, char *fields[3])
{
	char *rest = arena_strdup(a, path);

	fields[0] = fields[1] = (char *)"";
	if (!strchr(path, ':')) {
		fields[2] = rest;
		return strchr(path, '/') ? -EINVAL : 0;
	}
	for (size_t i = 0; i < 3; i++)
		fields[i] = rest ? strsep(&rest, ":") : NULL;
	return !fields[2] || rest || strchr(path, '/') || !*fields[2] ? -EINVAL : 0;
}

int cgroup_unit_compile(const struct oci_config *c, const char *id, bool user, struct arena *a,
			struct cgroup_unit *out, struct error *err)
{
	const void *at = c->linux ? &c->linux->cgroups_path : NULL;
	const char *given = c->linux && c->linux->cgroups_path ? c->linux->cgroups_path : "";
	const char *slice, *parent, *name;
	char *fields[3];

	/* Engines and their users know the sentence. */
	if (split(*given ? given : escape_id(id, a), a, fields) < 0)
		return oci_error(c, at, err,
				 "expected cgroupsPath to be of format \"slice:prefix:name\" for "
				 "systemd cgroups, got \"%s\" instead",
				 given);
	if (!*given)
		fields[1] = (char *)"kist";
	if (!*fields[0])
		slice = user ? "user.slice" : "system.slice";
	else
		slice = strcmp(fields[0], "-") == 0 ? "-.slice" : fields[0];
	parent = cgroup_unit_slice_path(slice, a);
	if (!parent)
		return oci_error(c, at, err,
				 "\"%s\" is not the name of a slice, as in \"a-b.slice\"", slice);
	name = fields[2];
	if (*given && str_ends(name, ".slice")) {
		*out = (struct cgroup_unit){
			.name = name,
			.path = cgroup_unit_slice_path(name, a),
		};
		if (!out->path || !*out->path)
			return oci_error(c, at, err,
					 "\"%s\" is not the name of a slice for a container", name);
		return 0;
	}
	if (*fields[1])
		name = arena_printf(a, "%s-%s", fields[1], name);
	/* Different ids must not come to the same name: "x" and "x.scope". */
	if (!*given || !str_ends(name, ".scope"))
		name = arena_printf(a, "%s.scope", name);
	if (!is_unit_name(name) || strcmp(name, ".scope") == 0)
		return oci_error(
			c, at, err,
			"\"%s\" is not the name of a unit: letters, digits and : - _ . \\, "
			"at most %d bytes",
			name, CGROUP_UNIT_NAME_MAX - 1);
	*out = (struct cgroup_unit){
		.name = name,
		.slice = slice,
		.path = arena_printf(a, "%s/%s%s", parent, needs_escape(name) ? "_" : "", name),
	};
	return 0;
}
