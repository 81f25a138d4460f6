/* SPDX-License-Identifier: Apache-2.0 */
/*
 * namespace.h - which namespaces are made, which are joined, and in how few processes.
 *
 * Usually one clone3() makes them all, and its child is the container's init.  What stands in the
 * way:
 *  - a PID namespace that is joined by path, or must be made inside a joined user namespace: both
 * hold for children only, so the first child forks a second one (two_stages);
 *  - a joined namespace beside a new user namespace, and new ones beside a joined user namespace:
 * the child joins first and makes the new ones by unshare();
 *  - time offsets must be written before anybody is inside: the child unshares, writes, and enters
 * by setns(), so that time never needs a second process;
 *  - the cgroup namespace shows the cgroup that its maker is in: made by the child, last.
 *
 * Sources: config-linux.md "Namespaces", "Offset for Time Namespace"; namespaces(7), setns(2),
 * ioctl_ns(2), time_namespaces(7).
 */
#ifndef KIST_NAMESPACE_H
#define KIST_NAMESPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "host.h"
#include "oci/oci.h"
#include "show.h"

#define NAMESPACE_COUNT 8

struct namespace_join {
	int type;			/* CLONE_NEW* */
	const char *path;		/* in the caller's mount namespace */
	const void *member;		/* for oci_error() */
};

struct namespace_plan {
	uint64_t create;		/* CLONE_NEW* of all that are new */
	struct namespace_join join[NAMESPACE_COUNT];
	size_t n_join;
	uint64_t clone_first;		/* CLONE_NEW* for the first clone3() */
	uint64_t unshare;		/* made by the first child, after it has joined */
	uint64_t clone_second;		/* for the second clone3(), if two_stages */
	bool two_stages;
	bool join_pid;			/* a PID namespace is joined: others live in it */
	const char *time_offsets;	/* text for timens_offsets, or NULL */
	const struct oci_config *config;
};

/* Opened before any process is started; index as in plan->join. */
struct namespace_fds {
	int fd[NAMESPACE_COUNT]; /* -1: it is the caller's own, nothing to join */
	uint64_t separate;	 /* CLONE_NEW* that the container does not share with the caller */
};

int namespace_compile(const struct oci_config *c, const struct host *h, struct arena *a,
		      struct namespace_plan *out, struct error *err);

/*
 * Opens every path and proves that it is a namespace of its type.  A path that names the caller's
 * own namespace counts as not given (out->separate lacks it): whoever is "joined" to the host's
 * network shares it.  The caller's own user namespace is an error.  proc: the host's procfs.
 * Errors name the member, and the type that was found.
 */
int namespace_open(const struct namespace_plan *p, int proc, struct namespace_fds *out,
		   struct error *err);
void namespace_close(struct namespace_fds *fds);
/* The descriptor of the namespace of that type; -1: none is joined. */
int namespace_fd(const struct namespace_plan *p, const struct namespace_fds *fds, int type);

/* Whether the kernel has every type that is to be made. */
int namespace_check(const struct namespace_plan *p, int proc, struct error *err);

/*
 * The steps of the first child, in this order.  All need a process with one thread.
 * join: what the present privilege reaches, then the user namespace, then what only it gave access
 *to. unshare: new namespaces that clone_first could not make; when CLONE_NEWUSER is among
 *p->unshare, the parent writes the id maps next (idmap_serve). time: offsets written, and the new
 *time namespace entered. cgroup: once the process is in its cgroup.
 */
int namespace_join_run(const struct namespace_plan *p, const struct namespace_fds *fds,
		       struct error *err);
int namespace_unshare_run(const struct namespace_plan *p, int proc, struct error *err);
int namespace_time_run(const struct namespace_plan *p, int proc, struct error *err);
int namespace_cgroup_run(const struct namespace_plan *p, int proc, struct error *err);

/* As join, but the PID namespace alone, and the user namespace, if one is joined. */
int namespace_join_pid_run(const struct namespace_plan *p, const struct namespace_fds *fds,
			   struct error *err);

/* The calling process's own namespace of that type.  Descriptor or negative. */
int namespace_own(int type, int proc);

/*
 * The message for a clone3() or unshare() that failed with errnum: which limit of /proc/sys/user is
 * used up, or what forbids user namespaces here.  proc may be -1.  Returns -errnum.
 */
int namespace_create_error(int proc, uint64_t flags, int errnum, struct error *err);

/* "network" for CLONE_NEWNET: the specification's word.  "?" for an unknown one. */
const char *namespace_name(int type);

void namespace_show(const struct namespace_plan *p, struct show *out);
void namespace_time_show(const struct namespace_plan *p, struct show *out);

#endif
