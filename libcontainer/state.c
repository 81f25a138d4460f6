/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"

#define INTENT_FILE "intent.json"
#define STATE_FILE "state.json"
#define STATE_MAX (1u << 20)
#define INTENT_MAX (64u << 20)
/* How long a command waits for another one on the same container. */
#define LOCK_TIMEOUT_MS 10000

#define JSON_TYPE struct state
#define STATE_MEMBERS \
	FIELD(oci_version, "ociVersion", JSON_REQUIRED), \
	FIELD(id, "id", JSON_REQUIRED), \
	FIELD(pid, "pid", JSON_OPTIONAL), \
	FIELD(start_time, "startTime", JSON_OPTIONAL), \
	FIELD(bundle, "bundle", JSON_REQUIRED), \
	FIELD(rootfs, "rootfs", JSON_OPTIONAL), \
	FIELD(created, "created", JSON_REQUIRED), \
	FIELD(owner, "owner", JSON_OPTIONAL), \
	FIELD(pid_namespace, "pidNamespace", JSON_OPTIONAL), \
	FIELD(poststart, "poststart", JSON_OPTIONAL), \
	FIELD(poststop, "poststop", JSON_OPTIONAL), \
	PAIRS(annotations, "annotations", JSON_OPTIONAL), \
	OBJECT(cgroup, "cgroup", cgroup_ref_fields, JSON_OPTIONAL)

