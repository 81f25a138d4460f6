/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci.c - reading configurations, and errors about their members.
 */
#include "oci/oci.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"

/*
 * A file, or the pipe of a shell's <(...), whose other end is a program that the caller started.
 * Who waits behind a FIFO with a name is not known, and a device may itself do something.
 */
static int open_text(const char *path, struct error *err)
{
	owned_fd fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct statfs fs;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return error_set(err, errno, "open %s", path);
	if (S_ISREG(st.st_mode))
		return fd_take(&fd);
	if (S_ISDIR(st.st_mode))
		return error_set(err, EISDIR, "read %s", path);
	if (!S_ISFIFO(st.st_mode) || fs.f_type != PIPEFS_MAGIC)
		return error_set(err, 0, "read %s: neither a regular file nor a pipe", path);
	if (fcntl(fd, F_SETFL, O_RDONLY) < 0)
		return error_set(err, errno, "open %s", path);
	return fd_take(&fd);
}

int oci_text_read(const char *path, struct json_doc *doc, struct error *err)
{
	bool standard_input = strcmp(path, "-") == 0;
	owned_fd fd = standard_input ? -1 : open_text(path, err);
	char *text;
	int ret;

	if (!standard_input && fd < 0)
		return fd;
	doc->name = standard_input ? "standard input" : path;
	ret = file_read_fd(standard_input ? STDIN_FILENO : fd, OCI_TEXT_MAX, doc->arena, &text,
			   &doc->len);
	if (ret == -EFBIG)
		return error_set(err, EFBIG, "read %s: more than %u MiB", doc->name,
				 OCI_TEXT_MAX >> 20);
	if (ret < 0)
		return error_set(err, -ret, "read %s", doc->name);
	doc->text = text;
	return 0;
}

int oci_config_parse_doc(struct json_doc *doc, struct arena *a, struct oci_config **out,
			 struct error *err)
{
	struct oci_config *c = ARENA_NEW(a, struct oci_config);

	c->doc = doc;
	*out = c;
	return json_read(doc, oci_config_fields, c, err);
}

int oci_config_parse(const char *text, size_t len, const char *name, struct arena *a,
		     struct oci_config **out, struct error *err)
{
	struct json_doc *doc = ARENA_NEW(a, struct json_doc);

	doc->name = name;
	doc->text = text;
	doc->len = len;
	doc->arena = a;
	return oci_config_parse_doc(doc, a, out, err);
}

int oci_process_parse(struct json_doc *doc, struct oci_process **out, struct error *err)
{
	*out = ARENA_NEW(doc->arena, struct oci_process);
	return json_read(doc, oci_process_fields, *out, err);
}

int oci_resources_parse(struct json_doc *doc, struct oci_resources **out, struct error *err)
{
	*out = ARENA_NEW(doc->arena, struct oci_resources);
	return json_read(doc, oci_resources_fields, *out, err);
}

int oci_error(const struct oci_config *c, const void *member, struct error *err, const char *fmt,
	      ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = json_vfault(c->doc, JSON_BAD_VALUE, member, err, fmt, ap);
	va_end(ap);
	return r;
}

const char *oci_position(const struct oci_config *c, const void *member, struct arena *a,
			 const char *path)
{
	struct json_position at;
	struct strbuf b = { 0 };

	if (!json_locate(c->doc, member, &at))
		return path;
	/* Two numbers have at most 20 digits; with what is between it all is less than 32. */
	b.size = strlen(c->doc->name) + strlen(at.path) + 32;
	b.text = arena_alloc(a, b.size);
	strbuf_add(&b, c->doc->name);
	strbuf_addc(&b, ':');
	strbuf_addu(&b, at.line);
	strbuf_addc(&b, ':');
	strbuf_addu(&b, at.column);
	strbuf_add(&b, ": ");
	strbuf_add(&b, at.path);
	return b.text;
}

const struct oci_namespace *oci_namespace_find(const struct oci_config *c, int type)
{
	if (!c->linux)
		return NULL;
	/* A longer list is an error, and told once. */
	for (size_t i = 0; i < c->linux->n_namespaces && i < OCI_NAMESPACES_MAX; i++)
		if (c->linux->namespaces[i].type == type)
			return &c->linux->namespaces[i];
	return NULL;
}

const char *oci_annotation(const struct oci_config *c, const char *key)
{
	for (size_t i = 0; i < c->n_annotations; i++)
		if (strcmp(c->annotations[i].key, key) == 0)
			return c->annotations[i].value;
	return NULL;
}

/* "c1", "c0.c1023": the categories of a label have commas between them, too. */
static bool is_category(const char *word, size_t len)
{
	return len > 1 && word[0] == 'c' && strspn(word + 1, "c.0123456789") >= len - 1;
}

/* Whether an option follows a comma. */
static bool option_follows(const char *s, bool label)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t len = strspn(s, letters);

	if (*s == '\0' || *s == ',')
		return true;
	while (len > 0 && (strspn(s + len, letters) > 0 || strspn(s + len, "0123456789_-+.") > 0))
		len++;
	if (len == 0 || (s[len] != '\0' && s[len] != ',' && s[len] != '='))
		return false;
	return s[len] == '=' || !label || !is_category(s, len);
}

size_t oci_mount_option(const struct oci_mount *m, const char *text, const char **next)
{
	/* A password may have any letter, and the kernel has rules of its own for them. */
	bool whole = m->type && (strcmp(m->type, "cifs") == 0 || strcmp(m->type, "smb3") == 0);
	bool quoted = false, label = false;
	size_t i;

	*next = NULL;
	for (i = 0; text[i] && !whole; i++) {
		if (text[i] == '"')
			quoted = !quoted;
		else if (text[i] == '\\' && text[i + 1])
			i++;
		else if (text[i] == '=')
			label = label || (i >= 7 && strncmp(text + i - 7, "context", 7) == 0);
		else if (text[i] == ',' && !quoted && option_follows(text + i + 1, label))
			break;
	}
	if (whole)
		return strlen(text);
	if (text[i])
		*next = text + i + 1;
	return i;
}

bool oci_mount_has(const struct oci_mount *m, const char *option)
{
	for (char **o = m->options; o && *o; o++)
		for (const char *text = *o, *next; text; text = next) {
			size_t len = oci_mount_option(m, text, &next);

			if (strlen(option) == len && strncmp(text, option, len) == 0)
				return true;
		}
	return false;
}
