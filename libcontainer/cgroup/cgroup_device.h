/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_device.h - which device nodes the container may use: rules to v1 lists or to a BPF
 * program.
 *
 * Meaning: everything is denied, then the config's rules hold in their order, then the default
 * rules.  For each of read, write and mknod the last rule that fits the node decides; an access
 * needs all its bits.
 */
#ifndef KIST_CGROUP_DEVICE_H
#define KIST_CGROUP_DEVICE_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "oci/oci.h"

#define CGROUP_DEVICE_ANY (-1)
#define CGROUP_DEVICE_TEXT 40

/* A rule in the kernel's terms. */
struct cgroup_device_rule {
	bool allow;
	char type;			/* 'b' or 'c'; 'a' only for everything */
	int64_t major;			/* 0..2^32-1 or CGROUP_DEVICE_ANY */
	int64_t minor;
	uint32_t access;		/* BPF_DEVCG_ACC_MKNOD | _READ | _WRITE */
	const void *at;			/* the config's entry, for oci_error(); NULL: a default */
};

/* One write to devices.allow or devices.deny. */
struct cgroup_device_line {
	bool allow;
	char text[CGROUP_DEVICE_TEXT];
};

struct cgroup_device_plan {
	int dir;			/* index into the plan's ref.dirs, or -1: none */
	struct cgroup_device_rule *rules;
	size_t n_rules;
	size_t defaults;		/* where the default rules begin */
	size_t n_defaults;
	struct cgroup_device_line *lines;	/* v1 */
	size_t n_lines;
	struct bpf_insn *program;		/* v2 */
	size_t n_insns;
};

/*
 * The config's rules (c->linux->resources->devices) and the defaults.  Rule 0 is one for
 * everything: deny-all, or the config's last such rule, before which nothing counts.
 */
int cgroup_device_rules(const struct oci_config *c, struct arena *a, struct cgroup_device_plan *out,
			struct error *err);

/* Further rules behind the defaults, over which they win: those of `update --device`. */
int cgroup_device_add(const struct oci_resources *r, struct arena *a,
		      struct cgroup_device_plan *out, struct error *err);

/* A rule's type, numbers and access as v1 writes them: "c 1:3 rwm", "b *:* m", "a". */
void cgroup_device_text(const struct cgroup_device_rule *r, char text[CGROUP_DEVICE_TEXT]);

/*
 * Lines for v1.  Its lists cannot express a part cut out of a wider earlier rule; that is an
 * error, since the kernel would silently allow it.
 */
int cgroup_device_lines(const struct oci_config *c, struct arena *a, struct cgroup_device_plan *p,
			struct error *err);

/* A BPF_PROG_TYPE_CGROUP_DEVICE program over the rules, last rule first. */
void cgroup_device_program(struct arena *a, struct cgroup_device_plan *p);

int cgroup_device_write_lines(const struct cgroup_device_plan *p, int dir, struct error *err);

/*
 * Loads the program and attaches it to the v2 directory.  existing: the directory is not new, so
 * programs may be attached already; ours is attached first, then those go, so that there is no
 * moment without control. -EPERM and -EACCES reach the caller, who decides whether they matter
 * (user namespaces).
 */
int cgroup_device_attach(const struct cgroup_device_plan *p, int dir, bool existing,
			 struct error *err);

#endif
