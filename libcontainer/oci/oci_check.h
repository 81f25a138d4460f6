/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_check.h - what the rules in oci_check.c and oci_check_linux.c share.
 *
 * A rule goes on after a finding: with a collector all of them are told, without one the first is
 * kept. A rule must bear absent members: a config that was read with errors is checked too.
 */
#ifndef KIST_OCI_CHECK_H
#define KIST_OCI_CHECK_H

#include "oci/oci_schema.h"

struct check {
	struct json_doc *doc;	/* or NULL */
	struct error *err;
	int result;		/* 0, or what json_fault() returned first */
};

void oci_fault(struct check *ck, enum json_class class_, const void *member, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void oci_warn(struct check *ck, const void *member, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Each entry NAME=VALUE, with a name. */
void oci_check_env(struct check *ck, char *const *env);
/* The path is there and absolute; member: where it was read. */
void oci_check_absolute(struct check *ck, char *const *member);
/* "0-3,7" or empty; strides: it is the kernel that reads it, who also takes "0-31:2/4". */
void oci_check_cpu_list(struct check *ck, char *const *member, bool strides);
/* Sizes, ranges, overlaps of one id map (user_namespaces(7)). */
void oci_check_mappings(struct check *ck, const struct oci_id_mapping *map, size_t n);

void oci_check_linux(struct check *ck, const struct oci_config *c);
void oci_check_resources(struct check *ck, const struct oci_resources *r);
void oci_check_seccomp(struct check *ck, const struct oci_seccomp *s);

#endif
