/* SPDX-License-Identifier: Apache-2.0 */
/*
 * directories.c - makes trees for which a shell would be too slow, or which it could not name.
 *
 * directories deep DIR N [PID]       N directories, each in the one before; in cgroups: the process
 *                                    goes into the last
 * directories wide DIR N             N directories beside each other
 * directories remove DIR             removes DIR and all directories below it
 * directories link DIR NAME TARGET   puts a symlink to TARGET in the place of NAME as soon as that
 *                                    is there
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE (1 << 1)
#endif

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(1);
}

static void deep(int levels, const char *pid)
{
	for (int i = 0; i < levels; i++)
		if (mkdir("d", 0755) < 0 || chdir("d") < 0)
			die("deep");
	if (pid) {
		int fd = open("cgroup.procs", O_WRONLY);

		if (fd < 0 || write(fd, pid, strlen(pid)) < 0)
			die("cgroup.procs");
	}
}

static void wide(int n)
{
	char name[16];

	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "w%d", i);
		if (mkdir(name, 0755) < 0)
			die(name);
	}
}

/* Removes the directories here that are empty, and enters one that is not: whether there is one. */
static int enter_child(void)
{
	DIR *dir = opendir(".");
	struct dirent *entry;
	int entered = 0;

	while (dir && !entered && (entry = readdir(dir)))
		entered = entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
			rmdir(entry->d_name) < 0 && chdir(entry->d_name) == 0;
	if (dir)
		closedir(dir);
	return entered;
}

static void remove_all(const char *path)
{
	int depth = 0;

	do {
		while (enter_child())
			depth++;
	} while (depth-- > 0 && chdir("..") == 0);
	if (rmdir(path) < 0 && errno != ENOENT)
		die(path);
}

/* The exchange fails until there is something to exchange the link with. */
static void link_soon(const char *name, const char *target)
{
	if (symlink(target, ".link") < 0)
		die(".link");
	while (syscall(SYS_renameat2, AT_FDCWD, ".link", AT_FDCWD, name, RENAME_EXCHANGE) < 0)
		;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	if (chdir(argv[2]) < 0) {
		if (errno == ENOENT && strcmp(argv[1], "remove") == 0)
			return 0;
		die(argv[2]);
	}
	if (strcmp(argv[1], "deep") == 0 && argc > 3)
		deep(atoi(argv[3]), argv[4]);
	else if (strcmp(argv[1], "wide") == 0 && argc > 3)
		wide(atoi(argv[3]));
	else if (strcmp(argv[1], "remove") == 0)
		remove_all(argv[2]);
	else if (strcmp(argv[1], "link") == 0 && argc > 4)
		link_soon(argv[3], argv[4]);
	else
		return 2;
	return 0;
}
