/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_option.h - the table of mount options (config.md, "Linux mount options").
 */
#ifndef KIST_MOUNT_OPTION_H
#define KIST_MOUNT_OPTION_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/mnt.h"

/* Options that are neither attributes nor data of the file system. */
enum mount_special {
	MOUNT_BIND = 1 << 0,
	MOUNT_RECURSIVE = 1 << 1,	/* rbind */
	MOUNT_REMOUNT = 1 << 2,
	MOUNT_TMPCOPYUP = 1 << 3,
	MOUNT_COPY_SYMLINK = 1 << 4,
	MOUNT_SRC_NOFOLLOW = 1 << 5,
	MOUNT_DEST_NOFOLLOW = 1 << 6,
	MOUNT_IDMAP = 1 << 7,
	MOUNT_IDMAP_RECURSIVE = 1 << 8,
};

/* What the options of one mount add up to.  Later options win over earlier ones. */
struct mount_flags {
	struct mnt_attr attr;
	unsigned long ms;		/* flags of the superblock */
	unsigned int special;		/* enum mount_special */
	bool explicit;			/* some attribute was named, even if it is the default */
	const char *idmap;		/* text after "idmap=" or "ridmap=", or NULL */
};

/* Adds one option.  true: known; false: it belongs to the file system ("size=64m"). */
bool mount_option_apply(const char *option, struct mount_flags *f);

/* What takes the options of a mount. */
enum mount_target {
	MOUNT_TARGET_MOUNT,	/* a mount alone */
	MOUNT_TARGET_COPY,	/* a mount that is a copy of another: a bind */
	MOUNT_TARGET_SUPER,	/* the superblock too */
};

/* Whether an option that is known does nothing to such a target. */
bool mount_option_is_idle(const char *option, enum mount_target target);

/* The known name nearest to option, or NULL when none is near: for did-you-mean. */
const char *mount_option_suggest(const char *option);

/* All names that do, or are, what they say, sorted; NULL-terminated: for `features`. */
char **mount_option_names(struct arena *a);

/*
 * The value of a file system's option for messages and printouts, which engines store and people
 * pass on: its own when the type ("bind" too) has no secrets, unless the key sounds like one, or
 * when the key is known to be harmless; else "***", since it may be a password.  NULL when it has
 * none.
 */
const char *mount_option_shown(const char *type, const struct mnt_param *p);

/* Text of the flags for a plan's printout: "ro,nosuid,rprivate"; fits into size bytes or is cut. */
void mount_option_print(const struct mount_flags *f, char *out, size_t size);

#endif
