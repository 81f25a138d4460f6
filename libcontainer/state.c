/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "notify_socket.h"
#include "state_lock.h"

#define INTENT_FILE "intent.json"
#define STATE_FILE "state.json"
#define RECORD_MAX OCI_TEXT_MAX
/* What state.json has and intent.json has not: two members with numbers. */
#define PID_AND_TIME_MAX 128
/* A directory may vanish between mkdir() and the lock each time a `delete --force` comes by. */
#define NEW_TRIES_MAX 100

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
	FIELD(mount_namespace, "mountNamespace", JSON_OPTIONAL), \
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

int state_id_error(const char *id, struct error *err)
{
	if (strcmp(id, STATE_CACHE) == 0)
		return error_set(err, 0,
				 "invalid container id \"%s\": this name is reserved for a "
				 "directory of kist's own", id);
	return error_set(err, 0,
			 "invalid container id \"%s\": use letters, digits, _ . + - (at most 255, "
			 "and neither . nor ..)", id);
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

/* 0, -EEXIST (no message: the caller knows whose it is), or another negative error. */
static int write_record(int dir, const char *name, const char *text, size_t len, const char *id,
			struct error *err)
{
	/* The name is new in a directory of our own; a reader that meets it half-written takes the
	 * other file. */
	int ret = file_create(dir, name, 0600, text, len);

	if (ret < 0 && ret != -EEXIST)
		error_set(err, -ret, "write %s of container %s", name, id);
	return ret;
}

static const char *record_text(const struct state *s, const struct json_field *fields,
			       struct arena *a, size_t *len)
{
	struct json_out out;

	json_out_begin(&out, a, 0);
	json_out_object(&out, fields, s);
	*len = out.len;
	return json_out_text(&out);
}

static int exists_error(const char *id, struct error *err)
{
	error_set(err, 0, "container with id %s already exists", id);
	return -EEXIST;
}

/*
 * Makes the directory and takes its lock.  >= 0: its descriptor.  -ENOENT: somebody has removed it
 * before it was locked, as a `delete --force` of this id may.
 */
static int make_locked(int root, const char *id, struct error *err)
{
	owned_fd dir = -1;
	int ret;

	if (mkdirat(root, id, 0700) < 0)
		return errno == EEXIST ? exists_error(id, err) :
		       error_set(err, errno, "create the directory of container %s", id);
	dir = openat(root, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 && errno == ENOENT)
		return -ENOENT;
	if (dir < 0) {
		error_set(err, errno, "open the directory of container %s", id);
		ret = -EIO;
	} else {
		/* Whoever lists containers holds it for a moment, to see whether its creator is at
		 * work. */
		ret = state_lock_take(dir, id, err);
	}
	/* Removes nothing but an empty directory, and not that of a `create` which came since. */
	if (ret < 0 && ret != -ENOENT && (dir < 0 || state_lock_fits(dir, id) == 1))
		(void)unlinkat(root, id, AT_REMOVEDIR);
	return ret < 0 ? ret : fd_take(&dir);
}

int state_new(int root, const struct state *s, struct arena *a, struct error *err)
{
	owned_fd dir = -1;
	struct error ignored;
	const char *text;
	size_t len;
	int ret = -ENOENT;

	text = record_text(s, intent_fields, a, &len);
	if (len + PID_AND_TIME_MAX > RECORD_MAX)
		return error_set(err, 0,
				 "the configuration with its annotations makes a record of %zu "
				 "bytes; it may have %u", len, RECORD_MAX - PID_AND_TIME_MAX);
	for (int i = 0; i < NEW_TRIES_MAX && ret == -ENOENT; i++)
		ret = make_locked(root, s->id, err);
	if (ret == -ENOENT)
		return error_set(err, 0, "the directory of container %s is removed again and again",
				 s->id);
	if (ret < 0)
		return ret;
	dir = ret;
	/* Whoever writes the intent has the id: if one is there, another create has opened the
	 * directory that this one made, or this one has opened that of another. */
	ret = write_record(dir, INTENT_FILE, text, len, s->id, err);
	if (ret == -EEXIST)
		return exists_error(s->id, err);
	if (ret < 0) {
		(void)state_remove(dir, s->id, &ignored);
		return ret;
	}
	return fd_take(&dir);
}

int state_save(int dir, const struct state *s, struct arena *a, struct error *err)
{
	size_t len;
	const char *text = record_text(s, state_fields, a, &len);
	int ret = write_record(dir, STATE_FILE, text, len, s->id, err);

	return ret == -EEXIST ? error_set(err, EEXIST, "write %s", STATE_FILE) : ret;
}

/* The directory is ours alone: no need to look before opening, as file_read() does. */
static int read_text(int dir, const char *name, size_t max, struct arena *a, char **text,
		     size_t *len)
{
	owned_fd fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? -errno : file_read_fd(fd, max, a, text, len);
}

/*
 * 0; -EBADMSG: the file is damaged, so that the other one must do; -ENOENT; or why it cannot be
 * read just now, which says nothing about the container.
 */
static int read_record(int dir, const char *name, const struct json_field *fields,
		       struct state *s, struct arena *a)
{
	struct json_doc doc = { .name = name, .arena = a };
	struct error err = { 0 };
	char *text;
	int ret = read_text(dir, name, RECORD_MAX, a, &text, &doc.len);

	/* These say that the file itself is bad: too large, or none. */
	if (ret == -EFBIG || ret == -ELOOP || ret == -EISDIR || ret == -ENXIO || ret == -EINVAL)
		return -EBADMSG;
	if (ret < 0)
		return ret;
	doc.text = text;
	*s = (struct state){ 0 };
	if (json_read(&doc, fields, s, &err) == 0)
		return 0;
	log_debug("%s", err.text);
	return -EBADMSG;
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

static int read_state(int dir, const char *id, struct state *s, struct arena *a)
{
	int ret = read_record(dir, STATE_FILE, state_fields, s, a);

	return ret == 0 && (s->pid <= 0 || !is_own(s, id)) ? -EBADMSG : ret;
}

static int read_intent(int dir, const char *id, struct state *s, struct arena *a)
{
	int ret = read_record(dir, INTENT_FILE, intent_fields, s, a);

	return ret == 0 && !is_own(s, id) ? -EBADMSG : ret;
}

/*
 * The record names programs that kist runs and processes that it kills.  One that another user
 * could have written is not obeyed: a state root may lie where others can make directories.
 */
static int check_owner(int dir, const char *id, struct error *err)
{
	struct stat st;

	if (fstat(dir, &st) < 0)
		return error_set(err, errno, "look at the directory of container %s", id);
	if (st.st_uid != geteuid())
		return error_set(err, EPERM,
				 "the directory of container %s belongs to user %u, but kist runs "
				 "as user %u", id, st.st_uid, geteuid());
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return error_set(err, EPERM,
				 "the directory of container %s can be written by others (mode "
				 "%04o)", id, st.st_mode & 07777);
	return 0;
}

int state_open(int root, const char *id, struct error *err)
{
	owned_fd dir = -1;

	if (!state_id_is_valid(id))
		return state_id_error(id, err);
	dir = openat(root, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 && errno == ENOENT) {
		error_set(err, 0, "container %s does not exist", id);
		return -ENOENT;
	}
	if (dir < 0)
		return error_set(err, errno, "open the directory of container %s", id);
	return check_owner(dir, id, err) < 0 ? -EPERM : fd_take(&dir);
}

int state_read(int dir, const char *id, struct arena *a, struct state **out, struct error *err)
{
	struct state *s = ARENA_NEW(a, struct state);
	int first = read_state(dir, id, s, a), ret = first;

	if (first == -EBADMSG || first == -ENOENT)
		ret = read_intent(dir, id, s, a);
	if (ret == -EBADMSG || ret == -ENOENT)
		*s = (struct state){ 0 };
	else if (ret < 0)
		return error_set(err, -ret, "read the record of container %s", id);
	s->lost = first == -EBADMSG;
	s->blank = first == -ENOENT && ret == -ENOENT;
	s->id = arena_strdup(a, id);
	*out = s;
	return 0;
}

int state_load_config(int dir, struct state *s, struct arena *a, struct error *err)
{
	size_t len;
	char *text;
	int ret;

	if (s->config.text)
		return 0;
	ret = read_text(dir, INTENT_FILE, RECORD_MAX, a, &text, &len);
	if (ret == 0 && json_member(text, len, "config", &s->config))
		return 0;
	if (state_lock_fits(dir, s->id) == 0)
		return error_set(err, 0, "container %s does not exist (it was deleted meanwhile)",
				 s->id);
	return error_set(err, ret == -ENOENT ? 0 : -ret,
			 "container %s: its saved configuration cannot be read", s->id);
}

void state_recover_cgroup(int dir, struct state *s, struct arena *a)
{
	struct state intent;

	if ((!s->cgroup || s->cgroup->n_dirs == 0) && read_intent(dir, s->id, &intent, a) == 0)
		s->cgroup = intent.cgroup;
}

/*
 * The record, and in *fd what holds it: a lock of the open file (F_OFD_SETLK), which ends with
 * whoever has that.  1: there was one already, 0, or -errno.
 */
static int tracer_open(int dir, short type, int *fd)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };
	struct stat st;

	*fd = openat(dir, STATE_TRACER_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*fd < 0 || fstat(*fd, &st) < 0)
		return -errno;
	if (st.st_size > 0)
		return 1;
	if (fcntl(*fd, F_OFD_SETLK, &lock) < 0)
		return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
	/* It may have been written before the lock was there. */
	return fstat(*fd, &st) < 0 ? -errno : st.st_size > 0;
}

