/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics out of invented directories, as JSON: v1 and v2 files, missing ones, and odd ones. */
#include "cgroup/cgroup_stats.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/file.h"
#include "tap.h"

struct entry {
	const char *name;
	const char *text;
};

static char top[] = "/tmp/kist-test-stats-XXXXXX";

/* A directory with these files. */
static int make_dir(const char *name, const struct entry *entries)
{
	char path[128];
	int dir;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	if (mkdir(path, 0700) < 0)
		bail_out("mkdir");
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (; dir >= 0 && entries->name; entries++)
		if (file_create(dir, entries->name, 0600, entries->text, strlen(entries->text)) < 0)
			bail_out(entries->name);
	return dir;
}

static const char *as_json(struct arena *a, const struct cgroup_stats *s)
{
	struct json_out o;

	json_out_begin(&o, a, 0);
	json_out_object(&o, cgroup_stats_fields, s);
	return json_out_text(&o);
}

static void has(struct arena *a, const struct cgroup_stats *s, const char *part)
{
	const char *json = as_json(a, s);

	if (!ok(strstr(json, part), "%s", part))
		printf("# in: %s\n", json);
}

#define PSI "some avg10=1.50 avg60=0.25 avg300=0.00 total=17\n"
#define PSI_FULL PSI "full avg10=0.50 avg60=0.00 avg300=0.00 total=3\n"

static void test_v2(struct arena *a)
{
	static const struct entry files[] = {
		{ "cpu.stat", "usage_usec 3000\nuser_usec 2000\nsystem_usec 1000\nnr_periods 9\n"
			      "nr_throttled 4\nthrottled_usec 50\n" },
		{ "cpu.pressure", PSI_FULL },
		{ "cpuset.cpus.effective", "0-2,7\n" },
		{ "memory.stat", "anon 10\nfile 4096\n" },
		{ "memory.max", "1000\n" }, { "memory.current", "500\n" },
		{ "memory.peak", "900\n" },
		{ "memory.swap.max", "200\n" }, { "memory.swap.current", "50\n" },
		{ "memory.events", "low 0\nhigh 0\nmax 6\noom 2\noom_kill 1\noom_group_kill 0\n" },
		{ "memory.pressure", PSI },
		{ "pids.current", "3\n" }, { "pids.max", "max\n" },
		{ "io.stat", "8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n"
			     "7:1 \n254:16 rbytes=5 wbytes=0 rios=1 wios=0\n" },
		{ "hugetlb.2MB.current", "4096\n" }, { "hugetlb.2MB.rsvd.current", "8192\n" },
		{ "hugetlb.2MB.events", "max 5\n" },
		{ NULL, NULL },
	};
	owned_fd dir = make_dir("v2", files);
	struct cgroup_stats s = { 0 };

	cgroup_stats_v2(dir, a, &s);
	has(a, &s, "{\"cpu\":{\"usage\":{\"total\":3000000,\"kernel\":1000000,\"user\":2000000},"
		   "\"throttling\":{\"periods\":9,\"throttledPeriods\":4,\"throttledTime\":50000},"
		   "\"psi\":{\"some\":{\"avg10\":1.5,\"avg60\":0.25,\"avg300\":0,\"total\":17},"
		   "\"full\":{\"avg10\":0.5,\"avg60\":0,\"avg300\":0,\"total\":3}}}");
	has(a, &s, "\"cpuset\":{\"cpus\":[0,1,2,7],");
	has(a, &s, "\"memory\":{\"cache\":4096,"
		   "\"usage\":{\"limit\":1000,\"usage\":500,\"max\":900,\"failcnt\":6},"
		   "\"swap\":{\"limit\":1200,\"usage\":550,\"failcnt\":0}");
	has(a, &s, "\"raw\":{\"anon\":10,\"file\":4096}");
	has(a, &s, "\"full\":{\"avg10\":0,\"avg60\":0,\"avg300\":0,\"total\":0}");
	has(a, &s, "\"pids\":{\"current\":3}");
	has(a, &s, "\"blkio\":{\"ioServiceBytesRecursive\":["
		   "{\"major\":8,\"op\":\"Read\",\"value\":10},"
		   "{\"major\":8,\"op\":\"Write\",\"value\":20},"
		   "{\"major\":254,\"minor\":16,\"op\":\"Read\",\"value\":5},"
		   "{\"major\":254,\"minor\":16,\"op\":\"Write\"}],\"ioServicedRecursive\":[");
	has(a, &s, "\"hugetlb\":{\"2MB\":{\"usage\":8192,\"failcnt\":5}}");
	has(a, &s, "\"network_interfaces\":[]}");
}

static void test_unlimited(struct arena *a)
{
	static const struct entry files[] = {
		{ "memory.max", "max\n" }, { "memory.current", "500\n" },
		{ "memory.swap.max", "max\n" }, { "pids.max", "20\n" }, { NULL, NULL },
	};
	owned_fd dir = make_dir("unlimited", files);
	struct cgroup_stats s = { 0 };

	cgroup_stats_v2(dir, a, &s);
	has(a, &s, "\"usage\":{\"limit\":18446744073709551615,\"usage\":500,\"failcnt\":0},"
		   "\"swap\":{\"limit\":18446744073709551615,");
	has(a, &s, "\"pids\":{\"limit\":20}");
	ok(!strstr(as_json(a, &s), "psi"), "no PSI, no psi");
}

