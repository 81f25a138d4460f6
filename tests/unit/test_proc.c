/* SPDX-License-Identifier: Apache-2.0 */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "tap.h"

static void test_open(int proc)
{
	owned_fd self = -1, task = -1;
	char buf[256];

	self = proc_open_file(proc, "self/status", O_RDONLY);
	ok(self >= 0, "self/status");
	task = proc_open_file(proc, "thread-self/attr", O_PATH);
	ok(task >= 0, "thread-self/attr");
	is_int(proc_open_file(proc, "self/nothing", O_RDONLY), -ENOENT, "a missing file");
	is_int(proc_open_file(proc, "../etc/passwd", O_RDONLY), -EXDEV, "above procfs");
	is_int(proc_open_file(proc, "/etc/passwd", O_RDONLY), -EXDEV, "an absolute path");
	is_int(proc_open_file(proc, "self/cwd/x", O_RDONLY), -ELOOP, "a magic link on the way");
	is_int(proc_open_file(proc, "self/exe", O_RDONLY), -ELOOP, "a magic link at the end");
	is_int(proc_open_file(proc, "mounts", O_RDONLY), -ELOOP, "a plain symlink");
	ok(proc_read(proc, "sys/kernel/ostype", buf, sizeof(buf)) == 5, "read");
	is_str(buf, "Linux", "its text");
	is_int(proc_write(proc, "self/comm", "renamed"), 0, "write");
	proc_read(proc, "self/comm", buf, sizeof(buf));
	is_str(buf, "renamed", "has its effect");
}

static void test_stat(int proc)
{
	struct proc_stat st = { 0 }, again = { 0 };
	pid_t pid;

	is_int(proc_stat(proc, getpid(), &st), 0, "stat of ourselves");
	ok(st.ppid == getppid() && st.state == 'R' && st.start_time > 0 && !st.exiting,
	   "its values");
	prctl(PR_SET_NAME, "a) Z 1 (b", 0, 0, 0);
	is_int(proc_stat(proc, getpid(), &again), 0, "stat with a hostile name");
	ok(again.ppid == st.ppid && again.state == 'R' && again.start_time == st.start_time,
	   "the name does not deceive");

	pid = fork();
	if (pid == 0)
		_exit(0);
	waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
	is_int(proc_stat(proc, pid, &st), 0, "stat of a zombie");
	ok(st.state == 'Z' && st.ppid == getpid() && st.exiting, "its values");
	waitpid(pid, NULL, 0);
	is_int(proc_stat(proc, pid, &st), -ESRCH, "stat of no process");
}

int main(void)
{
	owned_fd proc = proc_open();

	if (!ok(proc >= 0, "open"))
		return done();
	test_open(proc);
	test_stat(proc);
	return done();
}