int state_tracer_add(int dir, struct error *err)
{
	owned_fd fd = -1;
	int ret = tracer_open(dir, F_WRLCK, &fd);

	if (ret == 0)
		ret = fd_write_all(fd, "1\n", 2);
	if (ret == -EBUSY)
		return error_set(err, EBUSY,
				 "another exec has privilege in the container just now, which a "
				 "process with CAP_SYS_PTRACE could take over: try again");
	return ret < 0 ? error_set(err, -ret, "write %s of the container", STATE_TRACER_FILE) : 0;
}

bool state_tracer_look(int dir, int *hold)
{
	owned_fd fd = -1;

	if (tracer_open(dir, F_RDLCK, &fd) != 0)
		return true;
	*hold = fd_take(&fd);
	return false;
}

/* What kist makes in a container's directory. */
static const struct name {
	const char *text;
	mode_t type;
} names[] = {
	/* 0: a record may be damaged in any way. */
	{ INTENT_FILE, 0 },
	{ STATE_FILE, 0 },
	{ STATE_DEVICES_FILE, S_IFREG },
	{ STATE_TRACER_FILE, S_IFREG },
	{ STATE_START_SOCKET, S_IFSOCK },
	/* A container fills it as it likes, but it goes before the record does. */
	{ NOTIFY_SOCKET_DIRECTORY, S_IFDIR },
};

