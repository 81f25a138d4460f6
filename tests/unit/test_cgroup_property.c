/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd is told: settings, device rules and annotations as properties of the unit. */
#include "cgroup/cgroup_property.h"

#include "tap.h"

static struct error err;

static const struct cgroup_property *find(const struct cgroup_properties *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->list[i].name, name) == 0)
			return &p->list[i];
	}
	return NULL;
}

/* "TYPE: WORD WORD", or "(none)". */
static const char *text_of(struct arena *a, const struct cgroup_properties *p, const char *name)
{
	const struct cgroup_property *property = find(p, name);
	char *text;

	if (!property)
		return "(none)";
	text = arena_printf(a, "%s:", property->type);
	for (char **word = property->values; word && *word; word++)
		text = arena_printf(a, "%s %s", text, *word);
	return text;
}

static void write_is(struct arena *a, const char *file, const char *value, const char *name,
		     const char *want)
{
	struct cgroup_write w = { .file = file, .value = value };
	struct cgroup_properties p = { 0 };

	cgroup_property_add_writes(&p, a, &w, 1);
	is_str(text_of(a, &p, name), want, "%s \"%s\"", file, value);
}

static void test_settings(struct arena *a)
{
	write_is(a, "memory.max", "67108864", "MemoryMax", "t: 67108864");
	write_is(a, "memory.max", "max", "MemoryMax", "t: 18446744073709551615");
	write_is(a, "memory.swap.max", "0", "MemorySwapMax", "t: 0");
	write_is(a, "memory.low", "5", "MemoryLow", "t: 5");
	write_is(a, "memory.high", "5", "MemoryHigh", "t: 5");
	write_is(a, "memory.min", "5", "MemoryMin", "t: 5");
	write_is(a, "pids.max", "7", "TasksMax", "t: 7");
	write_is(a, "cpu.weight", "59", "CPUWeight", "t: 59");
	write_is(a, "cpu.idle", "1", "CPUWeight", "t: 0");
	write_is(a, "cpu.idle", "0", "CPUWeight", "(none)");
	write_is(a, "cpu.max", "50000 200000", "CPUQuotaPerSecUSec", "t: 250000");
	write_is(a, "cpu.max", "50000 200000", "CPUQuotaPeriodUSec", "t: 200000");
	write_is(a, "cpu.max", "50000", "CPUQuotaPerSecUSec", "t: 500000");
	write_is(a, "cpu.max", "1234 100000", "CPUQuotaPerSecUSec", "t: 20000");
	write_is(a, "cpu.max", "max 100000", "CPUQuotaPerSecUSec", "t: 18446744073709551615");
	write_is(a, "cpuset.cpus", "0-2,9", "AllowedCPUs", "ay: 7 2");
	write_is(a, "cpuset.mems", "0", "AllowedMemoryNodes", "ay: 1");
	write_is(a, "cpuset.cpus", "0-7:2/4", "AllowedCPUs", "(none)");
	write_is(a, "io.weight", "default 200", "IOWeight", "t: 200");
	write_is(a, "io.weight", "8:0 300", "IODeviceWeight", "a(st): /dev/block/8:0 300");
	write_is(a, "io.max", "8:0 rbps=5 wiops=max", "IOReadBandwidthMax",
		 "a(st): /dev/block/8:0 5");
	write_is(a, "io.max", "8:0 rbps=5 wiops=max", "IOWriteIOPSMax",
		 "a(st): /dev/block/8:0 18446744073709551615");
	write_is(a, "cpu.shares", "512", "CPUShares", "t: 512");
	write_is(a, "memory.limit_in_bytes", "-1", "MemoryLimit", "t: 18446744073709551615");
	write_is(a, "blkio.weight", "500", "BlockIOWeight", "t: 500");
	write_is(a, "hugetlb.2MB.max", "5", "MemoryMax", "(none)");
}