static const struct json_field state_fields[] = { STATE_MEMBERS, { 0 } };
static const struct json_field intent_fields[] = {
	STATE_MEMBERS,
	SPAN(config, "config", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

/* What hooks and engines know as "state". */
struct hook_state {
	char *oci_version;
	char *id;
	char *status;
	int32_t pid;
	char *bundle;
	struct oci_pair *annotations;
	size_t n_annotations;
};

#define JSON_TYPE struct hook_state
static const struct json_field hook_state_fields[] = {
	FIELD(oci_version, "ociVersion", JSON_REQUIRED),
	FIELD(id, "id", JSON_REQUIRED),
	FIELD(status, "status", JSON_REQUIRED),
	FIELD(pid, "pid", JSON_OPTIONAL),
	FIELD(bundle, "bundle", JSON_REQUIRED),
	PAIRS(annotations, "annotations", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

bool state_id_is_valid(const char *id)
{
	return str_is_container_id(id) && strcmp(id, STATE_CACHE) != 0;
}

/* ---- the state root ------------------------------------------------------------------------- */

/* Makes a directory and the missing ones above it; all of them belong to the host, not to a
 * container. */
static int make_directories(const char *path)
{
	char part[4096];
	size_t len = strlen(path);

	if (len >= sizeof(part))
		return -ENAMETOOLONG;
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		/* Ancestors of the state root are ordinary directories (0755); the root itself is
		 * private. */
		if (mkdir(part, i == len ? 0700 : 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

int state_root_open(const char *root, bool create, struct error *err)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && create) {
		int ret = make_directories(root);

		if (ret < 0)
			return error_set(err, -ret, "create the state directory %s", root);
		fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return error_set(err, errno, "open the state directory %s", root);
	return fd;
}

/* ---- one container's directory -------------------------------------------------------------- */

static int write_record(int dir, const char *name, const struct json_field *fields,
			const struct state *s, struct arena *a, struct error *err)
{
	struct json_out out;
	const char *text;
	int ret;

	json_out_begin(&out, a, 0);
	json_out_object(&out, fields, s);
	text = json_out_text(&out);
	/* The name is new in a directory of our own; a reader that meets it half-written takes the
	 * other file. */
	ret = file_create(dir, name, 0600, text, out.len);
	if (ret < 0)
		return error_set(err, -ret, "write %s of container %s", name, s->id);
	return 0;
}

/* Only interrupts what the process waits for. */
static void wake_up(int sig)
{
	(void)sig;
}

/* flock() knows no time-out: a timer's signal ends the wait. */
static int lock_until(int dir, int timeout_ms)
{
	struct sigaction wake = { .sa_handler = wake_up }, old;
	struct itimerval timer = {
		.it_value = { .tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000 },
		/* Again and again, in case the first comes before flock() has begun to wait. */
		.it_interval = { .tv_usec = 50000 },
	};
	static const struct itimerval off;
	sigset_t alarm, old_mask;
	int ret;

	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	if (sigaction(SIGALRM, &wake, &old) < 0 || setitimer(ITIMER_REAL, &timer, NULL) < 0)
		return -errno;
	/* create has blocked all signals by now. */
	(void)sigprocmask(SIG_UNBLOCK, &alarm, &old_mask);
	ret = flock(dir, LOCK_EX) < 0 ? -errno : 0;
	(void)setitimer(ITIMER_REAL, &off, NULL);
	(void)sigprocmask(SIG_SETMASK, &old_mask, NULL);
	(void)sigaction(SIGALRM, &old, NULL);
	return ret;
}

int state_lock(int dir, const char *id, struct error *err)
{
	int ret = flock(dir, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;

	if (ret == -EWOULDBLOCK)
		ret = lock_until(dir, LOCK_TIMEOUT_MS);
	if (ret == -EINTR)
		return error_set(err, 0, "container %s is locked by another kist command for %d s",
				 id, LOCK_TIMEOUT_MS / 1000);
	return ret < 0 ? error_set(err, -ret, "lock container %s", id) : 0;
}

int state_new(int root, const struct state *s, struct arena *a, struct error *err)
{
	owned_fd dir = -1;

	if (mkdirat(root, s->id, 0700) < 0) {
		if (errno == EEXIST) {
			error_set(err, 0, "container with id %s already exists", s->id);
			return -EEXIST;
		}
		return error_set(err, errno, "create the directory of container %s", s->id);
	}
	dir = openat(root, s->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0) {
		error_set(err, errno, "open the directory of container %s", s->id);
		(void)unlinkat(root, s->id, AT_REMOVEDIR);
		return -EIO;
	}
	/* Whoever lists containers may hold it for a moment, to see whether its creator is at
	 * work. */
	if (state_lock(dir, s->id, err) < 0) {
		(void)unlinkat(root, s->id, AT_REMOVEDIR);
		return -EIO;
	}
	if (write_record(dir, INTENT_FILE, intent_fields, s, a, err) < 0) {
		struct error ignored;

		(void)state_remove(root, s->id, &ignored);
		return -EIO;
	}
	return fd_take(&dir);
}

int state_save(int dir, const struct state *s, struct arena *a, struct error *err)
{
	return write_record(dir, STATE_FILE, state_fields, s, a, err);
}

/* The directory is ours alone: no need to look before opening, as file_read() does. */
static int read_text(int dir, const char *name, size_t max, struct arena *a, char **text,
		     size_t *len)
{
	owned_fd fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? -errno : file_read_fd(fd, max, a, text, len);
}

static int read_record(int dir, const char *name, size_t max, const struct json_field *fields,
		       struct state *s, struct arena *a)
{
	struct json_doc doc = { .name = name, .arena = a };
	struct error err = { 0 };
	char *text;
	int ret = read_text(dir, name, max, a, &text, &doc.len);

	if (ret < 0)
		return ret;
	doc.text = text;
	ret = json_read(&doc, fields, s, &err);
	if (ret < 0)
		log_debug("%s", err.text);
	return ret;
}

/* Everything in these cgroups is killed at the end: the root of a hierarchy, or what is beside it,
 * never is ours. */
static bool cgroup_is_sane(const struct cgroup_ref *ref)
{
	for (size_t i = 0; ref && i < ref->n_dirs; i++) {
		const char *path = ref->dirs[i].path;

		/* "" is a hierarchy that is not used. */
		if (*path && (*path != '/' || !path[strspn(path, "/")] || path_has_dotdot(path)))
			return false;
	}
	return true;
}

/* The directory's name is the truth: a record that claims another id was tampered with. */
static bool is_own(const struct state *s, const char *id)
{
	return strcmp(s->id, id) == 0 && s->pid >= 0 && cgroup_is_sane(s->cgroup);
}

static bool read_state(int dir, const char *id, struct state *s, struct arena *a)
{
	*s = (struct state){ 0 };
	return read_record(dir, STATE_FILE, STATE_MAX, state_fields, s, a) == 0 && s->pid > 0 &&
	       is_own(s, id);
}

static bool read_intent(int dir, const char *id, struct state *s, struct arena *a)
{
	*s = (struct state){ 0 };
	return read_record(dir, INTENT_FILE, INTENT_MAX, intent_fields, s, a) == 0 && is_own(s, id);
}

int state_load(int root, const char *id, struct arena *a, struct state **out, int *dir,
	       struct error *err)
{
	struct state s;
	owned_fd fd = -1;

	if (!state_id_is_valid(id))
		return error_set(
			err, 0,
			"invalid container id \"%s\": use letters, digits, _ . + - (at most 255)",
			id);
	fd = openat(root, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		error_set(err, 0, "container %s does not exist", id);
		return -ENOENT;
	}
	if (fd < 0)
		return error_set(err, errno, "open the directory of container %s", id);
	if (!read_state(fd, id, &s, a) && !read_intent(fd, id, &s, a))
		s = (struct state){ 0 };
	s.id = arena_strdup(a, id);
	*out = arena_memdup(a, &s, sizeof(s));
	*dir = fd_take(&fd);
	return 0;
}

int state_load_config(int dir, struct state *s, struct arena *a, struct error *err)
{
	size_t len;
	char *text;

	if (s->config.text || (read_text(dir, INTENT_FILE, INTENT_MAX, a, &text, &len) == 0 &&
			       json_member(text, len, "config", &s->config)))
		return 0;
	return error_set(err, 0, "container %s: its saved configuration cannot be read", s->id);
}

void state_recover_cgroup(int dir, struct state *s, struct arena *a)
{
	struct state intent;

	if ((!s->cgroup || s->cgroup->n_dirs == 0) && read_intent(dir, s->id, &intent, a))
		s->cgroup = intent.cgroup;
}

int state_remove(int root, const char *id, struct error *err)
{
	owned_fd dir = openat(root, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int ret;

	if (dir >= 0) {
		(void)unlinkat(dir, STATE_FILE, 0);
		(void)unlinkat(dir, STATE_START_SOCKET, 0);
		/* The intent goes last: killed before this, a new `delete -f` still knows
		 * everything. */
		(void)unlinkat(dir, INTENT_FILE, 0);
		if (unlinkat(root, id, AT_REMOVEDIR) == 0)
			return 0;
	}
	ret = dir_remove_tree(root, id);
	if (ret < 0)
		return error_set(err, -ret, "remove the directory of container %s", id);
	return 0;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int state_ids(int root, struct arena *a, char ***out, size_t *n, struct error *err)
{
	struct dir_iter it;
	unsigned char type;
	const char *name;
	char **ids = NULL;
	int ret = dir_begin(&it, root);

	*n = 0;
	while (ret == 0 && (name = dir_next(&it, &type, &ret))) {
		if (!state_id_is_valid(name))
			continue;
		ids = arena_grow(a, ids, *n, sizeof(*ids));
		ids[(*n)++] = arena_strdup(a, name);
	}
	if (ret < 0)
		return error_set(err, -ret, "read the state directory");
	if (*n > 1)
		qsort(ids, *n, sizeof(*ids), compare_ids);
	*out = ids;
	return 0;
}

/* ---- facts derived from the record ---------------------------------------------------------- */

int state_alive(const struct state *s, int proc)
{
	struct proc_stat st;
	int ret;

	if (s->pid <= 0)
		return 0;
	ret = proc_stat(proc, s->pid, &st);
	if (ret == -ESRCH || ret == -ENOENT)
		return 0;
	if (ret < 0)
		return ret;
	return st.start_time == s->start_time && st.state != 'Z' && st.state != 'X';
}

bool state_waits_for_start(int dir)
{
	struct stat st;

	return fstatat(dir, STATE_START_SOCKET, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISSOCK(st.st_mode);
}

char *state_now(struct arena *a)
{
	struct timespec ts;
	int64_t days, era, doe, yoe, doy, mp;
	int second;

	/* By hand: gmtime_r() would open the time zone file. */
	clock_gettime(CLOCK_REALTIME, &ts);
	days = ts.tv_sec / 86400 + 719468;
	second = (int)(ts.tv_sec % 86400);
	era = days / 146097;
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	return arena_printf(a, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ",
			    (int)(yoe + era * 400 + (mp >= 10)), (int)(mp < 10 ? mp + 3 : mp - 9),
			    (int)(doy - (153 * mp + 2) / 5 + 1), second / 3600, second / 60 % 60,
			    second % 60, ts.tv_nsec);
}

const char *state_for_hooks(const struct state *s, const char *status, struct arena *a)
{
	struct hook_state h = {
		.oci_version = s->oci_version,
		.id = s->id,
		.status = arena_strdup(a, status),
		.pid = s->pid,
		.bundle = s->bundle,
		.annotations = s->annotations,
		.n_annotations = s->n_annotations,
	};
	struct json_out out;

	json_out_begin(&out, a, 0);
	json_out_object(&out, hook_state_fields, &h);
	return json_out_text(&out);
}