static void test_v1(struct arena *a)
{
	static const char *const controllers[] = {
		"cpu", "cpuacct", "cpuset", "memory", "pids", "blkio", "hugetlb", "unknown",
	};
	static const struct entry files[] = {
		{ "cpu.stat", "nr_periods 2\nnr_throttled 1\nthrottled_time 77\n" },
		{ "cpuacct.usage", "1234\n" }, { "cpuacct.stat", "user 100\nsystem 1\n" },
		{ "cpuacct.usage_percpu", "1000 234 \n" },
		{ "cpuacct.usage_all", "cpu user system\n0 900 100\n1 200 34\n" },
		{ "cpuset.cpus", "3\n" }, { "cpuset.mems", "0\n" },
		{ "cpuset.sched_load_balance", "1\n" },
		{ "cpuset.sched_relax_domain_level", "-1\n" },
		{ "memory.stat", "cache 11\nrss 12\n" }, { "memory.limit_in_bytes", "100\n" },
		{ "memory.usage_in_bytes", "50\n" }, { "memory.max_usage_in_bytes", "90\n" },
		{ "memory.failcnt", "3\n" }, { "memory.kmem.tcp.limit_in_bytes", "7\n" },
		{ "pids.current", "1\n" }, { "pids.max", "10\n" },
		{ "blkio.bfq.io_service_bytes_recursive", "Total 0\n" },
		{ "blkio.throttle.io_service_bytes",
		  "8:0 Read 4096\n8:0 Total 4096\nTotal 4096\n" },
		{ "blkio.time_recursive", "8:16 17\n" },
		{ "hugetlb.1GB.usage_in_bytes", "1\n" },
		{ "hugetlb.1GB.max_usage_in_bytes", "2\n" },
		{ "hugetlb.1GB.failcnt", "3\n" },
		{ NULL, NULL },
	};
	owned_fd dir = make_dir("v1", files);
	struct cgroup_stats s = { 0 };

	for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++)
		cgroup_stats_v1(dir, controllers[i], a, &s);
	has(a, &s, "\"usage\":{\"total\":1234,\"percpu\":[1000,234],\"percpu_kernel\":[100,34],"
		   "\"percpu_user\":[900,200],\"kernel\":10000000,\"user\":1000000000}");
	has(a, &s, "\"throttling\":{\"periods\":2,\"throttledPeriods\":1,\"throttledTime\":77}");
	has(a, &s, "\"cpus\":[3]");
	has(a, &s, "\"sched_load_balance\":1,\"sched_relax_domain_level\":-1");
	has(a, &s, "\"memory\":{\"cache\":11,"
		   "\"usage\":{\"limit\":100,\"usage\":50,\"max\":90,\"failcnt\":3}");
	has(a, &s, "\"kernelTCP\":{\"limit\":7,\"failcnt\":0}");
	has(a, &s, "\"pids\":{\"current\":1,\"limit\":10}");
	has(a, &s, "\"ioServiceBytesRecursive\":[{\"major\":8,\"op\":\"Read\",\"value\":4096},"
		   "{\"major\":8,\"op\":\"Total\",\"value\":4096}]");
	has(a, &s, "\"ioTimeRecursive\":[{\"major\":8,\"minor\":16,\"value\":17}]");
	has(a, &s, "\"hugetlb\":{\"1GB\":{\"usage\":1,\"max\":2,\"failcnt\":3}}");
}

static void test_interfaces(struct arena *a)
{
	struct cgroup_stats s = { 0 };

	cgroup_stats_interfaces(
		"Inter-|   Receive                            |  Transmit\n"
		" face |bytes    packets errs drop fifo frame compressed multicast|bytes\n"
		"    lo:     1       1    0    0    0     0          0         0 1 1 0 0 0 0 0 0\n"
		"  eth0: 10 11 12 13 14 15 16 17 20 21 22 23 24 25 26 27\n"
		"br-0:1 2 3 4 0 0 0 0 5 6 7 8 0 0 0 0\n"
		"broken: 1 2\n", a, &s);
	has(a, &s, "\"network_interfaces\":[{\"Name\":\"eth0\",\"RxBytes\":10,\"RxPackets\":11,"
		   "\"RxErrors\":12,\"RxDropped\":13,\"TxBytes\":20,\"TxPackets\":21,"
		   "\"TxErrors\":22,\"TxDropped\":23},{\"Name\":\"br-0\",\"RxBytes\":1,");
	is_int((long long)s.n_interfaces, 2, "neither loopback nor what is no line of it");
}

int main(void)
{
	struct arena a = ARENA_INIT;

	if (!mkdtemp(top))
		bail_out("mkdtemp");
	test_v2(&a);
	test_unlimited(&a);
	test_v1(&a);
	test_interfaces(&a);
	is_int((long long)cgroup_stats_keyed("low 1\nmax 22\n", "max"), 22, "a key's number");
	is_int((long long)cgroup_stats_keyed("low 1\nmax 22\n", "ma"), 0, "not of half a key");
	arena_free(&a);
	return dir_remove_tree(AT_FDCWD, top) < 0 ? EXIT_FAILURE : done();
}
