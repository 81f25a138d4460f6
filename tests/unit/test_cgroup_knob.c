/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: conversions, and which file each member goes to on v1, v2 and hybrid machines. */
#include "cgroup/cgroup.h"

#include <errno.h>

#include "tap.h"

static struct cgroup_dir v2_dirs[] = { { "", "/sys/fs/cgroup", "/x", 0 } };
static struct cgroup_dir v1_dirs[] = {
	{ "cpu,cpuacct", "/c", "/x", 0 }, { "memory", "/m", "/x", 0 }, { "pids", "/p", "/x", 0 },
	{ "blkio", "/b", "/x", 0 }, { "net_cls", "/n", "/x", 0 },
};
static struct cgroup_dir hybrid_dirs[] = { { "", "/u", "/x", 0 }, { "memory", "/m", "/x", 0 } };
static const struct cgroup_ref v2 = { .dirs = v2_dirs, .n_dirs = 1 };
static const struct cgroup_ref v1 = { .dirs = v1_dirs, .n_dirs = 5 };
static const struct cgroup_ref hybrid = { .dirs = hybrid_dirs, .n_dirs = 2 };

static struct error err;

/* Compiles resources given as JSON and writes the result as "file=value;...", or "error". */
static const char *compile(struct arena *a, const struct cgroup_ref *ref, const char *json)
{
	struct json_doc doc = { .name = "r.json", .text = json, .len = strlen(json), .arena = a };
	struct oci_linux linux_ = { 0 };
	struct oci_config config = { .linux = &linux_, .doc = &doc };
	struct cgroup_write *w;
	char *text = (char *)"";
	size_t n;

	if (oci_resources_parse(&doc, &linux_.resources, &err) < 0)
		bail_out(err.text);
	if (cgroup_knob_compile(&config, ref, a, &w, &n, &err) < 0)
		return "error";
	for (size_t i = 0; i < n; i++)
		text = arena_printf(a, "%s%s=%s;", text, w[i].file, w[i].value);
	return text;
}

static void test_conversions(void)
{
	static const struct { uint64_t shares, weight; } pairs[] = {
		{ 0, 0 }, { 1, 1 }, { 2, 1 }, { 512, 59 }, { 1024, 100 }, { 2048, 174 },
		{ 262143, 10000 }, { 262144, 10000 }, { 1000000, 10000 },
	};
	const char *why;
	int64_t swap;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		is_int((long long)cgroup_weight_from_shares(pairs[i].shares),
		       (long long)pairs[i].weight, "shares %llu",
		       (unsigned long long)pairs[i].shares);
	is_int((long long)cgroup_io_weight(10), 1, "io weight 10");
	is_int((long long)cgroup_io_weight(500), 4950, "io weight 500");
	is_int((long long)cgroup_io_weight(1000), 10000, "io weight 1000");
	ok(cgroup_swap_v2(300, 100, &swap, &why) == 0 && swap == 200, "swap beyond memory");
	ok(cgroup_swap_v2(-1, 100, &swap, &why) == 0 && swap == -1, "unlimited swap");
	ok(cgroup_swap_v2(100, 300, &swap, &why) == -EINVAL, "swap below memory: %s", why);
	ok(cgroup_swap_v2(100, 0, &swap, &why) == -EINVAL, "swap without memory: %s", why);
	is_str(cgroup_knob_property("memory.limit"), "MemoryMax", "systemd property");
	ok(cgroup_knob_property("hugepageLimits") == NULL, "no systemd property");
}

static void test_nothing(struct arena *a)
{
	is_str(compile(a, &v2, "{}"), "", "nothing asked");
	is_str(compile(a, &v2, "{\"blockIO\":{\"weight\":0},\"cpu\":{\"shares\":0},\"pids\":{},"
			       "\"memory\":{\"disableOOMKiller\":false}}"), "",
	       "empty sections ask for nothing");
}

static void test_memory(struct arena *a)
{
	is_str(compile(a, &v2, "{\"memory\":{\"limit\":100,\"swap\":300,\"reservation\":50}}"),
	       "memory.max=100;memory.swap.max=200;memory.low=50;", "v2 memory");
	is_str(compile(a, &v1, "{\"memory\":{\"limit\":100,\"swap\":300,\"swappiness\":7}}"),
	       "memory.limit_in_bytes=100;memory.memsw.limit_in_bytes=300;memory.swappiness=7;",
	       "v1 memory");
	is_str(compile(a, &v2, "{\"memory\":{\"limit\":-1}}"),
	       "memory.max=max;memory.swap.max=max;",
	       "unlimited memory takes the limit off swap");
	is_str(compile(a, &v2, "{\"memory\":{\"swappiness\":7}}"), "error", "no swappiness on v2");
	ok(strstr(err.text, "memory.swappiness") != NULL, "the error names it: %s", err.text);
	is_str(compile(a, &v2, "{\"memory\":{\"swappiness\":18446744073709551615}}"), "",
	       "swappiness -1 is unset");
	is_str(compile(a, &hybrid, "{\"memory\":{\"limit\":1},\"pids\":{\"limit\":2}}"),
	       "memory.limit_in_bytes=1;pids.max=2;", "hybrid: v2 serves what no v1 hierarchy has");
}

