/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analyze.h - what an analyzer that looks at one file cannot know of another: these never return 0.
 * Without it each error is one more way through a caller, with nothing filled in.
 */
#ifndef KIST_TESTS_LINT_ANALYZE_H
#define KIST_TESTS_LINT_ANALYZE_H

#include "base/error.h"
#include "json/json.h"
#include "oci/oci.h"

#define error_set(err, num, ...) ((void)(error_set)(err, num, __VA_ARGS__), -22)
#define oci_error(c, member, err, ...) ((void)(oci_error)(c, member, err, __VA_ARGS__), -22)

#endif
