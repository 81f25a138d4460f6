/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_resources.c - resources from anybody, as `update --resources` reads them: reader, rules, and
 * what becomes of them on v1, hybrid and v2: file writes, device lines and program, properties of
 * a unit.
 *
 * With libFuzzer (clang -fsanitize=fuzzer,address), or with standalone.c as a program that reads
 * the files named on its command line.  No write may go elsewhere than into a file of the
 * container's cgroup.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup/cgroup.h"
#include "oci/oci.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char v2[] = "", cpu[] = "cpu,cpuacct", cpuset[] = "cpuset", memory[] = "memory",
	    pids[] = "pids", blkio[] = "blkio", hugetlb[] = "hugetlb", rdma[] = "rdma",
	    net[] = "net_cls,net_prio", devices[] = "devices", mount[] = "/m", path[] = "/p";

static struct cgroup_dir v1_dirs[] = {
	{ cpu, mount, path, 0 },   { cpuset, mount, path, 0 },	{ memory, mount, path, 0 },
	{ pids, mount, path, 0 },  { blkio, mount, path, 0 },	{ hugetlb, mount, path, 0 },
	{ rdma, mount, path, 0 },  { net, mount, path, 0 },	{ devices, mount, path, 0 },
};
static struct cgroup_dir hybrid_dirs[] = {
	{ v2, mount, path, 0 }, { memory, mount, path, 0 }, { devices, mount, path, 0 },
};
static struct cgroup_dir v2_dirs[] = { { v2, mount, path, 0 } };

static const struct cgroup_ref refs[] = {
	{ .dirs = v1_dirs, .n_dirs = 9 },
	{ .dirs = hybrid_dirs, .n_dirs = 3, .available = "cpu io hugetlb misc" },
	{ .dirs = v2_dirs, .n_dirs = 1, .available = "cpuset cpu io memory hugetlb pids rdma" },
	{ .dirs = v2_dirs, .n_dirs = 1, .available = "" },
	{ .n_dirs = 0 },
};

static void check_writes(const struct cgroup_ref *ref, const struct cgroup_write *w, size_t n)
{
	for (; n > 0; n--, w++)
		if (w->dir >= ref->n_dirs || !w->value || !*w->file || strchr(w->file, '/') ||
		    strcmp(w->file, ".") == 0 || strcmp(w->file, "..") == 0)
			abort();
}

static void compile(const struct oci_config *c, const struct cgroup_ref *ref, struct arena *a)
{
	struct cgroup_device_plan plan = { .dir = 0 };
	struct cgroup_properties properties = { 0 };
	struct cgroup_write *writes;
	struct error err;
	size_t n;

	if (cgroup_knob_compile(c, ref, a, &writes, &n, &err) == 0) {
		check_writes(ref, writes, n);
		cgroup_property_add_writes(&properties, a, writes, n);
	}
	if (cgroup_device_rules(c, a, &plan, &err) < 0)
		return;
	cgroup_property_add_devices(&properties, a, &plan);
	if (cgroup_knob_dir(ref, "devices") >= 0)
		(void)cgroup_device_lines(c, a, &plan, &err);
	else
		cgroup_device_program(a, &plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct error err;
	struct oci_linux part = { 0 };
	/* A copy of exactly this size, so that a byte read too far is seen. */
	char *text = malloc(size ? size : 1);
	struct json_doc doc = { .name = "f", .text = text, .len = size, .arena = &a };
	const struct oci_config c = { .linux = &part, .doc = &doc };

	if (!text)
		return 0;
	memcpy(text, data, size);
	if (oci_resources_parse(&doc, &part.resources, &err) == 0 &&
	    oci_resources_check(part.resources, &doc, &err) == 0)
		for (size_t i = 0; i < sizeof(refs) / sizeof(refs[0]); i++)
			compile(&c, &refs[i], &a);
	arena_free(&a);
	free(text);
	return 0;
}
