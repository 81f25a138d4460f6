/* SPDX-License-Identifier: Apache-2.0 */
#include "cmds.h"

#define T struct container_update_options
static const struct option_row rows[] = {
	OPTION_STRING("resources", 'r', T, resources, "FILE",
		      "a resources file (-: standard input); other values are ignored"),
	OPTION_STRING("blkio-weight", 0, T, blkio_weight, "N", "share of disk time, 10 to 1000"),
	OPTION_STRING("cpu-period", 0, T, cpu_period, "USEC", "period of the CPU quota"),
	OPTION_STRING("cpu-quota", 0, T, cpu_quota, "USEC",
		      "CPU time in each period (-1: no limit)"),
	OPTION_STRING("cpu-burst", 0, T, cpu_burst, "USEC", "unused quota that may be saved up"),
	OPTION_STRING("cpu-share", 0, T, cpu_shares, "N", "share of CPU time, 2 to 262144"),
	OPTION_STRING("cpu-idle", 0, T, cpu_idle, "0|1", "run only when nobody else wants to"),
	OPTION_STRING("cpu-rt-period", 0, T, cpu_rt_period, "USEC", "period of realtime processes"),
	OPTION_STRING("cpu-rt-runtime", 0, T, cpu_rt_runtime, "USEC",
		      "CPU time of realtime processes in each period"),
	OPTION_STRING("cpuset-cpus", 0, T, cpuset_cpus, "LIST", "CPUs to run on, as in 0-2,7"),
	OPTION_STRING("cpuset-mems", 0, T, cpuset_mems, "LIST", "memory nodes to use"),
	OPTION_STRING("memory", 0, T, memory, "SIZE", "memory limit, as in 512m (-1: no limit)"),
	OPTION_STRING("memory-reservation", 0, T, memory_reservation, "SIZE",
		      "memory that is kept for the container"),
	OPTION_STRING("memory-swap", 0, T, memory_swap, "SIZE",
		      "limit of memory and swap together (-1: no limit)"),
	OPTION_STRING("kernel-memory", 0, T, kernel_memory, "SIZE",
		      "ignored: counts towards --memory"),
	OPTION_STRING("kernel-memory-tcp", 0, T, kernel_memory_tcp, "SIZE",
		      "ignored: counts towards --memory"),
	OPTION_STRING("pids-limit", 0, T, pids_limit, "N", "number of processes (-1: no limit)"),
	OPTION_STRING("l3-cache-schema", 0, T, l3_cache_schema, "TEXT", "Intel RDT: cache",
		      .flags = OPTION_HIDDEN),
	OPTION_STRING("mem-bw-schema", 0, T, mem_bw_schema, "TEXT", "Intel RDT: memory bandwidth",
		      .flags = OPTION_HIDDEN),
	OPTION_STRINGS("device", 0, T, devices, "RULE",
		       "allow or deny a device, as in \"allow c 10:200 rwm\" (repeatable)"),
	OPTION_END,
};
#undef T

static int run(struct cli *cli, struct error *err)
{
	return container_update(&cli->ctx, cli->arguments.words[0], cli->options, err);
}

const struct command cmd_update = {
	.name = "update",
	.summary = "change the limits of a container",
	.usage = "ID",
	.options = rows,
	.options_size = sizeof(struct container_update_options),
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run,
};
