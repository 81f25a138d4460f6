/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process_reason.h - why execve(2) refused a file, read from the file itself.
 */
#ifndef KIST_PROCESS_REASON_H
#define KIST_PROCESS_REASON_H

#include "base/error.h"

/*
 * Appends to err (errnum: what execve said) what can be found out: the missing interpreter of a
 * script, a carriage return in its first line, the missing loader of an ELF program, another
 * machine's program, no "#!" line, a noexec mount, a missing x bit.  Appends nothing when nothing
 * is known.  arch: uname -m.  The file is the container's: it is opened without blocking, only if
 * regular, and a bounded part of it is read.  No allocation: for the child, after a failed exec.
 */
void process_reason(const char *path, const char *arch, struct error *err);

#endif
