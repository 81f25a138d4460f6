/* SPDX-License-Identifier: Apache-2.0 */
/* keyring.c - the container's session keyring. */
#include "keyring.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "base/sys.h"

/* KEY_POS_ALL, and for the owner: view, read, search (so that `exec` can join by name), link. */
#define PERMISSIONS 0x3f1b0000ul

void keyring_compile(const char *id, bool no_new_keyring, struct arena *a, struct keyring_plan *out)
{
	out->name = no_new_keyring ? NULL : arena_printf(a, "_ses.%s", id);
}

/*
 * Whether the key belongs to the calling user.  The kernel describes it as
 * "type;uid;gid;perm;description".
 */
static bool is_own(long key)
{
	char text[512], *uid, *end;
	uint32_t owner;
	long n = sys_keyctl(KEYCTL_DESCRIBE, (unsigned long)key, (unsigned long)text,
			    sizeof(text) - 1, 0);

	if (n <= 0 || n > (long)sizeof(text) - 1)
		return false;
	text[n] = '\0';
	uid = strchr(text, ';');
	end = uid != NULL ? strchr(uid + 1, ';') : NULL;
	if (end == NULL)
		return false;
	*end = '\0';
	return str_to_id(uid + 1, &owner) == 0 && owner == geteuid();
}

static int join_error(const struct keyring_plan *p, int errnum, struct error *err)
{
	int r = error_set(err, errnum, "join session keyring %s", p->name);

	if (errnum == EDQUOT)
		error_append(err,
			     " (the user has too many keys: see /proc/key-users and the sysctls "
			     "kernel.keys.maxkeys, maxbytes, root_maxkeys, root_maxbytes)");
	else if (errnum == EPERM || errnum == EACCES)
		error_append(err,
			     " (refused here, perhaps by an outer container's seccomp profile; "
			     "--no-new-keyring does without)");
	return r;
}

int keyring_run(const struct keyring_plan *p, struct error *err)
{
	long key;

	if (p->name == NULL)
		return 0;
	key = sys_keyctl(KEYCTL_JOIN_SESSION_KEYRING, (unsigned long)p->name, 0, 0, 0);
	if (key == -ENOSYS)
		return 0;
	/*
	 * Anyone may give a keyring of his this name and let others search it: that one would be
	 * shared with him.
	 */
	if (key >= 0 && !is_own(key))
		key = sys_keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0);
	if (key < 0)
		return join_error(p, (int)-key, err);
	key = sys_keyctl(KEYCTL_SETPERM, (unsigned long)key, PERMISSIONS, 0, 0);
	return key < 0 ? error_set(err, (int)-key, "set permissions of session keyring %s", p->name)
		       : 0;
}

void keyring_show(const struct keyring_plan *p, struct show *out)
{
	if (p->name != NULL)
		show_act(out, "join session keyring %s", p->name);
}