static void test_pairs(struct arena *a)
{
	const struct cgroup_write v1[] = {
		{ .file = "cpu.cfs_period_us", .value = "200000" },
		{ .file = "cpu.cfs_quota_us", .value = "50000" },
	};
	const struct cgroup_write devices[] = {
		{ .file = "io.max", .value = "8:0 rbps=5" },
		{ .file = "io.max", .value = "8:16 rbps=6" },
	};
	const struct cgroup_write bfq = {
		.file = "io.bfq.weight",
		.value = "100",
		.alt_file = "io.weight",
		.alt_value = "default 910",
	};
	const struct cgroup_write period = {
		.file = "cpu.max", .value = "5000", .flags = CGROUP_WRITE_KEEP_QUOTA,
	};
	struct cgroup_properties p = { 0 };

	cgroup_property_add_writes(&p, a, v1, 2);
	is_str(text_of(a, &p, "CPUQuotaPerSecUSec"), "t: 250000", "v1's two files together");
	cgroup_property_add_writes(&p, a, devices, 2);
	is_str(text_of(a, &p, "IOReadBandwidthMax"), "a(st): /dev/block/8:0 5 /dev/block/8:16 6",
	       "two devices");
	cgroup_property_add_writes(&p, a, &bfq, 1);
	is_str(text_of(a, &p, "IOWeight"), "t: 910", "the weight of io.weight, not BFQ's");
	cgroup_property_add_writes(&p, a, &period, 1);
	is_str(text_of(a, &p, "CPUQuotaPeriodUSec"), "t: 5000", "a period alone");
	is_str(text_of(a, &p, "CPUQuotaPerSecUSec"), "t: 250000", "leaves the quota");
	ok(find(&p, "IOWeight")->optional, "an old systemd may do without a setting");
}

