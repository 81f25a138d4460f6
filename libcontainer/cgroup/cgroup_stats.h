/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_stats.h - what a container has used, out of v1 and v2 files into one structure.
 *
 * The tables name the members as `runc events` does, whose JSON engines read (types/events.go).
 * All times are nanoseconds, all sizes bytes; "no limit" is 2^64 - 1, but 0 for processes.
 */
#ifndef KIST_CGROUP_STATS_H
#define KIST_CGROUP_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "cgroup/cgroup.h"
#include "json/json.h"

/* Shares of time that tasks were held up: Documentation/accounting/psi.rst. */
struct cgroup_psi_line {
	double avg10;			/* per cent of the last 10 seconds */
	double avg60;
	double avg300;
	uint64_t total;			/* microseconds: the kernel's own unit, as runc has it */
};

struct cgroup_psi {
	struct cgroup_psi_line some;
	struct cgroup_psi_line full;
};

struct cgroup_stats_cpu_usage {
	uint64_t total;
	uint64_t *percpu;		/* v1 */
	size_t n_percpu;
	uint64_t *percpu_kernel;
	size_t n_percpu_kernel;
	uint64_t *percpu_user;
	size_t n_percpu_user;
	uint64_t kernel;
	uint64_t user;
};

struct cgroup_stats_throttling {
	uint64_t periods;
	uint64_t throttled_periods;
	uint64_t throttled_time;
};

struct cgroup_stats_cpu {
	struct cgroup_stats_cpu_usage usage;
	struct cgroup_stats_throttling throttling;
	struct cgroup_psi *psi;		/* NULL: no v2 hierarchy, or a kernel without PSI */
};

/* On v2 only the two lists: those in force, which an ancestor may have narrowed. */
struct cgroup_stats_cpuset {
	uint16_t *cpus;
	size_t n_cpus;
	uint64_t cpu_exclusive;
	uint16_t *mems;
	size_t n_mems;
	uint64_t mem_hardwall;
	uint64_t mem_exclusive;
	uint64_t memory_migrate;
	uint64_t memory_spread_page;
	uint64_t memory_spread_slab;
	uint64_t memory_pressure;
	uint64_t sched_load_balance;
	int64_t sched_relax_domain_level;
};

struct cgroup_stats_memory_use {
	uint64_t limit;
	uint64_t usage;
	uint64_t max;			/* highest usage */
	uint64_t failcnt;		/* times that the limit was hit */
};

struct cgroup_stats_memory {
	uint64_t cache;
	struct cgroup_stats_memory_use usage;
	struct cgroup_stats_memory_use swap;	/* memory and swap together, on v2 too */
	struct cgroup_stats_memory_use kernel;	/* v1 */
	struct cgroup_stats_memory_use kernel_tcp;
	struct json_span raw;		/* memory.stat as an object */
	struct cgroup_psi *psi;
};

struct cgroup_stats_pids {
	uint64_t current;
	uint64_t limit;
};

struct cgroup_stats_io {
	uint64_t major;
	uint64_t minor;
	char *op;			/* "Read", "Write", "Sync", ...; NULL: not divided */
	uint64_t value;
};

/* v2 has the first two tables only. */
struct cgroup_stats_blkio {
	struct cgroup_stats_io *service_bytes;
	size_t n_service_bytes;
	struct cgroup_stats_io *serviced;
	size_t n_serviced;
	struct cgroup_stats_io *queued;
	size_t n_queued;
	struct cgroup_stats_io *service_time;
	size_t n_service_time;
	struct cgroup_stats_io *wait_time;
	size_t n_wait_time;
	struct cgroup_stats_io *merged;
	size_t n_merged;
	struct cgroup_stats_io *time;
	size_t n_time;
	struct cgroup_stats_io *sectors;
	size_t n_sectors;
	struct cgroup_psi *psi;
};

/* Reservations where the kernel counts them, else pages in use. */
struct cgroup_stats_hugetlb {
	char *size;			/* "2MB" */
	uint64_t usage;
	uint64_t max;
	uint64_t failcnt;
};

/* Of /proc/PID/net/dev: cgroups count no packets, but engines expect them here. */
struct cgroup_stats_interface {
	char *name;
	uint64_t rx_bytes;
	uint64_t rx_packets;
	uint64_t rx_errors;
	uint64_t rx_dropped;
	uint64_t tx_bytes;
	uint64_t tx_packets;
	uint64_t tx_errors;
	uint64_t tx_dropped;
};

struct cgroup_stats {
	struct cgroup_stats_cpu cpu;
	struct cgroup_stats_cpuset cpuset;
	struct cgroup_stats_memory memory;
	struct cgroup_stats_pids pids;
	struct cgroup_stats_blkio blkio;
	struct cgroup_stats_hugetlb *hugetlb;
	size_t n_hugetlb;
	struct cgroup_stats_interface *interfaces;
	size_t n_interfaces;
};

extern const struct json_field cgroup_stats_fields[];
extern const struct json_field cgroup_psi_fields[];

/*
 * Fills all but the interfaces.  A file or controller that is not there leaves zeros, and "no
 * limit": the kernel's version and configuration decide what it counts.  A cgroup that is not there
 * is an error.
 */
int cgroup_stats_read(const struct cgroup_ref *ref, struct arena *a, struct cgroup_stats *out,
		      struct error *err);

/*
 * One controller's files of an open directory: what cgroup_stats_read() puts together.
 */
void cgroup_stats_v1(int dir, const char *controller, struct arena *a, struct cgroup_stats *out);
void cgroup_stats_v2(int dir, struct arena *a, struct cgroup_stats *out);

/* The text of /proc/PID/net/dev, without the loopback interface. */
void cgroup_stats_interfaces(const char *text, struct arena *a, struct cgroup_stats *out);

/* A NAME.pressure file; NULL if there is none. */
struct cgroup_psi *cgroup_psi_read(int dir, const char *file, struct arena *a);

/* The number that stands alone in a file ("max" is 2^64 - 1); 0 if there is none. */
uint64_t cgroup_stats_number(int dir, const char *file);

/* The number behind a key at the beginning of a line, as in memory.events; 0 if there is none. */
uint64_t cgroup_stats_keyed(const char *text, const char *key);

#endif
