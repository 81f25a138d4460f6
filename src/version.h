/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KIST_VERSION_H
#define KIST_VERSION_H

#include <stdio.h>

/*
 * What `kist --version` prints: "kist version X", then "commit: " and "spec: ", which Docker and
 * others read, and what the build has.
 */
void version_print(FILE *out);

#endif