/* Every property of the table of settings is one that the files lead to. */
static void test_table(struct arena *a)
{
	static const struct { const char *member, *file, *value; } rows[] = {
		{ "cpu.idle", "cpu.idle", "1" }, { "cpu.shares", "cpu.weight", "1" },
		{ "cpu.period", "cpu.max", "max 1000" }, { "cpu.quota", "cpu.max", "1000 1000" },
		{ "cpu.cpus", "cpuset.cpus", "0" }, { "cpu.mems", "cpuset.mems", "0" },
		{ "memory.limit", "memory.max", "1" }, { "memory.swap", "memory.swap.max", "1" },
		{ "memory.reservation", "memory.low", "1" }, { "pids.limit", "pids.max", "1" },
		{ "blockIO.weight", "io.weight", "default 1" },
		{ "blockIO.weightDevice", "io.weight", "8:0 1" },
		{ "blockIO.throttleReadBpsDevice", "io.max", "8:0 rbps=1" },
		{ "blockIO.throttleWriteBpsDevice", "io.max", "8:0 wbps=1" },
		{ "blockIO.throttleReadIOPSDevice", "io.max", "8:0 riops=1" },
		{ "blockIO.throttleWriteIOPSDevice", "io.max", "8:0 wiops=1" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct cgroup_write w = { .file = rows[i].file, .value = rows[i].value };
		const char *want = cgroup_knob_property(rows[i].member);
		struct cgroup_properties p = { 0 };

		cgroup_property_add_writes(&p, a, &w, 1);
		ok(want && find(&p, want), "%s is %s", rows[i].member, want ? want : "(none)");
	}
}

static void test_devices(struct arena *a)
{
	struct cgroup_device_rule rules[] = {
		{ false, 'a', CGROUP_DEVICE_ANY, CGROUP_DEVICE_ANY, 7, NULL },
		{ true, 'c', 1, 3, BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE, NULL },
		{ true, 'b', 8, CGROUP_DEVICE_ANY, BPF_DEVCG_ACC_READ, NULL },
		{ true, 'c', CGROUP_DEVICE_ANY, CGROUP_DEVICE_ANY, BPF_DEVCG_ACC_MKNOD, NULL },
		{ false, 'c', 5, 1, 7, NULL },
	};
	struct cgroup_device_plan plan = { .rules = rules, .n_rules = 5 };
	struct cgroup_properties p = { 0 };

	cgroup_property_add_devices(&p, a, &plan);
	is_str(text_of(a, &p, "DevicePolicy"), "s: strict", "nothing but what is allowed");
	is_str(text_of(a, &p, "DeviceAllow"), "a(ss): /dev/char/1:3 rw block-8 r char-* m",
	       "what is allowed");
	rules[0].allow = true;
	p = (struct cgroup_properties){ 0 };
	cgroup_property_add_devices(&p, a, &plan);
	is_str(text_of(a, &p, "DevicePolicy"), "s: auto", "everything allowed: systemd has no say");
}

static int annotate(struct arena *a, const char *name, const char *value,
		    struct cgroup_properties *p)
{
	struct oci_pair pair = { arena_printf(a, "org.systemd.property.%s", name),
				 arena_strdup(a, value) };
	struct oci_config c = { .annotations = &pair, .n_annotations = 1 };

	return cgroup_property_add_annotations(p, &c, a, &err);
}

static void annotation_is(struct arena *a, const char *name, const char *value,
			  const char *property, const char *want)
{
	struct cgroup_properties p = { 0 };

	if (annotate(a, name, value, &p) < 0)
		ok(false, "%s=%s: %s", name, value, err.text);
	else
		is_str(text_of(a, &p, property), want, "%s=%s", name, value);
}

static void annotation_refused(struct arena *a, const char *name, const char *value,
			       const char *want)
{
	struct cgroup_properties p = { 0 };

	ok(annotate(a, name, value, &p) < 0 && strstr(err.text, want), "%s=%s is refused: %s", name,
	   value, err.text);
}

static void test_annotations(struct arena *a)
{
	struct oci_pair other = { (char *)"org.other", (char *)"x" };
	struct oci_config c = { .annotations = &other, .n_annotations = 1 };
	struct cgroup_properties p = { 0 };

	annotation_is(a, "KillSignal", "15", "KillSignal", "i: 15");
	annotation_is(a, "TimeoutStopUSec", "uint64 10000000", "TimeoutStopUSec", "t: 10000000");
	annotation_is(a, "TimeoutStopSec", "7", "TimeoutStopUSec", "t: 7000000");
	annotation_is(a, "TimeoutStopSec", "1.5", "TimeoutStopUSec", "t: 1500000");
	annotation_is(a, "TimeoutStopSec", "'infinity'", "TimeoutStopUSec",
		      "t: 18446744073709551615");
	annotation_is(a, "After", "['a.service']", "After", "as: a.service");
	annotation_is(a, "CollectMode", "'inactive'", "CollectMode", "s: inactive");
	annotation_is(a, "SendSIGHUP", "true", "SendSIGHUP", "b: 1");
	ok(cgroup_property_add_annotations(&p, &c, a, &err) == 0 && p.n == 0,
	   "others are not looked at");
	annotation_refused(a, "ExecStartPre", "[]", "may not set");
	annotation_refused(a, "ExecStopPost", "''", "may not set");
	annotation_refused(a, "FailureAction", "'reboot'", "may not set");
	annotation_refused(a, "Wants", "['x.service']", "may not set");
	annotation_refused(a, "Conflicts", "['x.service']", "may not set");
	annotation_refused(a, "OnFailure", "['x.service']", "may not set");
	annotation_refused(a, "Slice", "'x.slice'", "may not set");
	annotation_refused(a, "Delegate", "false", "may not set");
	annotation_refused(a, "DeviceAllow", "@a(ss) []", "may not set");
	annotation_refused(a, "PIDs", "[uint32 1]", "may not set");
	annotation_refused(a, "User", "'root'", "may not set");
	annotation_refused(a, "killSignal", "15", "may not set");
	annotation_refused(a, "", "15", "may not set");
	annotation_refused(a, "KillSignal", "'TERM'", "type i");
	annotation_refused(a, "TimeoutStopSec", "-1", "seconds");
	annotation_refused(a, "TimeoutStopSec", "1e300", "seconds");
	annotation_refused(a, "TimeoutStopSec", "soon", "seconds");
}

int main(void)
{
	struct arena a = ARENA_INIT;

	test_settings(&a);
	test_pairs(&a);
	test_table(&a);
	test_devices(&a);
	test_annotations(&a);
	arena_free(&a);
	return done();
}
