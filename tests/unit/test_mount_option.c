/* SPDX-License-Identifier: Apache-2.0 */
#include "mount_option.h"

#include "tap.h"

static struct mount_flags apply(const char *const *options)
{
	struct mount_flags f = { .special = 0 };

	for (; *options; options++)
		mount_option_apply(*options, &f);
	return f;
}

#define APPLY(...) apply((const char *const[]){ __VA_ARGS__, NULL })

static void test_attributes(void)
{
	struct mount_flags f = APPLY("ro", "nosuid", "nodev", "noexec");

	is_int(f.attr.set,
	       MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
	       "the usual four are set");
	is_int(f.attr.clr, 0, "and nothing is cleared");
	ok(f.explicit, "they count as explicit");
	f = APPLY("ro", "rw");
	is_int(f.attr.set, 0, "a later rw undoes ro");
	is_int(f.attr.clr, MOUNT_ATTR_RDONLY, "and is cleared");
	f = APPLY("rw", "ro");
	is_int(f.attr.set, MOUNT_ATTR_RDONLY, "a later ro undoes rw");
	is_int(f.attr.clr, 0, "which is no longer cleared");
	f = APPLY("suid");
	ok(f.explicit && f.attr.clr == MOUNT_ATTR_NOSUID, "suid is explicit too");
}

static void test_atime(void)
{
	struct mount_flags f = APPLY("noatime");

	is_int(f.attr.set, MOUNT_ATTR_NOATIME, "noatime");
	is_int(f.attr.clr, MOUNT_ATTR__ATIME, "clears the whole field");
	f = APPLY("noatime", "strictatime");
	is_int(f.attr.set, MOUNT_ATTR_STRICTATIME, "the last access time wins");
	f = APPLY("strictatime", "relatime");
	is_int(f.attr.set, 0, "relatime is the zero of the field");
	is_int(f.attr.clr, MOUNT_ATTR__ATIME, "and clears it");
	f = APPLY("rnoatime");
	ok(f.attr.rec_set == MOUNT_ATTR_NOATIME && f.attr.rec_clr == MOUNT_ATTR__ATIME,
	   "recursive noatime");
	ok(!f.explicit, "recursive flags leave the mount's own as they were");
}

static void test_others(void)
{
	struct mount_flags f = APPLY("rbind", "rprivate", "rro");

	is_int(f.special, MOUNT_BIND | MOUNT_RECURSIVE, "rbind");
	is_int(f.attr.propagation, MS_PRIVATE | MS_REC, "rprivate");
	is_int(f.attr.rec_set, MOUNT_ATTR_RDONLY, "rro");
	f = APPLY("sync", "dirsync", "async");
	is_int(f.ms, MS_DIRSYNC, "async undoes sync only");
	f = APPLY("idmap");
	ok(f.special == MOUNT_IDMAP && !f.idmap, "idmap without a mapping");
	f = APPLY("ridmap=uids=0-1-2;gids=0-1-2");
	is_int(f.special, MOUNT_IDMAP | MOUNT_IDMAP_RECURSIVE, "ridmap with one");
	is_str(f.idmap, "uids=0-1-2;gids=0-1-2", "its text");
	f = APPLY("tmpcopyup", "copy-symlink", "src-nofollow", "dest-nofollow", "remount");
	is_int(f.special,
	       MOUNT_TMPCOPYUP | MOUNT_COPY_SYMLINK | MOUNT_SRC_NOFOLLOW | MOUNT_DEST_NOFOLLOW |
		       MOUNT_REMOUNT,
	       "options of our own");
}

static void test_unknown(void)
{
	struct mount_flags f = { .special = 0 };

	ok(mount_option_apply("", &f), "the empty option is known");
	ok(mount_option_apply("defaults", &f), "defaults");
	ok(!mount_option_apply("size=64m", &f), "size= belongs to the file system");
	ok(!mount_option_apply("RO", &f), "names are exact");
	ok(!mount_option_apply("nosuidx", &f), "no prefixes");
	ok(!f.explicit && f.attr.set == 0 && f.ms == 0, "none of these changed anything");
	is_str(mount_option_suggest("nosiud"), "nosuid", "did you mean nosuid");
	is_str(mount_option_suggest("rprivat"), "rprivate", "did you mean rprivate");
	ok(!mount_option_suggest("completely-different"), "nothing is near");
}

static void test_shown(void)
{
	const struct mnt_param password = { "password", "hunter2" };
	const struct mnt_param other = { "other", "v" };
	const struct mnt_param size = { "size", "1k" }, flag = { "noac", NULL };

	is_str(mount_option_shown("cifs", &password), "***", "a value that may be a password");
	is_str(mount_option_shown("", &password), "***", "also of an unknown type");
	is_str(mount_option_shown("cifs", &size), "1k", "one that is not");
	is_str(mount_option_shown("cifs", &other), "***", "nor known");
	is_str(mount_option_shown("tmpfs", &other), "v", "tmpfs has no secrets");
	is_str(mount_option_shown("bind", &other), "v", "nor has a bind mount");
	is_str(mount_option_shown("tmpfs", &password), "***", "but the type may be the mistake");
	ok(!mount_option_shown("cifs", &flag), "no value");
}

static void test_names(void)
{
	struct arena a = ARENA_INIT;
	char **names = mount_option_names(&a);
	bool sorted = true, found = true;
	char text[256];
	size_t n = 0;

	for (; names[n]; n++) {
		struct mount_flags f = { .special = 0 };

		sorted &= n == 0 || strcmp(names[n - 1], names[n]) < 0;
		found &= mount_option_apply(names[n], &f);
	}
	ok(n > 60 && sorted, "%zu names, sorted", n);
	ok(found, "each name is found by the search");
	arena_free(&a);

	mount_option_print(&(struct mount_flags){ .special = 0 }, text, sizeof(text));
	is_str(text, "", "no flags print nothing");
	struct mount_flags f = APPLY("nosuid", "ro", "noatime", "rshared", "rbind");

	mount_option_print(&f, text, sizeof(text));
	ok(strstr(text, "nosuid") && strstr(text, "ro") && strstr(text, "noatime") &&
		   strstr(text, "rshared") && strstr(text, "rbind"),
	   "flags print as options: %s", text);
}

int main(void)
{
	test_attributes();
	test_atime();
	test_others();
	test_unknown();
	test_names();
	test_shown();
	return done();
}
