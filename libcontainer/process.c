/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.c - arguments, environment, working directory, lookup and exec of the container process.
 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "oci/oci_schema.h"
#include "process_reason.h"

/* What a login gives when nothing else is said; the same list as engines put into config.json. */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* A variable, and where it stood in the configuration. */
struct variable {
	char *entry;
	size_t name_len;
	size_t at;
};

static int compare_names(const struct variable *x, const struct variable *y)
{
	size_t len = x->name_len < y->name_len ? x->name_len : y->name_len;
	int r = memcmp(x->entry, y->entry, len);

	return r != 0 ? r : (x->name_len > y->name_len) - (x->name_len < y->name_len);
}

/* By name, and among equal names by place. */
static int compare_variables(const void *a, const void *b)
{
	const struct variable *x = a, *y = b;
	int r = compare_names(x, y);

	return r != 0 ? r : (x->at > y->at) - (x->at < y->at);
}

/*
 * Each name once, at its first place with its last value.  Sorted, since comparing each with each
 * takes 10 s for 100,000 variables.
 */
static size_t unique_names(struct variable *v, size_t n, char **env)
{
	size_t kept = 0;

	qsort(v, n, sizeof(*v), compare_variables);
	for (size_t i = 0, next; i < n; i = next) {
		for (next = i + 1; next < n && compare_names(&v[i], &v[next]) == 0; next++)
			;
		env[v[i].at] = v[next - 1].entry;
	}
	/* The places of the others are empty. */
	for (size_t i = 0; i < n; i++)
		if (env[i] != NULL)
			env[kept++] = env[i];
	for (size_t i = kept; i < n; i++)
		env[i] = NULL;
	return kept;
}

static const char *get_env(char *const *env, const char *name_eq)
{
	for (; *env != NULL; env++)
		if (str_starts(*env, name_eq))
			return *env + strlen(name_eq);
	return NULL;
}

/* HOME, when unset or empty, gets room for what only the image knows. */
static void compile_home(struct arena *a, size_t n, struct process_plan *out)
{
	const char *home = get_env(out->env, "HOME=");
	char *entry;
	size_t at = 0;

	if (home != NULL && *home != '\0')
		return;
	entry = arena_alloc(a, sizeof("HOME=") + PROCESS_HOME_MAX);
	memcpy(entry, "HOME=/", sizeof("HOME=/"));
	out->home = entry + 5;
	while (at < n && !str_starts(out->env[at], "HOME="))
		at++;
	out->env[at] = entry;
}

static int compile_env(const struct oci_config *c, const struct oci_process *p, struct arena *a,
		       struct process_plan *out, struct error *err)
{
	struct variable *variables;
	size_t given = 0;

	while (p->env != NULL && p->env[given] != NULL)
		given++;
	out->env = ARENA_NEW_ARRAY(a, char *, given + 2);
	variables = ARENA_NEW_ARRAY(a, struct variable, given);
	for (size_t i = 0; i < given; i++) {
		char *eq = strchr(p->env[i], '=');

		if (eq == NULL)
			return oci_error(c, &p->env[i], err,
					 "invalid environment variable \"%s\": missing '='",
					 p->env[i]);
		if (eq == p->env[i])
			return oci_error(c, &p->env[i], err,
					 "invalid environment variable \"%s\": empty name",
					 p->env[i]);
		variables[i] = (struct variable){ p->env[i], (size_t)(eq - p->env[i]), i };
	}
	compile_home(a, unique_names(variables, given, out->env), out);
	return 0;
}

static int compile_personality(const struct oci_config *c, struct process_plan *out)
{
	const struct oci_personality *pers = c->linux != NULL ? c->linux->personality : NULL;

	if (pers == NULL)
		return 0;
	out->set_personality = true;
	out->personality = (unsigned long)pers->domain;
	return 0;
}

int process_compile(const struct oci_config *c, const struct oci_process *p, const struct host *h,
		    struct arena *a, struct process_plan *out, struct error *err)
{
	int r;

