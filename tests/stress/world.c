/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world.c - a worker's own world: made, looked at for what kist left, and swept.
 */
#include "stress.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define CGROUPS "/sys/fs/cgroup"

/* ---- files ---------------------------------------------------------------------------------- */

static size_t read_whole(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	while (fd >= 0 && (n = read(fd, buffer + len, size - 1 - len)) > 0)
		len += (size_t)n;
	buffer[len] = '\0';
	if (fd >= 0)
		(void)close(fd);
	return len;
}

static void write_whole(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		stress_die(path);
	(void)close(fd);
}

/* ---- the beginning -------------------------------------------------------------------------- */

/* The template's "@CGROUP@" is replaced. */
static void make_bundle(const struct worker *w, const char *dir, const char *name)
{
	static char text[65536], own[65536 + 64];
	char path[PATH_MAX];
	char *at;

	snprintf(path, sizeof(path), "%s/%s.json", dir, name);
	if (read_whole(path, text, sizeof(text)) == 0 || !(at = strstr(text, "@CGROUP@")))
		stress_die(path);
	*at = '\0';
	snprintf(own, sizeof(own), "%s%s%s", text, w->cgroup, at + strlen("@CGROUP@"));
	snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	(void)mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/%s/config.json", w->dir, name);
	write_whole(path, own);
}

void world_begin(struct worker *w, const struct options *o)
{
	snprintf(w->dir, sizeof(w->dir), "%s/w%u", o->dir, w->number);
	snprintf(w->root, sizeof(w->root), "%s/state", w->dir);
	snprintf(w->cgroup, sizeof(w->cgroup), "stress-%u.", w->number);
	(void)mkdir(w->dir, 0755);
	(void)mkdir(w->root, 0700);
	make_bundle(w, o->dir, "bundle");
	make_bundle(w, o->dir, "bundle-true");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", 0, NULL) < 0 || chdir(w->dir) < 0)
		stress_die("mount /proc");
	(void)read_whole("/proc/self/mountinfo", w->mounts, sizeof(w->mounts));
}

/* ---- looking -------------------------------------------------------------------------------- */