static void test_cpu_pids(struct arena *a)
{
	is_str(compile(a, &v2, "{\"cpu\":{\"shares\":1024,\"quota\":5000,\"period\":10000}}"),
	       "cpu.weight=100;cpu.max=5000 10000;", "v2 cpu");
	is_str(compile(a, &v2, "{\"cpu\":{\"quota\":-1}}"), "cpu.max=max;", "v2 no quota");
	is_str(compile(a, &v1, "{\"cpu\":{\"quota\":5000,\"period\":10000,\"burst\":10}}"),
	       "cpu.cfs_period_us=10000;cpu.cfs_quota_us=5000;cpu.cfs_burst_us=10;", "v1 cpu");
	is_str(compile(a, &v2, "{\"cpu\":{\"quota\":5,\"burst\":6}}"), "error", "large burst");
	is_str(compile(a, &v2, "{\"cpu\":{\"idle\":1,\"shares\":1024}}"), "cpu.idle=1;",
	       "an idle cgroup has no weight");
	is_str(compile(a, &v2, "{\"cpu\":{\"realtimeRuntime\":5}}"), "error", "no realtime on v2");
	is_str(compile(a, &v1, "{\"cpu\":{\"cpus\":\"0\"}}"), "error", "a controller nobody has");
	is_str(compile(a, &v2, "{\"pids\":{\"limit\":0}}"), "pids.max=1;", "pids 0 is 1");
	is_str(compile(a, &v1, "{\"pids\":{\"limit\":-1}}"), "pids.max=max;", "pids -1 is max");
}

static void test_others(struct arena *a)
{
	is_str(compile(a, &v2, "{\"blockIO\":{\"weight\":500,\"throttleReadBpsDevice\":"
			       "[{\"major\":8,\"minor\":0,\"rate\":9}],\"throttleWriteIOPSDevice\":"
			       "[{\"major\":8,\"minor\":1,\"rate\":0}]}}"),
	       "io.bfq.weight=500;io.max=8:0 rbps=9;io.max=8:1 wiops=max;", "v2 io");
	is_str(compile(a, &v1, "{\"blockIO\":{\"throttleReadBpsDevice\":"
			       "[{\"major\":8,\"minor\":0,\"rate\":9}]}}"),
	       "blkio.throttle.read_bps_device=8:0 9;", "v1 blkio");
	is_str(compile(a, &v2, "{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":4}]}"),
	       "hugetlb.2MB.max=4;hugetlb.2MB.rsvd.max=4;", "huge pages");
	is_str(compile(a, &v2, "{\"hugepageLimits\":[{\"pageSize\":\"../2MB\",\"limit\":4}]}"),
	       "error", "a page size is no path");
	is_str(compile(a, &v1, "{\"network\":{\"classID\":5}}"), "net_cls.classid=5;", "class id");
	is_str(compile(a, &v2, "{\"network\":{\"classID\":5}}"), "error", "no class id on v2");
	is_str(compile(a, &v2, "{\"rdma\":{\"m\":{\"hcaHandles\":3,\"hcaObjects\":4}}}"),
	       "rdma.max=m hca_handle=3 hca_object=4;", "rdma");
}

static void test_unified(struct arena *a)
{
	is_str(compile(a, &v2, "{\"pids\":{\"limit\":9},\"unified\":{"
			       "\"io.max\":\"8:0 a=1\\n8:1 b=2\",\"pids.max\":\"7\"}}"),
	       "pids.max=9;io.max=8:0 a=1;io.max=8:1 b=2;pids.max=7;", "unified is last, by line");
	is_str(compile(a, &v2, "{\"unified\":{\"../x.y\":\"1\"}}"), "error", "no slashes");
	ok(strstr(err.text, "must be a file name (no slashes)") != NULL, "says so: %s", err.text);
	is_str(compile(a, &v1, "{\"unified\":{\"memory.min\":\"1\"}}"), "error", "unified on v1");
	ok(strstr(err.text, "invalid configuration") != NULL, "says so: %s", err.text);
	is_str(compile(a, &hybrid, "{\"unified\":{\"memory.min\":\"1\"}}"), "error",
	       "hybrid: a controller that v1 holds");
	is_str(compile(a, &hybrid, "{\"unified\":{\"hugetlb.2MB.max\":\"1\"}}"),
	       "hugetlb.2MB.max=1;", "hybrid: one that v2 has");
}

int main(void)
{
	struct arena a = ARENA_INIT;

	test_conversions();
	test_nothing(&a);
	test_memory(&a);
	test_cpu_pids(&a);
	test_others(&a);
	test_unified(&a);
	arena_free(&a);
	return done();
}