	memset(out, 0, sizeof(*out));
	if (p->args == NULL || p->args[0] == NULL)
		return oci_error(c,
				 p->args	   ? (const void *)&p->args
				 : p == c->process ? (const void *)&c->process
						   : NULL,
				 err, "args must not be empty");
	if (p->cwd == NULL || p->cwd[0] != '/')
		return oci_error(c, &p->cwd, err,
				 "process.cwd must be an absolute path, not \"%s\"",
				 p->cwd != NULL ? p->cwd : "");
	out->argv = p->args;
	if (strlen(p->cwd) >= PATH_MAX)
		return oci_error(c, &p->cwd, err, "process.cwd is longer than %d bytes",
				 PATH_MAX - 1);
	/*
	 * Not cleaned by its text: with symlinks "a/.." need not be the parent of a.  openat2 walks
	 * it.
	 */
	out->cwd = p->cwd;
	r = compile_env(c, p, a, out, err);
	if (r < 0)
		return r;
	out->path = get_env(out->env, "PATH=");
	if (out->path == NULL)
		out->path = DEFAULT_PATH;
	if (p->oom_score_adj != NULL) {
		if (*p->oom_score_adj < -1000 || *p->oom_score_adj > 1000)
			return oci_error(c, &p->oom_score_adj, err,
					 "oomScoreAdj %d is out of range (-1000 to 1000)",
					 *p->oom_score_adj);
		out->oom_score_adj = arena_printf(a, "%d", *p->oom_score_adj);
	}
	out->no_new_privs = p->no_new_privileges;
	out->arch = h->arch != NULL ? h->arch : "unknown";
	return compile_personality(c, out);
}

int process_oom_run(const struct process_plan *p, int proc, pid_t pid, struct error *err)
{
	char path[64] = "self/oom_score_adj";
	int r;

	if (p->oom_score_adj == NULL)
		return 0;
	/*
	 * proc is a checked procfs descriptor, so the write cannot be led elsewhere
	 * (CVE-2025-52881).
	 */
	if (pid > 0)
		snprintf(path, sizeof(path), "%d/oom_score_adj", pid);
	r = proc_write(proc, path, p->oom_score_adj);
	if (r == -EACCES)
		return error_set(err, EACCES,
				 "set oom_score_adj to %s: lowering it below the caller's needs "
				 "CAP_SYS_RESOURCE in the initial user namespace",
				 p->oom_score_adj);
	return r < 0 ? error_set(err, -r, "set oom_score_adj to %s", p->oom_score_adj) : 0;
}

int process_personality_run(const struct process_plan *p, struct error *err)
{
	if (p->set_personality && personality(p->personality) < 0)
		return error_set(err, errno, "set personality 0x%lx", p->personality);
	return 0;
}

int process_nnp_run(const struct process_plan *p, struct error *err)
{
	if (p->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set(err, errno, "set no_new_privs");
	return 0;
}

int process_dumpable_run(struct error *err)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return error_set(err, errno, "make the process not dumpable");
	return 0;
}

static void forget_strings(char *const *list)
{
	for (; list != NULL && *list != NULL; list++)
		explicit_bzero(*list, strlen(*list));
}

void process_forget_caller(char *const *argv)
{
	forget_strings(argv);
	forget_strings(environ);
}

int process_cwd_make_run(const struct process_plan *p, int root, struct error *err)
{
	owned_fd fd = path_mkdirs(root, p->cwd, 0755);

	/*
	 * Not reachable for root (a file system that distrusts it): process_cwd_run() decides as
	 * the user.
	 */
	if (fd < 0 && fd != -EACCES && fd != -EPERM)
		return error_set(err, -fd, "create working directory %s", p->cwd);
	return 0;
}

int process_cwd_run(const struct process_plan *p, int root, bool switched, struct error *err)
{
	/*
	 * A magic link such as /proc/self/fd/7 would lead to a directory of the host that a
	 * descriptor still holds: path_open() refuses those, and the check below holds even if one
	 * came another way.
	 */
	owned_fd fd = path_open(root, p->cwd, O_PATH | O_DIRECTORY, 0, 0);
	int r = fd < 0 ? fd : 0;
	char here[PATH_MAX];

	if (fd >= 0 && fchdir(fd) < 0)
		r = -errno;
	if ((r == -EACCES || r == -EPERM) && !switched)
		return 1;
	if (r == -ELOOP)
		return error_set(err, ELOOP,
				 "chdir to cwd %s set in config.json: a magic link or a loop of "
				 "symlinks on the way",
				 p->cwd);
	if (r < 0)
		return error_set(err, -r, "chdir to cwd %s set in config.json", p->cwd);
	/*
	 * The raw call: the C library would walk ".." by itself when the kernel says
	 * "(unreachable)".
	 */
	if (syscall(SYS_getcwd, here, sizeof(here)) < 0)
		return error_set(err, errno, "current working directory %s: cannot be verified",
				 p->cwd);
	if (here[0] != '/')
		return error_set(
			err, 0,
			"current working directory is outside of container mount namespace root");
	return 0;
}

