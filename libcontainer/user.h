/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user.h - who the container process is: uid, gid, supplementary groups, umask, and where its home
 * is.  Ids are numbers; names are never looked up (CVE-2016-3697), and one strict parser reads them
 * (CVE-2024-40635).
 */
#ifndef KIST_USER_H
#define KIST_USER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "host.h"
#include "oci/oci.h"
#include "show.h"

struct user_plan {
	uint32_t uid, gid;
	gid_t *groups;
	size_t n_groups;
	bool keep_groups;      /* asked for by annotation: setgroups() is not called */
	bool groups_denied_ok; /* not root of the host: a namespace may deny setgroups(), then none
				  are set */
	mode_t umask;
};

/*
 * Errors: an id that the new user namespace does not map; additionalGids where setgroups(2) will be
 * denied.  Without process.user.umask the mask is 022: the caller's own is an accident.
 */
int user_compile(const struct oci_config *c, const struct oci_process *p, const struct host *h,
		 struct arena *a, struct user_plan *out, struct error *err);

/*
 * Sets umask, groups, gid and uid, and keeps the permitted capabilities over the change for
 * capability_run().  In the child, by raw system calls.
 */
int user_run(const struct user_plan *p, struct error *err);

void user_show(const struct user_plan *p, struct show *out);

/*
 * Home directory of uid from /etc/passwd below root (an O_PATH or other descriptor of the
 * container's root directory) into home[size], "/" when there is none.  The file is the image's:
 * symlinks (NixOS and Android have them) lead to files of the image only, and it is read only when
 * it is a regular file, at most 1 MiB of it, without blocking (CVE-2026-47262: a FIFO there hangs
 * other runtimes).  Never fails.  No allocation: for the child.
 */
void user_home_run(int root, uint32_t uid, char *home, size_t size);

/*
 * "UID[:GID]" of `exec --user`, digits only, each at most 4294967294.  *gid is left alone when it
 * is not given.  Returns 0 or negative with err.
 */
int user_parse_spec(const char *spec, uint32_t *uid, uint32_t *gid, struct error *err);

#endif
