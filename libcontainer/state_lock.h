/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state_lock.h - who may do what with a container at the same time, and for how long.
 *
 * The lock is a flock(2) on the container's directory.  It belongs to the open file, so it ends
 * with the process that holds it, however that ends.  Nobody else calls flock().
 *
 * What each command does:
 *
 *	create, run	exclusive, from the making of the directory until the container is complete;
 *			never while a container runs
 *	run, at its end	exclusive, as delete
 *	start		exclusive, until the program is executed; poststart hooks and READY=1 are
 *			waited for without it
 *	pause, resume, update
 *			exclusive, for the act
 *	kill		none for a signal to the init process, which a pidfd identifies; exclusive
 *			for signals to a whole cgroup, and to thaw what was killed (cgroup v1)
 *	delete		exclusive, until the record is gone: not during poststop hooks; --force
 *first kills the recorded process by pidfd, so that most holders come to their end, and then takes
 *the lock by force exec, ps, state, list, events none; of a container without a record of its
 *process, a shared lock for a moment, to see whether a creator holds it
 *
 * A directory can be removed, and one of the same name be made, while somebody waits for its lock.
 * A lock on a removed directory protects nothing.  So the directory is compared with what the id
 * names once the lock is there; if it is another, the command's container is gone.  The command
 * does not go on with the new one: it was not called for that.
 */
#ifndef KIST_STATE_LOCK_H
#define KIST_STATE_LOCK_H

#include <stdbool.h>

#include "base/error.h"

/*
 * Takes the lock of the container whose directory is dir, an open descriptor; waits at most 10 s.
 * 0; -ENOENT: the directory is not (any more) what the id names; or another negative error, which
 * tells the holder's pid and command line where /proc shows them.  After a failure nothing is held.
 */
int state_lock_take(int dir, const char *id, struct error *err);

/*
 * The same for `delete --force`, which must not be kept out.  A command of the same kist (the path
 * of its program tells) that still holds the lock after 5 s is told to end (SIGTERM, and SIGCONT in
 * case it was stopped), and killed 2.5 s later: what it leaves half done is what --force removes.
 * A `delete` is only continued where it was stopped, since it is doing what was asked for.
 */
int state_lock_take_by_force(int dir, const char *id, struct error *err);

void state_lock_release(int dir);

/* Whether another open file holds the lock: its owner makes or removes the container. */
bool state_lock_is_held(int dir);

/* Whether dir is what the id names in the state root: 1, 0, or -errno where that cannot be seen. */
int state_lock_fits(int dir, const char *id);

#endif