/* 0, or -errno why path is not a program that this process may run; -EISDIR for a directory. */
static int check_program(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	/* Effective ids and capabilities count, as they do for execve. */
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0)
		return 0;
	/*
	 * Without no_new_privs the filter is loaded by now, and profiles older than faccessat2()
	 * answer EPERM to it.  The old call takes the real ids, which are the same here.
	 */
	if ((errno == EPERM || errno == ENOSYS) &&
	    syscall(SYS_faccessat, AT_FDCWD, path, X_OK) == 0)
		return 0;
	if (errno == EPERM || errno == ENOSYS)
		return (st.st_mode & 0111) != 0 ? 0 : -EACCES;
	return -errno;
}

static int search_path(const struct process_plan *p, char out[PATH_MAX], struct error *err)
{
	const char *name = p->argv[0], *dir = p->path, *end;
	bool denied = false;

	for (; *name != '\0' && dir != NULL; dir = *end != '\0' ? end + 1 : NULL) {
		struct strbuf b = { .text = out, .size = PATH_MAX };
		int r;

		end = strchrnul(dir, ':');
		out[0] = '\0';
		strbuf_addn(&b, dir, (size_t)(end - dir));
		strbuf_add(&b,
			   end == dir ? "./" : "/"); /* an empty element is the working directory */
		strbuf_add(&b, name);
		r = b.overflow ? -ENAMETOOLONG : check_program(out);
		if (r == 0)
			return 0;
		denied |= r == -EACCES;
	}
	if (denied)
		return error_set(err, EACCES, "exec: \"%s\"", name);
	error_set(err, 0, "exec: \"%s\": executable file not found in $PATH", name);
	if (err != NULL)
		err->errnum = ENOENT;
	return -ENOENT;
}

int process_lookup_run(const struct process_plan *p, char out[PATH_MAX], struct error *err)
{
	const char *name = p->argv[0];
	int r;

	if (strchr(name, '/') == NULL)
		return search_path(p, out, err);
	r = strlen(name) >= PATH_MAX ? -ENAMETOOLONG : check_program(name);
	if (r == 0)
		memcpy(out, name, strlen(name) + 1);
	if (r == -EACCES)
		return error_set(err, EACCES, "exec: \"%s\"", name);
	/* Podman knows "permission denied" alone, Docker either. */
	if (r == -EISDIR)
		return error_set(err, EACCES, "exec: \"%s\": is a directory", name);
	return r < 0 ? error_set(err, -r, "exec: \"%s\": stat %s", name, name) : 0;
}

int process_exec_run(const struct process_plan *p, const char *path, struct error *err)
{
	int r;

	execve(path, p->argv, p->env);
	r = error_set(err, errno, "exec %s", path);
	process_reason(path, p->arch, err);
	return r;
}

void process_personality_show(const struct process_plan *p, struct show *out)
{
	show_act(out, "set personality %s",
		 json_choice_name(oci_personality_domains, (int64_t)p->personality));
}

void process_show(const struct process_plan *p, struct show *out)
{
	if (p->argv == NULL) {
		show_act(out, "nothing: the configuration has no process");
		return;
	}
	for (char **e = p->env; *e != NULL; e++) {
		if (p->home != NULL && *e + 5 == p->home)
			show_act(out, "env HOME from the container's /etc/passwd");
		else
			show_act(out, "env %s", *e);
	}
	for (size_t i = 0; p->argv[i] != NULL; i++)
		show_act(out, "argv[%zu] %s", i, p->argv[i]);
}
