/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds the tables of oci/ against the specification's JSON schemas: every property of a schema is
 * a row, every row is a property, kinds and names agree.  And reads the specification's examples,
 * good and bad.
 */
#include <dirent.h>
#include <fcntl.h>

#include "base/file.h"
#include "oci/oci_schema.h"

#include "tap.h"

static struct arena arena;

/* A small tree of JSON, for the schemas only, which are known to be well formed.  */

struct node {
	char kind;		/* '{' '[' '"' or 'v' */
	char *key;
	char *text;		/* of a string */
	const char *file;	/* the schema file it is in */
	struct node *first, *next;
};

static const char *blanks(const char *s)
{
	return s + strspn(s, " \t\r\n");
}

static const char *parse_string(const char *s, char **out)
{
	const char *end = s + 1;
	char *to = arena_alloc(&arena, strlen(s) + 1);

	*out = to;
	while (*end != '"') {
		end += *end == '\\';
		*to++ = *end++;
	}
	return end + 1;
}

static const char *parse_node(const char *s, const char *file, struct node **out)
{
	struct node *n = ARENA_NEW(&arena, struct node), **link = &n->first;

	*out = n;
	n->file = file;
	n->kind = *s == '{' || *s == '[' || *s == '"' ? *s : 'v';
	if (n->kind == '"')
		return parse_string(s, &n->text);
	if (n->kind == 'v')
		return s + strcspn(s, ",]} \t\r\n");
	s = blanks(s + 1);
	while (*s != '}' && *s != ']') {
		char *key = NULL;

		if (n->kind == '{')
			s = blanks(blanks(parse_string(s, &key)) + 1);
		s = blanks(parse_node(s, file, link));
		(*link)->key = key;
		link = &(*link)->next;
		if (*s == ',')
			s = blanks(s + 1);
	}
	return s + 1;
}

static struct node *member(const struct node *n, const char *key)
{
	for (struct node *c = n && n->kind == '{' ? n->first : NULL; c; c = c->next)
		if (strcmp(c->key, key) == 0)
			return c;
	return NULL;
}

static int schema_dir = -1;

static struct node *schema_file(const char *name)
{
	static struct { char name[64]; struct node *root; } cache[16];
	char *text;
	size_t i = 0;

	for (; cache[i].root; i++)
		if (strcmp(cache[i].name, name) == 0)
			return cache[i].root;
	if (file_read(schema_dir, name, 1 << 20, &arena, &text, NULL) < 0)
		bail_out(name);
	snprintf(cache[i].name, sizeof(cache[i].name), "%s", name);
	parse_node(blanks(text), cache[i].name, &cache[i].root);
	return cache[i].root;
}

/* Follows "$ref": "file.json#/a/b", and an anyOf of one. */
static struct node *resolve(struct node *n)
{
	struct node *ref, *any;

	while ((ref = member(n, "$ref"))) {
		char *path = arena_strdup(&arena, ref->text);
		char *hash = strchr(path, '#');
		char *rest = hash + 1;

		*hash = '\0';
		n = schema_file(*path ? path : ref->file);
		for (char *part = strtok_r(NULL, "/", &rest); part;
		     part = strtok_r(NULL, "/", &rest))
			n = member(n, part);
	}
	any = member(n, "anyOf");
	return any ? resolve(any->first) : n;
}

/* Calls visit for each property, those of allOf's parts too. */
static void each_property(struct node *n, void (*visit)(struct node *, void *), void *ctx)
{
	struct node *properties, *all;

	n = resolve(n);
	properties = member(n, "properties");
	all = member(n, "allOf");
	for (struct node *p = properties ? properties->first : NULL; p; p = p->next)
		visit(p, ctx);
	for (struct node *part = all ? all->first : NULL; part; part = part->next)
		each_property(part, visit, ctx);
}

/* Tables against schemas. ----------------------------------------------- */

struct level {
	const char *path;
	const struct json_field *fields;
	struct node *schema;
	const char *wanted;	/* look for this property */
	bool found;
};

static void compare(const struct level *level);

/* Where tables and schemas differ with reason. */
static bool is_extra(const char *path)
{
	static const char *const extra[] = {
		"linux.intelRdt.enableCMT",		/* until 1.2.1 */
		"linux.intelRdt.enableMBM",
		"linux.resources.pids.limit",		/* not required by config-linux.md */
		"intelRdt.schemata",			/* features-linux.md has them */
		"intelRdt.monitoring",
		"linux.memoryPolicy",
	};

	for (size_t i = 0; i < sizeof(extra) / sizeof(extra[0]); i++)
		if (strcmp(extra[i], path) == 0)
			return true;
	return false;
}

static const char *type_wanted(const struct json_field *field)
{
	switch ((enum json_kind)field->kind) {
	case JSON_BOOL:
		return "boolean";
	case JSON_STRING:
	case JSON_CHOICE:
		return "string";
	case JSON_STRINGS:
	case JSON_NUMBERS:
	case JSON_CHOICES:
	case JSON_LIST:
		return "array";
	case JSON_OBJECT:
	case JSON_MAP:
	case JSON_PAIRS:
		return "object";
	default:
		return "integer";
	}
}

static void compare_names(const char *path, const struct json_field *field, struct node *schema)
{
	struct node *names = member(schema, "enum");

	for (struct node *name = names ? names->first : NULL; name; name = name->next)
		ok(json_choice_find(field->choices, name->text), "%s: %s is known", path,
		   name->text);
}

