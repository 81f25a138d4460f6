/* SPDX-License-Identifier: Apache-2.0 */
#include "mount_option.h"

#include <string.h>

#include "base/str.h"

#ifndef MS_LAZYTIME
#define MS_LAZYTIME (1 << 25)
#endif

enum kind {
	ATTR,		/* MOUNT_ATTR_* of the mount */
	ATTR_REC,	/* of the whole tree */
	SUPER,		/* MS_* of the superblock */
	PROPAGATION,	/* MS_* */
	SPECIAL,	/* enum mount_special */
	NOTHING,	/* asks for nothing */
	IDLE,		/* known, without effect */
};

struct option {
	char name[16];		/* itself: a pointer would be written anew at each start */
	enum kind kind;
	uint64_t set;
	uint64_t clr;
};

#define ATIME MOUNT_ATTR__ATIME

/*
 * The access time is a number of three values in the kernel, not a set of bits: whoever changes it
 * must clear the whole field (mount_setattr(2)).  relatime is its zero.
 */
static const struct option options[] = {
	{ "async", SUPER, 0, MS_SYNCHRONOUS },
	{ "atime", ATTR, 0, ATIME },
	{ "bind", SPECIAL, MOUNT_BIND, 0 },
	{ "copy-symlink", SPECIAL, MOUNT_COPY_SYMLINK, 0 },
	{ "defaults", NOTHING, 0, 0 },
	{ "dest-nofollow", SPECIAL, MOUNT_DEST_NOFOLLOW, 0 },
	{ "dev", ATTR, 0, MOUNT_ATTR_NODEV },
	{ "diratime", ATTR, 0, MOUNT_ATTR_NODIRATIME },
	{ "dirsync", SUPER, MS_DIRSYNC, 0 },
	{ "exec", ATTR, 0, MOUNT_ATTR_NOEXEC },
	{ "idmap", SPECIAL, MOUNT_IDMAP, 0 },
	{ "iversion", SUPER, MS_I_VERSION, 0 },
	{ "lazytime", SUPER, MS_LAZYTIME, 0 },
	{ "loud", SUPER, 0, MS_SILENT },
	{ "mand", SUPER, MS_MANDLOCK, 0 },
	{ "noatime", ATTR, MOUNT_ATTR_NOATIME, ATIME },
	{ "nodev", ATTR, MOUNT_ATTR_NODEV, 0 },
	{ "nodiratime", ATTR, MOUNT_ATTR_NODIRATIME, 0 },
	{ "noexec", ATTR, MOUNT_ATTR_NOEXEC, 0 },
	{ "noiversion", SUPER, 0, MS_I_VERSION },
	{ "nolazytime", SUPER, 0, MS_LAZYTIME },
	{ "nomand", SUPER, 0, MS_MANDLOCK },
	/* Takes back a relatime before it, as mount(8)'s; what is left is the kernel's default. */
	{ "norelatime", NOTHING, 0, 0 },
	{ "nostrictatime", ATTR, 0, ATIME },
	{ "nosuid", ATTR, MOUNT_ATTR_NOSUID, 0 },
	{ "nosymfollow", ATTR, MOUNT_ATTR_NOSYMFOLLOW, 0 },
	{ "private", PROPAGATION, MS_PRIVATE, 0 },
	/* The kernel can change superblock flags of one file system, not of a tree: these five do
	   nothing. */
	{ "rasync", IDLE, 0, 0 },
	{ "ratime", ATTR_REC, 0, ATIME },
	{ "rbind", SPECIAL, MOUNT_BIND | MOUNT_RECURSIVE, 0 },
	{ "rdev", ATTR_REC, 0, MOUNT_ATTR_NODEV },
	{ "rdiratime", ATTR_REC, 0, MOUNT_ATTR_NODIRATIME },
	{ "rdirsync", IDLE, 0, 0 },
	{ "relatime", ATTR, MOUNT_ATTR_RELATIME, ATIME },
	{ "remount", SPECIAL, MOUNT_REMOUNT, 0 },
	{ "rexec", ATTR_REC, 0, MOUNT_ATTR_NOEXEC },
	{ "ridmap", SPECIAL, MOUNT_IDMAP | MOUNT_IDMAP_RECURSIVE, 0 },
	{ "rmand", IDLE, 0, 0 },
	{ "rnoatime", ATTR_REC, MOUNT_ATTR_NOATIME, ATIME },
	{ "rnodev", ATTR_REC, MOUNT_ATTR_NODEV, 0 },
	{ "rnodiratime", ATTR_REC, MOUNT_ATTR_NODIRATIME, 0 },
	{ "rnoexec", ATTR_REC, MOUNT_ATTR_NOEXEC, 0 },
	{ "rnomand", IDLE, 0, 0 },
	{ "rnorelatime", ATTR_REC, 0, ATIME },
	{ "rnostrictatime", ATTR_REC, 0, ATIME },
	{ "rnosuid", ATTR_REC, MOUNT_ATTR_NOSUID, 0 },
	{ "rnosymfollow", ATTR_REC, MOUNT_ATTR_NOSYMFOLLOW, 0 },
	{ "ro", ATTR, MOUNT_ATTR_RDONLY, 0 },
	{ "rprivate", PROPAGATION, MS_PRIVATE | MS_REC, 0 },
	{ "rrelatime", ATTR_REC, MOUNT_ATTR_RELATIME, ATIME },
	{ "rro", ATTR_REC, MOUNT_ATTR_RDONLY, 0 },
	{ "rrw", ATTR_REC, 0, MOUNT_ATTR_RDONLY },
	{ "rshared", PROPAGATION, MS_SHARED | MS_REC, 0 },
	{ "rslave", PROPAGATION, MS_SLAVE | MS_REC, 0 },
	{ "rstrictatime", ATTR_REC, MOUNT_ATTR_STRICTATIME, ATIME },
	{ "rsuid", ATTR_REC, 0, MOUNT_ATTR_NOSUID },
	{ "rsymfollow", ATTR_REC, 0, MOUNT_ATTR_NOSYMFOLLOW },
	{ "rsync", IDLE, 0, 0 },
	{ "runbindable", PROPAGATION, MS_UNBINDABLE | MS_REC, 0 },
	{ "rw", ATTR, 0, MOUNT_ATTR_RDONLY },
	{ "shared", PROPAGATION, MS_SHARED, 0 },
	{ "silent", SUPER, MS_SILENT, 0 },
	{ "slave", PROPAGATION, MS_SLAVE, 0 },
	{ "src-nofollow", SPECIAL, MOUNT_SRC_NOFOLLOW, 0 },
	{ "strictatime", ATTR, MOUNT_ATTR_STRICTATIME, ATIME },
	{ "suid", ATTR, 0, MOUNT_ATTR_NOSUID },
	{ "symfollow", ATTR, 0, MOUNT_ATTR_NOSYMFOLLOW },
	{ "sync", SUPER, MS_SYNCHRONOUS, 0 },
	{ "tmpcopyup", SPECIAL, MOUNT_TMPCOPYUP, 0 },
	{ "unbindable", PROPAGATION, MS_UNBINDABLE, 0 },
};

