/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path.h - the only way to walk a path below a root file system.
 *
 * All functions resolve with openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS): an
 * absolute symlink of the image or a ".." cannot leave `root`, and a rename race
 * (CVE-2021-30465, CVE-2024-45310) ends in an error, never outside.  What they return is
 * an O_PATH descriptor; the caller acts on that, not on the path again.
 * Temporary EAGAIN (a rename elsewhere on the system) is retried a bounded number of times.
 * No allocation, usable between clone and exec.  All return >= 0 (a descriptor) or -errno.
 */
#ifndef KIST_BASE_PATH_H
#define KIST_BASE_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* openat2() below root.  O_CLOEXEC is added.  resolve: RESOLVE_* in addition to the two above. */
int path_open(int root, const char *path, int flags, mode_t mode, uint64_t resolve);

/* O_PATH of what is there, symlinks followed inside root. */
int path_lookup(int root, const char *path);

/* O_PATH of what is there; a symlink as the last component is returned as itself. */
int path_lookup_nofollow(int root, const char *path);

/*
 * Opens path as a directory, creating what is missing (mode, minus umask) one component
 * at a time by mkdirat() in an already resolved parent.  Dangling symlinks are followed
 * inside root.  -ENOTDIR if something else is in the way.
 */
int path_mkdirs(int root, const char *path, mode_t mode);

/*
 * As path_mkdirs() for the parent (mode 0755); then the file is created if it is missing
 * (O_CREAT|O_EXCL|O_NOFOLLOW).  A dangling symlink's target is what is created, inside root.
 * What is there may be any kind of file but a directory: -EISDIR.
 */
int path_mkfile(int root, const char *path, mode_t mode);

/*
 * The same without a walk, where only the file is missing: the kernel finds the directory inside
 * root, and O_EXCL makes the file in it whatever a racing container puts there.  The descriptor is
 * the file's own, for reading.  -EEXIST, -ENOENT (no such directory), or another -errno.
 */
int path_newfile(int root, const char *path, mode_t mode);

/*
 * Opens (creating: create_mode != 0) the parent directory of path, and leaves the last
 * component's name in name[NAME_MAX+1].  -EINVAL for "", "/", and names "." and "..".
 */
int path_parent(int root, const char *path, mode_t create_mode, char name[256]);

/* Re-opens an O_PATH descriptor for I/O through /proc/self/fd.  proc: from proc_open(). */
int path_reopen(int proc, int fd, int flags);

/*
 * Cleans a path by its text alone: doubled slashes and "." go, ".." takes its parent (never above
 * "/").  out has size bytes.  Returns the length or -ENAMETOOLONG.
 */
int path_clean(const char *path, char *out, size_t size);

/* Whether any component of path is "..". */
bool path_has_dotdot(const char *path);

/* Whether cleaned absolute path `path` is `base` or below it. */
bool path_is_below(const char *path, const char *base);

#endif
