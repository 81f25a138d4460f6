/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_self_exe.c - after self_exe_run() a process runs on, with all its data, and no way leads
 * from it to the binary. Without root the children are in a user namespace of their own, as a
 * container of such a caller.
 */
#include "self_exe.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/proc.h"
#include "tap.h"

/* What a child finds out, in memory shared with the parent. */
struct findings {
	int run, same_inode, write_errno, exec_errno, data, bss, relocated;
	off_t size;
	char text[ERROR_TEXT_MAX];
	char command_line[32];
	ssize_t command_line_len, environment_len;
};

static int test_data = 42;
static int test_bss[20000];
static const char *const test_relocated = "relocated";

static ssize_t read_self_file(int proc, const char *name, char *buf, size_t size)
{
	owned_fd fd = proc_open_file(proc, name, O_RDONLY);

	return fd < 0 ? fd : read(fd, buf, size);
}

static void look(int proc, const struct stat *host, struct findings *f)
{
	char *const argv[] = { (char *)"exe", NULL }, *const envp[] = { NULL };
	char environment[64];
	struct stat st = { 0 };
	int fd;

	test_data++;
	test_bss[19999] = 7;
	f->data = test_data;
	f->bss = test_bss[19999];
	f->relocated = strcmp(test_relocated, "relocated") == 0;
	stat("/proc/self/exe", &st);
	f->same_inode = st.st_dev == host->st_dev && st.st_ino == host->st_ino;
	f->size = st.st_size;
	fd = open("/proc/self/exe", O_WRONLY | O_CLOEXEC);
	f->write_errno = fd < 0 ? errno : 0;
	f->command_line_len =
		read_self_file(proc, "self/cmdline", f->command_line, sizeof(f->command_line));
	f->environment_len = read_self_file(proc, "self/environ", environment, sizeof(environment));
	execve("/proc/self/exe", argv, envp);
	f->exec_errno = errno;
}

/* The same in a child, unshared by flags; the clone of the mount withheld when no_source. */
static void check(const char *what, int proc, int flags, bool no_source, struct findings *f)
{
	static struct self_exe self;
	struct error err = { 0 };
	struct stat host;
	int status;
	pid_t pid;

	memset(f, 0, sizeof(*f));
	stat("/proc/self/exe", &host);
	if (!is_int(self_exe_prepare(proc, &self, &err), 0, "%s: prepare", what)) {
		printf("# %s\n", err.text);
		return;
	}
	if (no_source)
		fd_close(&self.source);
	pid = fork();
	if (pid == 0) {
		if (flags != 0 && unshare(flags) < 0)
			_exit(77);
		f->run = self_exe_run(&self, &err);
		memcpy(f->text, err.text, sizeof(f->text));
		look(proc, &host, f);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	self_exe_close(&self);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		skip("no user namespaces here");
		return;
	}
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: the child's code runs on", what);
	ok(f->run == 0, "%s: the binary is let go %s", what, f->text);
	ok(!f->same_inode, "%s: /proc/self/exe is not the host's inode", what);
	is_int(f->size, 0, "%s: /proc/self/exe is empty", what);
	ok(f->write_errno != 0, "%s: /proc/self/exe cannot be written (%s)", what,
	   error_name(f->write_errno));
	is_int(f->exec_errno, ENOEXEC, "%s: executing /proc/self/exe fails without harm", what);
	ok(f->data == test_data + 1 && f->bss == 7 && f->relocated, "%s: data is intact", what);
	is_int(f->command_line_len, 10, "%s: length of the command line", what);
	ok(memcmp(f->command_line, "kist\0init", 10) == 0, "%s: the caller's arguments are gone",
	   what);
	is_int(f->environment_len, 0, "%s: the caller's environment is gone", what);
}

int main(int argc, char **argv)
{
	int user = geteuid() != 0 ? CLONE_NEWUSER : 0;
	struct findings *f;
	struct error err = { 0 };
	owned_fd proc = proc_open();
	int seals;

	(void)argc;
	if (self_exe_reexec(argv, &err) < 0)
		bail_out(err.text);
	f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (proc < 0 || f == MAP_FAILED)
		bail_out("no /proc, or no memory");
	if (!self_exe_supported()) {
		owned_fd self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

		seals = fcntl(self, F_GET_SEALS);
		ok(seals >= 0 && (seals & F_SEAL_WRITE),
		   "runs from a sealed copy where the kernel knows no better");
		return done();
	}
	check("as a container", proc, user, false, f);
	check("code copied too", proc, user, true, f);
	check("user namespace", proc, CLONE_NEWUSER, false, f);
	check("user and mount namespace", proc, CLONE_NEWUSER | CLONE_NEWNS, true, f);
	is_int(test_data, 42, "the parent's data is its own");
	return done();
}