static bool is_empty(int dir, const char *name)
{
	owned_fd fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dir_iter it;
	int ret;

	return fd >= 0 && dir_begin(&it, fd) == 0 && !dir_next(&it, NULL, &ret) && ret == 0;
}

/* Whether nothing of anybody else's is lost with it. */
static bool name_is_own(int dir, const char *name, bool blank)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT;
	if (S_ISREG(st.st_mode) && file_is_temporary(name))
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(name, names[i].text) != 0)
			continue;
		if (names[i].type == 0)
			return !S_ISDIR(st.st_mode) || is_empty(dir, name);
		return (st.st_mode & S_IFMT) == names[i].type && !(blank && S_ISDIR(st.st_mode));
	}
	return false;
}

int state_check_names(int dir, const struct state *s, struct error *err)
{
	struct dir_iter it;
	const char *name;
	int ret = dir_begin(&it, dir);

	while (ret == 0 && (name = dir_next(&it, NULL, &ret))) {
		if (name_is_own(dir, name, s->blank))
			continue;
		error_set(err, 0,
			  "%s in the state directory is not a container's directory: it has no "
			  "record, but %s, which kist did not make",
			  s->id, name);
		return -ENOTEMPTY;
	}
	return ret < 0 ? error_set(err, -ret, "read the directory of container %s", s->id) : 0;
}

int state_remove(int dir, const char *id, struct error *err)
{
	static const char *const files[] = { STATE_START_SOCKET, STATE_DEVICES_FILE,
					     STATE_TRACER_FILE, INTENT_FILE, STATE_FILE };
	char path[STATE_ID_MAX + sizeof("../")];
	int ret;

	/* As long as there is a record, it says that whatever is in there is the container's. */
	ret = dir_remove_tree(dir, NOTIFY_SOCKET_DIRECTORY);
	if (ret < 0)
		return error_set(err, -ret, "remove the notify directory of container %s", id);
	/*
	 * state.json goes last, so that the container counts as stopped to the end.  If kist is
	 * killed in between, the one file that is left still names all that there was.
	 */
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		(void)unlinkat(dir, files[i], 0);
	/* By way of the directory itself: a descriptor of the state root may be one too many. */
	snprintf(path, sizeof(path), "../%s", id);
	if (unlinkat(dir, path, AT_REMOVEDIR) == 0)
		return 0;
	ret = dir_remove_tree(dir, path);
	if (ret < 0)
		return error_set(err, -ret, "remove the directory of container %s", id);
	return 0;
}

bool state_is_foreign(int root, const char *name)
{
	struct state s = { .id = (char *)name, .blank = true };
	struct error ignored;
	struct stat st;
	owned_fd dir = openat(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return errno == ENOTDIR || errno == ELOOP;
	if (fstatat(dir, INTENT_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
	    fstatat(dir, STATE_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return false;
	return state_check_names(dir, &s, &ignored) == -ENOTEMPTY;
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
	/* The first thread may end before the others: a zombie that has threads. */
	return st.start_time == s->start_time &&
	       (st.threads > 1 || (st.state != 'Z' && st.state != 'X'));
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
		/* Of a process that has ended the number is another's, soon. */
		.pid = strcmp(status, "stopped") == 0 ? 0 : s->pid,
		.bundle = s->bundle,
		.annotations = s->annotations,
		.n_annotations = s->n_annotations,
	};
	struct json_out out;

	json_out_begin(&out, a, 0);
	json_out_object(&out, hook_state_fields, &h);
	return json_out_text(&out);
}
