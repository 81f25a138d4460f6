/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adversary.c - what the attack tests do that a shell is too slow for, or cannot do.
 *
 * adversary swap A B                 exchanges two names, again and again, until it is killed;
 *                                    says "ready" on standard error after the first time
 * adversary terminal COMMAND...      runs a command that has a controlling terminal
 * adversary syscall CALL [NUMBER...] makes a system call; prints "ok" or the errno's number
 * adversary int80 CALL               the same by the entry for 32-bit programs
 * adversary key-add NAME COMMAND...  runs a command in a session keyring that has that key
 * adversary pause                    waits for a signal, and needs nothing for that
 * adversary threads                  ends its first thread, and lives on in another
 * adversary key-put NAME             adds that key to its session keyring; prints as "syscall"
 * adversary key-find NAME            whether the session keyring has it; prints as "syscall"
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE (1 << 1)
#endif

static const struct {
	const char *name;
	long number;
} calls[] = {
	{ "ioctl", SYS_ioctl },
	{ "lseek", SYS_lseek },
	{ "socket", SYS_socket },
};

static int die(const char *what)
{
	perror(what);
	return 2;
}

static int run(char **argv)
{
	execvp(argv[0], argv);
	return die(argv[0]);
}

static int swap(char **argv)
{
	/* A test that ends early must not leave it behind. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return die("prctl");
	if (syscall(SYS_renameat2, AT_FDCWD, argv[0], AT_FDCWD, argv[1], RENAME_EXCHANGE) < 0)
		return die("renameat2");
	fputs("ready\n", stderr);
	for (;;)
		(void)syscall(SYS_renameat2, AT_FDCWD, argv[0], AT_FDCWD, argv[1],
			      RENAME_EXCHANGE);
}

/* The other end of the terminal is read to its end, which comes when nobody has this one open. */
static int terminal(char **argv)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), zero = 0, status = 0;
	char data[4096];
	ssize_t n;
	pid_t pid;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &zero) < 0)
		return die("/dev/ptmx");
	pid = fork();
	if (pid == 0) {
		int slave = ioctl(master, TIOCGPTPEER, O_RDWR);

		if (slave < 0 || setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
			_exit(die("controlling terminal"));
		for (int fd = 0; fd <= 2; fd++)
			dup2(slave, fd);
		close(slave);
		_exit(run(argv));
	}
	while ((n = read(master, data, sizeof(data))) > 0)
		if (write(STDOUT_FILENO, data, (size_t)n) != n)
			break;
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return die("wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int answer(long ret)
{
	if (ret < 0)
		printf("%d\n", errno);
	else
		puts("ok");
	return 0;
}

static int system_call(char **argv)
{
	long number = strtol(argv[0], NULL, 0);
	unsigned long a[6] = { 0 };

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(argv[0], calls[i].name) == 0)
			number = calls[i].number;
	for (int i = 0; i < 6 && argv[i + 1]; i++)
		a[i] = strtoul(argv[i + 1], NULL, 0);
	return answer(syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]));
}

static int int80(char **argv)
{
#ifdef __x86_64__
	long ret = strtol(argv[0], NULL, 0);

	__asm__ volatile("int $0x80" : "+a"(ret) : "b"(0L), "c"(0L), "d"(0L) : "memory");
	errno = ret < 0 ? (int)-ret : 0;
	return answer(ret < 0 ? -1 : 0);
#else
	(void)argv;
	puts("none");
	return 0;
#endif
}

static int key_add(char **argv)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0)
		return die("join a session keyring");
	if (syscall(SYS_add_key, "user", argv[0], "secret", 6, KEY_SPEC_SESSION_KEYRING) < 0)
		return die("add_key");
	return run(argv + 1);
}

static int key_put(char **argv)
{
	return answer(syscall(SYS_add_key, "user", argv[0], "secret", 6, KEY_SPEC_SESSION_KEYRING));
}

static int key_find(char **argv)
{
	return answer(syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user",
			      argv[0], 0));
}

static int other_thread(void *argument)
{
	(void)argument;
	while (pause())
		;
	return 0;
}

static int wait_for_signal(char **argv)
{
	(void)argv;
	return pause();
}

static int threads(char **argv)
{
	static char stack[65536] __attribute__((aligned(16)));

	(void)argv;
	if (clone(other_thread, stack + sizeof(stack),
		  CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
		  NULL) < 0)
		return die("clone");
	syscall(SYS_exit, 0);
	return 2;
}

static const struct {
	const char *name;
	int words;
	int (*run)(char **argv);
} commands[] = {
	{ "swap", 2, swap },
	{ "terminal", 1, terminal },
	{ "syscall", 1, system_call },
	{ "int80", 1, int80 },
	{ "key-add", 2, key_add },
	{ "key-put", 1, key_put },
	{ "key-find", 1, key_find },
	{ "pause", 0, wait_for_signal },
	{ "threads", 0, threads },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (argc >= 2 + commands[i].words && strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argv + 2);
	fputs("usage: adversary swap|terminal|syscall|int80|key-add|key-put|key-find|pause|"
	      "threads WORD...\n", stderr);
	return 2;
}
