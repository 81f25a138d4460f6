/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_copyup.h - the option tmpcopyup: a tmpfs starts with what the directory below it held.
 */
#ifndef KIST_MOUNT_COPYUP_H
#define KIST_MOUNT_COPYUP_H

#include "base/error.h"

/*
 * Copies everything in directory `from` (an O_PATH descriptor of the covered directory is enough)
 * into directory `to`: directories, files, symlinks, fifos and device nodes with owner, mode and
 * times; sockets are left out. Symlinks are copied as such, never followed (CVE-2022-23648). err
 * names the entry; the caller names the mount.  0 or negative.
 */
int mount_copyup_run(int from, int to, struct error *err);

#endif