#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

static const struct option *find(const char *name)
{
	size_t low = 0, high = N_OPTIONS;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(name, options[middle].name);

		if (order == 0)
			return &options[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static void change(uint64_t *set, uint64_t *clr, const struct option *o)
{
	*set = (*set & ~o->clr) | o->set;
	*clr = (*clr & ~o->set) | o->clr;
}

bool mount_option_apply(const char *option, struct mount_flags *f)
{
	const struct option *o;

	if (option[0] == '\0')		/* engines write empty options */
		return true;
	if (str_starts(option, "idmap=") || str_starts(option, "ridmap=")) {
		f->special |= MOUNT_IDMAP | (option[0] == 'r' ? MOUNT_IDMAP_RECURSIVE : 0);
		f->idmap = strchr(option, '=') + 1;
		return true;
	}
	o = find(option);
	if (!o)
		return false;
	switch (o->kind) {
	case ATTR:
		change(&f->attr.set, &f->attr.clr, o);
		f->explicit = true;
		break;
	case ATTR_REC:
		change(&f->attr.rec_set, &f->attr.rec_clr, o);
		break;
	case SUPER:
		f->ms = (f->ms & ~(unsigned long)o->clr) | (unsigned long)o->set;
		break;
	case PROPAGATION:
		f->attr.propagation = o->set;
		break;
	case SPECIAL:
		f->special |= (unsigned int)o->set;
		break;
	case NOTHING:
	case IDLE:
		break;
	}
	return true;
}

bool mount_option_is_idle(const char *option, enum mount_target target)
{
	const struct option *o = find(option);

	if (!o)
		return false;
	switch (o->kind) {
	case IDLE:
		return true;
	case SUPER:
		return target != MOUNT_TARGET_SUPER;
	case SPECIAL:
		return o->set & (MOUNT_COPY_SYMLINK | MOUNT_SRC_NOFOLLOW) &&
		       target != MOUNT_TARGET_COPY;
	default:
		return false;
	}
}

const char *mount_option_suggest(const char *option)
{
	const char *best = NULL;
	unsigned int limit = 2;

	for (size_t i = 0; i < N_OPTIONS; i++) {
		unsigned int d = str_distance(option, options[i].name, limit);

		if (d <= limit) {
			best = options[i].name;
			limit = d ? d - 1 : 0;
		}
	}
	return best;
}

char **mount_option_names(struct arena *a)
{
	char **names = ARENA_NEW_ARRAY(a, char *, N_OPTIONS + 1);
	size_t n = 0;

	for (size_t i = 0; i < N_OPTIONS; i++)
		if (options[i].kind != IDLE)
			names[n++] = arena_strdup(a, options[i].name);
	return names;
}

/*
 * Whether the flags are such as this option alone would leave behind (later options may have undone
 * it).
 */
static bool is_in(const struct option *o, const struct mount_flags *f)
{
	switch (o->kind) {
	case ATTR:
		if (o->set)
			return f->attr.set & o->set;
		return o->clr && !(o->clr & ATIME) && (f->attr.clr & o->clr) == o->clr;
	case ATTR_REC:
		if (o->set)
			return f->attr.rec_set & o->set;
		return o->clr && !(o->clr & ATIME) && (f->attr.rec_clr & o->clr) == o->clr;
	case SUPER:
		return f->ms & o->set;
	case PROPAGATION:
		return f->attr.propagation == o->set;
	case SPECIAL:
		/* rbind and ridmap say what bind and idmap would. */
		if (o->set == MOUNT_BIND)
			return (f->special & (MOUNT_BIND | MOUNT_RECURSIVE)) == MOUNT_BIND;
		if (o->set == MOUNT_IDMAP)
			return (f->special & (MOUNT_IDMAP | MOUNT_IDMAP_RECURSIVE)) == MOUNT_IDMAP;
		return (f->special & o->set) == o->set;
	case NOTHING:
	case IDLE:
		break;
	}
	return false;
}

/* File systems of the kernel, none of whose options is a password. */
static bool has_no_secrets(const char *type)
{
	static const char *const types[] = {
		"bind", "cgroup", "cgroup2", "devpts", "mqueue", "overlay", "proc", "sysfs",
		"tmpfs",
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return false;
}

/* The type may be the mistake: "bind" with the options of a share. */
static bool names_a_secret(const char *key)
{
	static const char *const words[] = { "pass", "secret", "key", "token", "cred" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(key, words[i]))
			return true;
	return false;
}

const char *mount_option_shown(const char *type, const struct mnt_param *p)
{
	/* What says how a file system is laid out, and where; sorted. */
	static const char *const harmless[] = {
		"codepage", "context", "datadir+", "defcontext", "dmask", "errors", "fmask",
		"fscontext", "gid", "hidepid", "huge", "index", "iocharset", "lowerdir",
		"lowerdir+", "metacopy", "mode", "mpol", "name", "nfs_export", "nr_blocks",
		"nr_inodes", "pagesize", "port", "ptmxmode", "redirect_dir", "rootcontext",
		"rsize", "size", "subset", "subvol", "trans", "uid", "umask", "upperdir", "vers",
		"version", "workdir", "wsize", "xino",
	};

	if (has_no_secrets(type) && !names_a_secret(p->key))
		return p->value;
	for (size_t i = 0; p->value && i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (strcmp(p->key, harmless[i]) == 0)
			return p->value;
	return p->value ? "***" : NULL;
}

void mount_option_print(const struct mount_flags *f, char *out, size_t size)
{
	struct strbuf b = { .text = out, .size = size };

	out[0] = '\0';
	for (size_t i = 0; i < N_OPTIONS; i++)
		if (is_in(&options[i], f))
			strbuf_addf(&b, "%s%s", b.len ? "," : "", options[i].name);
	if (f->attr.clr & ATIME && !(f->attr.set & ATIME))
		strbuf_addf(&b, "%srelatime", b.len ? "," : "");
	if (f->attr.rec_clr & ATIME && !(f->attr.rec_set & ATIME))
		strbuf_addf(&b, "%srrelatime", b.len ? "," : "");
}