static void compare_row(const struct level *level, const struct json_field *field,
			struct node *property)
{
	const char *path = arena_printf(&arena, "%s%s%s", level->path, *level->path ? "." : "",
					field->name);
	struct node *schema = resolve(property);
	struct node *type = member(schema, "type"), *items = member(schema, "items");
	struct level below = { .path = path, .fields = field->fields };

	if (field->kind == JSON_IGNORED || field->kind == JSON_OTHER_WORD)
		return;
	is_str(type ? type->text : "object", type_wanted(field), "%s: its type", path);
	if (items)
		items = resolve(items);
	if (field->kind == JSON_CHOICE || field->kind == JSON_CHOICES)
		compare_names(path, field, items ? items : schema);
	if (field->kind != JSON_OBJECT && field->kind != JSON_LIST && field->kind != JSON_MAP)
		return;
	below.schema = field->kind == JSON_LIST ? items :
		       field->kind == JSON_MAP ? member(schema, "additionalProperties") : schema;
	if (ok(below.schema, "%s: has a schema below", path))
		compare(&below);
}

static void visit_property(struct node *property, void *ctx)
{
	const struct level *level = ctx;
	const struct json_field *field = level->fields;

	while (field->name && strcmp(field->name, property->key) != 0)
		field++;
	if (ok(field->name, "%s.%s is a row", level->path, property->key))
		compare_row(level, field, property);
}

static void visit_name(struct node *property, void *ctx)
{
	struct level *level = ctx;

	level->found = level->found || strcmp(property->key, level->wanted) == 0;
}

static void check_required(const struct level *level)
{
	struct node *required = member(resolve(level->schema), "required");

	for (struct node *name = required ? required->first : NULL; name; name = name->next)
		for (const struct json_field *f = level->fields; f->name; f++)
			if (strcmp(f->name, name->text) == 0 &&
			    !is_extra(arena_printf(&arena, "%s.%s", level->path, f->name)))
				ok(f->flags & JSON_REQUIRED, "%s.%s is required", level->path,
				   f->name);
}

static void compare(const struct level *level)
{
	each_property(level->schema, visit_property, (void *)level);
	check_required(level);
	for (const struct json_field *f = level->fields; f->name; f++) {
		struct level look = *level;
		const char *path = arena_printf(&arena, "%s.%s", level->path, f->name);

		look.wanted = f->name;
		if (!*f->name || f->kind == JSON_OTHER_WORD || is_extra(path))
			continue;
		each_property(level->schema, visit_name, &look);
		ok(look.found, "row %s is a property", path);
	}
}

/* Examples. ------------------------------------------------------------- */

/* A file that only breaks a rule of another platform's section is good here. */
static bool is_elsewhere(const char *name)
{
	return strncmp(name, "freebsd", 7) == 0 || strncmp(name, "zos", 3) == 0;
}

static void read_example(int dir, const char *name, bool good)
{
	struct oci_config *c = NULL;
	struct error err = { 0 };
	char *text;
	size_t len;
	int ret;

	if (file_read(dir, name, 1 << 20, &arena, &text, &len) < 0)
		bail_out(name);
	ret = oci_config_parse(text, len, name, &arena, &c, &err);
	/* The good ones show what schemas can say: some break rules that only the text has. */
	if (ret == 0 && !good)
		ret = oci_config_check(c, &err);
	ok((ret == 0) == good, "%s is %s: %s", name, good ? "good" : "bad", err.text);
}

static void read_examples(const char *path, bool good)
{
	int fd = openat(schema_dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (!dir)
		bail_out(path);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && (good || !is_elsewhere(entry->d_name)))
			read_example(dirfd(dir), entry->d_name, good);
	closedir(dir);
}

/* `features` against its schema. ---------------------------------------- */

static void compare_features(struct node *value, struct node *schema, const char *path)
{
	struct node *properties;

	schema = resolve(schema);
	properties = member(schema, "properties");
	if (value->kind != '{' || !properties)
		return;
	for (struct node *v = value->first; v; v = v->next) {
		struct node *p = member(properties, v->key);

		if (is_extra(arena_printf(&arena, "%s.%s", path, v->key)))
			continue;
		if (ok(p, "features: %s.%s is a property", path, v->key))
			compare_features(v, p, v->key);
	}
	for (struct node *p = properties->first; p; p = p->next)
		ok(member(value, p->key), "features: %s.%s is told", path, p->key);
}

static void test_features(void)
{
	static const char *const options[] = { "ro", "rw", NULL };
	static const char *const caps[] = { "CAP_CHOWN", NULL };
	const struct oci_features f = {
		.version = "1",
		.commit = "c",
		.libseccomp_version = "2.5.4",
		.mount_options = options,
		.capabilities = caps,
	};
	struct json_out out;
	struct node *root;

	json_out_begin(&out, &arena, 0);
	oci_features_write(&out, &f);
	parse_node(json_out_text(&out), "", &root);
	compare_features(root, schema_file("features-schema.json"), "");
}

int main(void)
{
	const char *srcdir = getenv("srcdir");
	char path[1024];
	struct level top = { .path = "", .fields = oci_config_fields };

	snprintf(path, sizeof(path), "%s/tests/schema", srcdir ? srcdir : ".");
	schema_dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (schema_dir < 0)
		bail_out(path);
	top.schema = schema_file("config-schema.json");
	compare(&top);
	read_examples("test/config/good", true);
	read_examples("test/config/bad", false);
	test_features();
	close(schema_dir);
	arena_free(&arena);
	return done();
}