unsigned int world_processes(char *text, size_t size)
{
	DIR *dir = opendir("/proc");
	struct dirent *e;
	unsigned int n = 0;

	while (dir && (e = readdir(dir))) {
		char path[300], comm[64] = "";

		if (!isdigit((unsigned char)e->d_name[0]) || strcmp(e->d_name, "1") == 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", e->d_name);
		if (read_whole(path, comm, sizeof(comm)) == 0)
			continue;
		comm[strcspn(comm, "\n")] = '\0';
		if (n++ == 0 && text)
			snprintf(text, size, "process %s", comm);
	}
	if (dir)
		(void)closedir(dir);
	return n;
}

/* Calls f for each cgroup of the container, one a hierarchy. */
static void each_cgroup(const struct worker *w, void (*f)(const char *path, void *data), void *data)
{
	DIR *dir = opendir(CGROUPS);
	struct dirent *e;
	char path[600];

	while (dir && (e = readdir(dir))) {
		struct stat st;

		/* On v2 the entry itself is one of the cgroups. */
		if (strncmp(e->d_name, w->cgroup, strlen(w->cgroup)) == 0)
			snprintf(path, sizeof(path), CGROUPS "/%s", e->d_name);
		else
			snprintf(path, sizeof(path), CGROUPS "/%s/%s", e->d_name, w->cgroup);
		if (e->d_type == DT_DIR && e->d_name[0] != '.' && stat(path, &st) == 0)
			f(path, data);
	}
	if (dir)
		(void)closedir(dir);
}

static void note_cgroup(const char *path, void *data)
{
	char *text = data;

	if (!*text)
		snprintf(text, TEXT_MAX_LEN, "cgroup %s", path + strlen(CGROUPS "/"));
}

bool world_has_record(const struct worker *w)
{
	char path[300];
	struct stat st;

	snprintf(path, sizeof(path), "%s/" ID, w->root);
	return stat(path, &st) == 0;
}

static bool look(struct worker *w, char *text)
{
	static char mounts[sizeof(w->mounts)];
	DIR *dir;
	struct dirent *e;

	text[0] = '\0';
	/* Reaps. */
	(void)command_wait(w, NULL, 0);
	if (world_processes(text, TEXT_MAX_LEN) > 0)
		return false;
	each_cgroup(w, note_cgroup, text);
	(void)read_whole("/proc/self/mountinfo", mounts, sizeof(mounts));
	if (!*text && strcmp(mounts, w->mounts) != 0)
		snprintf(text, TEXT_MAX_LEN, "a mount");
	dir = opendir(w->root);
	while (dir && !*text && (e = readdir(dir))) {
		if (e->d_name[0] != '.')
			snprintf(text, TEXT_MAX_LEN, "state %.64s", e->d_name);
	}
	if (dir)
		(void)closedir(dir);
	return !*text;
}

bool world_is_clean(struct worker *w, char *text)
{
	uint64_t end = stress_now() + 2000 * MS;

	while (!look(w, text)) {
		if (stress_now() > end)
			return false;
		(void)usleep(500);
	}
	return true;
}

/* ---- sweeping ------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	return type == FTW_DP ? rmdir(path) : unlink(path), 0;
}

static int remove_cgroup_dir(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	return type == FTW_DP ? rmdir(path) : 0, 0;
}

static void thaw(const char *path, void *data)
{
	static const char *const files[][2] = { { "freezer.state", "THAWED" },
						{ "cgroup.freeze", "0" } };
	char file[700];

	(void)data;
	for (size_t i = 0; i < 2; i++) {
		int fd;

		snprintf(file, sizeof(file), "%s/%s", path, files[i][0]);
		fd = open(file, O_WRONLY | O_CLOEXEC);
		if (fd >= 0)
			(void)!write(fd, files[i][1], strlen(files[i][1]));
		if (fd >= 0)
			(void)close(fd);
	}
}

static void remove_cgroup(const char *path, void *data)
{
	(void)data;
	(void)nftw(path, remove_cgroup_dir, 16, FTW_DEPTH | FTW_PHYS);
}

void world_sweep(struct worker *w)
{
	char text[TEXT_MAX_LEN], path[300];

	if (w->trace)
		trace_release(w->trace);
	for (int i = 0; i < 200; i++) {
		each_cgroup(w, thaw, NULL);
		(void)kill(-1, SIGKILL);
		(void)command_wait(w, NULL, 10 * MS);
		if (world_processes(NULL, 0) == 0)
			break;
		(void)usleep(1000);
	}
	w->n_commands = 0;
	w->trace = NULL;
	each_cgroup(w, remove_cgroup, NULL);
	snprintf(path, sizeof(path), "%s/" ID, w->root);
	(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	if (!look(w, text))
		fprintf(stderr, "# worker %u cannot remove: %s\n", w->number, text);
}

/* ---- scenes --------------------------------------------------------------------------------- */

int world_prepare(struct worker *w, enum scene scene, char *text)
{
	static const char *const kill_args[] = { "kill", ID, "KILL", NULL };
	const uint64_t patience = 20000 * MS;
	int status = 0;

	w->trace = NULL;
	if (scene == CREATED)
		status = command_run(w, verbs[CREATE].args, text, patience);
	else if (scene != NOTHING)
		status = command_run(w, verbs[RUN_DETACHED].args, text, patience);
	if (status == 0 && scene == PAUSED)
		status = command_run(w, verbs[PAUSE].args, text, patience);
	if (status == 0 && scene == STOPPED) {
		status = command_run(w, kill_args, text, patience);
		for (int i = 0; i < 2000 && world_processes(NULL, 0) > 0; i++) {
			(void)usleep(500);
			(void)command_wait(w, NULL, 0);
		}
	}
	return status ? -1 : 0;
}
