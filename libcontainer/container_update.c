/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_update.c - update: other limits, and other devices, for a container that exists.
 *
 * Limits are kept nowhere but in the kernel: what is in force is what `update` starts from, and
 * what somebody else has changed meanwhile is not undone.  Device rules cannot be read back, so
 * those that updates have added are in devices.json beside the record, a resources document.
 */
#include "container_impl.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "base/units.h"
#include "cgroup/cgroup_level.h"
#include "cgroup/cgroup_update.h"


/* --- resources: of a file, or of single values --- */

enum value_kind { VALUE_SIZE, VALUE_I64, VALUE_U64, VALUE_U16, VALUE_TEXT };

/* An option, and the member of struct oci_resources that it fills. */
struct value {
	const char *option;
	enum value_kind kind;
	size_t from;		/* offset of the text in struct container_update_options */
	size_t group;		/* offset of the pointer to the part, as memory */
	size_t group_size;
	size_t to;		/* offset of the pointer to the value in the part */
	/* A number from here to here, or 0, which changes nothing; both 0: any of its kind. */
	int64_t min, max;
	const char *expected;	/* says so in messages */
};

#define VALUE(name, kind_, text, part, type, member, ...) \
	{ .option = "--" name, .kind = (kind_), \
	  .from = offsetof(struct container_update_options, text), \
	  .group = offsetof(struct oci_resources, part), .group_size = sizeof(type), \
	  .to = offsetof(type, member), __VA_ARGS__ }
#define RANGE(from, to, text) .min = (from), .max = (to), .expected = (text)

static const struct value values[] = {
	VALUE("blkio-weight", VALUE_U16, blkio_weight, block_io, struct oci_block_io, weight,
	      RANGE(10, 1000, "a number from 10 to 1000")),
	VALUE("cpu-period", VALUE_U64, cpu_period, cpu, struct oci_cpu, period),
	VALUE("cpu-quota", VALUE_I64, cpu_quota, cpu, struct oci_cpu, quota,
	      RANGE(-1, INT64_MAX, "a number of microseconds, or -1 for no limit")),
	VALUE("cpu-burst", VALUE_U64, cpu_burst, cpu, struct oci_cpu, burst),
	VALUE("cpu-share", VALUE_U64, cpu_shares, cpu, struct oci_cpu, shares),
	VALUE("cpu-idle", VALUE_I64, cpu_idle, cpu, struct oci_cpu, idle, RANGE(0, 1, "0 or 1")),
	VALUE("cpu-rt-period", VALUE_U64, cpu_rt_period, cpu, struct oci_cpu, realtime_period),
	VALUE("cpu-rt-runtime", VALUE_I64, cpu_rt_runtime, cpu, struct oci_cpu, realtime_runtime,
	      RANGE(-1, INT64_MAX, "a number of microseconds, or -1 for no limit")),
	VALUE("cpuset-cpus", VALUE_TEXT, cpuset_cpus, cpu, struct oci_cpu, cpus),
	VALUE("cpuset-mems", VALUE_TEXT, cpuset_mems, cpu, struct oci_cpu, mems),
	VALUE("memory", VALUE_SIZE, memory, memory, struct oci_memory, limit),
	VALUE("memory-reservation", VALUE_SIZE, memory_reservation, memory, struct oci_memory,
	      reservation),
	VALUE("memory-swap", VALUE_SIZE, memory_swap, memory, struct oci_memory, swap),
	VALUE("pids-limit", VALUE_I64, pids_limit, pids, struct oci_pids, limit,
	      RANGE(-1, INT64_MAX, "a number of processes, or -1 for no limit")),
};

#define N_VALUES (sizeof(values) / sizeof(values[0]))

/* NULL: it was not given. */
static const char *text_of(const struct value *v, const struct container_update_options *o)
{
	const char *text;

	memcpy(&text, (const char *)o + v->from, sizeof(text));
	return text;
}

static int bad_value(const struct value *v, const char *text, struct error *err)
{
	static const char *const expected[] = {
		[VALUE_SIZE] = "a size such as 512m or 1g, or -1 for no limit",
		[VALUE_I64] = "a number",
		[VALUE_U64] = "a number that is not negative",
		[VALUE_U16] = "a number from 0 to 65535",
		[VALUE_TEXT] = "a list",
	};

	return error_set(err, 0, "option %s takes %s, not \"%s\"", v->option,
			 v->expected ? v->expected : expected[v->kind], text);
}

static bool in_range(const struct value *v, int64_t number)
{
	return !v->expected || number == 0 || (number >= v->min && number <= v->max);
}

/* The value's memory, in the type of its member; NULL: the text is no such value. */
static void *parse_value(const struct value *v, const char *text, struct arena *a)
{
	int64_t number = 0;
	uint64_t positive = 0;
	uint16_t small;
	int ret = 0;

	if (v->kind == VALUE_TEXT)
		return arena_strdup(a, text);
	if (v->kind == VALUE_SIZE)
		ret = units_size(text, &number);
	else if (v->kind == VALUE_I64)
		ret = str_to_i64(text, &number);
	else
		ret = str_to_u64(text, v->kind == VALUE_U16 ? UINT16_MAX : UINT64_MAX, &positive);
	if (ret < 0 || !in_range(v, v->kind == VALUE_U16 ? (int64_t)positive : number))
		return NULL;
	small = (uint16_t)positive;
	if (v->kind == VALUE_U16)
		return arena_memdup(a, &small, sizeof(small));
	return v->kind == VALUE_U64 ? arena_memdup(a, &positive, sizeof(positive)) :
				      arena_memdup(a, &number, sizeof(number));
}

/* What is found wrong later is told of the option. */
static int read_value(const struct value *v, const char *text, struct json_doc *doc,
		      struct oci_resources *r, struct error *err)
{
	char **group = (char **)(void *)((char *)r + v->group);
	struct arena *a = doc->arena;
	void *value = parse_value(v, text, a);

	if (!value)
		return bad_value(v, text, err);
	if (!*group)
		*group = arena_alloc(a, v->group_size);
	memcpy(*group + v->to, &value, sizeof(value));
	json_place_name(doc, *group + v->to, v->option);
	return 0;
}

static int read_values(const struct container_update_options *o, struct json_doc *doc,
		       struct oci_resources *r, struct error *err)
{
	bool given = o->devices || o->kernel_memory || o->kernel_memory_tcp;

	for (size_t i = 0; i < N_VALUES; i++) {
		const char *text = text_of(&values[i], o);
		int ret;

		if (!text)
			continue;
		given = true;
		/* Scripts pass what they have, and runc takes an empty text for none. */
		if (!*text) {
			log_warning("option %s is empty, and changes nothing", values[i].option);
			continue;
		}
		ret = read_value(&values[i], text, doc, r, err);
		if (ret < 0)
			return ret;
	}
	if (o->kernel_memory || o->kernel_memory_tcp)
		log_warning("--kernel-memory and --kernel-memory-tcp are ignored: kernel memory "
			    "counts towards --memory");
	return given ? 0 : error_set(err, 0, "update needs --resources, or an option that says "
				     "what to change");
}

/* The file says it all; but what was given beside it must not get lost without a word. */
static void warn_beside_file(const struct container_update_options *o)
{
	const char *const others[][2] = {
		{ "--kernel-memory", o->kernel_memory },
		{ "--kernel-memory-tcp", o->kernel_memory_tcp },
		{ "--l3-cache-schema", o->l3_cache_schema },
		{ "--mem-bw-schema", o->mem_bw_schema },
	};
	static const char ignored[] = "option %s is ignored: --resources is given";

	for (size_t i = 0; i < N_VALUES; i++)
		if (text_of(&values[i], o))
			log_warning(ignored, values[i].option);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (others[i][1])
			log_warning(ignored, others[i][0]);
}

static int read_resources(const struct container_update_options *o, struct arena *a,
			  struct oci_config *c, struct error *err)
{
	int ret;

	if (!o->resources && (o->l3_cache_schema || o->mem_bw_schema))
		return error_set(err, 0, "%s is not supported by this build",
				 o->l3_cache_schema ? "--l3-cache-schema" : "--mem-bw-schema");
	c->doc = ARENA_NEW(a, struct json_doc);
	if (!o->resources) {
		*c->doc = (struct json_doc){ .name = "update", .arena = a };
		c->linux->resources = ARENA_NEW(a, struct oci_resources);
		/* The first place is that of the whole. */
		json_place_name(c->doc, c->linux->resources, "");
		ret = read_values(o, c->doc, c->linux->resources, err);
	} else {
		warn_beside_file(o);
		*c->doc = (struct json_doc){ .arena = a };
		ret = oci_text_read(o->resources, c->doc, err);
		if (ret == 0)
			ret = oci_resources_parse(c->doc, &c->linux->resources, err);
		if (ret == 0 && c->linux->resources->n_devices > 0)
			log_debug("%s: devices is ignored: --device changes device rules",
				  c->doc->name);
	}
	return ret == 0 ? oci_resources_check(c->linux->resources, c->doc, err) : ret;
}

/* --- device rules --- */

static int bad_rule(const char *text, struct error *err)
{
	return error_set(err, 0,
			 "option --device takes \"allow|deny TYPE MAJOR:MINOR [ACCESS]\", such as "
			 "\"allow c 10:200 rwm\", not \"%s\"", text);
}

/* "10" or "*"; *out NULL: any. */
static int read_number(const char *text, struct arena *a, int64_t **out)
{
	uint32_t number;

	if (strcmp(text, "*") == 0)
		return 0;
	if (str_to_u32(text, &number) < 0)
		return -EINVAL;
	*out = ARENA_NEW(a, int64_t);
	**out = number;
	return 0;
}

static int read_rule(const char *text, struct arena *a, struct oci_device_cgroup *d,
		     struct error *err)
{
	char *rest = arena_strdup(a, text), *minor;
	const char *action = strsep(&rest, " ");
	const char *type = strsep(&rest, " ");
	char *major = strsep(&rest, " ");
	const char *access = strsep(&rest, " ");

	d->allow = strcmp(action, "allow") == 0;
	if ((!d->allow && strcmp(action, "deny") != 0) || !type || strlen(type) != 1 ||
	    !strchr("abc", *type) || rest)
		return bad_rule(text, err);
	d->type = *type;
	if (!major)
		return d->type == 'a' ? 0 : bad_rule(text, err);
	minor = strchr(major, ':');
	if (!minor)
		return bad_rule(text, err);
	*minor++ = '\0';
	if (read_number(major, a, &d->major) < 0 || read_number(minor, a, &d->minor) < 0)
		return bad_rule(text, err);
	if (access && (!*access || access[strspn(access, "rwm")]))
		return bad_rule(text, err);
	d->access = access ? arena_strdup(a, access) : NULL;
	return 0;
}

static int read_rules(char **texts, struct arena *a, struct oci_resources *r, struct error *err)
{
	for (; texts && *texts; texts++) {
		int ret;

		r->devices = arena_grow(a, r->devices, r->n_devices, sizeof(*r->devices));
		ret = read_rule(*texts, a, &r->devices[r->n_devices++], err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* What earlier updates have added; *out NULL: nothing. */
static int load_rules(int dir, struct arena *a, struct oci_resources **out, struct error *err)
{
	struct json_doc doc = { .name = STATE_DEVICES_FILE, .arena = a };
	char *text;
	int ret = file_read(dir, STATE_DEVICES_FILE, OCI_TEXT_MAX, a, &text, &doc.len);

	*out = NULL;
	if (ret == -ENOENT)
		return 0;
	if (ret < 0)
		return error_set(err, -ret, "read %s of the container", STATE_DEVICES_FILE);
	doc.text = text;
	return oci_resources_parse(&doc, out, err);
}

/* What stands before a rule for everything has no effect, and counts for nothing. */
static void drop_replaced(struct oci_resources *r)
{
	size_t i = r->n_devices;

	while (i > 0 && !oci_device_is_everything(&r->devices[i - 1]))
		i--;
	if (i == 0)
		return;
	r->devices += i - 1;
	r->n_devices -= i - 1;
}

/* Earlier rules and new ones (NULL: none), for the next update. */
static int save_rules(int dir, const struct oci_resources *earlier,
		      const struct oci_resources *added, struct arena *a, struct error *err)
{
	size_t n = earlier ? earlier->n_devices : 0, n_added = added ? added->n_devices : 0;
	struct oci_resources all = { .n_devices = n + n_added };
	struct json_out json;
	int ret;

	if (all.n_devices == 0) {
		(void)unlinkat(dir, STATE_DEVICES_FILE, 0);
		return 0;
	}
	all.devices = ARENA_NEW_ARRAY(a, struct oci_device_cgroup, all.n_devices);
	if (n)
		memcpy(all.devices, earlier->devices, n * sizeof(*all.devices));
	if (n_added)
		memcpy(all.devices + n, added->devices, n_added * sizeof(*all.devices));
	drop_replaced(&all);
	json_out_begin(&json, a, 0);
	json_out_object(&json, oci_resources_fields, &all);
	ret = file_replace(dir, STATE_DEVICES_FILE, 0600, json_out_text(&json), json.len);
	return ret < 0 ? error_set(err, -ret, "write %s of the container", STATE_DEVICES_FILE) : 0;
}

/* --- update --- */

struct update {
	struct container_context *ctx;
	struct container c;
	struct cgroup_ref ref;
	struct oci_config *config;		/* only its resources and its version */
	struct oci_resources rules;		/* of --device */
	struct oci_resources *earlier;		/* rules of updates before */
	struct cgroup_plan plan;
};

/* A file of resources has no version: what they mean is as in the container's configuration. */
static bool version_matters(const struct oci_resources *r)
{
	return r->pids && r->pids->limit && *r->pids->limit == 0;
}

/* All that can be wrong is found here, before anything changes. */
static int compile(struct update *u, struct error *err)
{
	struct arena *a = u->ctx->arena;
	struct oci_config *container = NULL;
	bool devices = u->rules.n_devices > 0;
	int ret = 0;

	if (devices || version_matters(u->config->linux->resources))
		ret = container_saved_config(u->ctx, u->c.dir, u->c.state, &container, err);
	if (ret < 0)
		return ret;
	u->config->oci_version = container ? container->oci_version : NULL;
	cgroup_update_complete(&u->ref, a, u->config->linux->resources);
	ret = cgroup_compile_update(u->config, &u->ref, a, &u->plan, err);
	if (ret < 0 || !devices)
		return ret;
	ret = load_rules(u->c.dir, a, &u->earlier, err);
	if (ret < 0)
		return ret;
	ret = cgroup_update_devices_compile(container, u->earlier, &u->rules, a, &u->plan, err);
	return ret < 0 ? error_prefix(err, "--device") : 0;
}

/*
 * The record of the rules comes first: rules in force that it does not name would be dropped by the
 * next update.
 */
static int run_devices(struct update *u, const struct cgroup *cg, struct error *err)
{
	struct error again = { 0 };
	int ret = save_rules(u->c.dir, u->earlier, &u->rules, u->ctx->arena, err);

	if (ret < 0)
		return ret;
	ret = cgroup_update_devices_run(&u->plan, cg, err);
	if (ret < 0 && save_rules(u->c.dir, u->earlier, NULL, u->ctx->arena, &again) < 0)
		log_warning("%s", again.text);
	return ret;
}

static int carry_out(struct update *u, struct error *err)
{
	bool devices = u->rules.n_devices > 0;
	struct cgroup_old_value *old = NULL;
	struct cgroup cg;
	int ret;

	if (u->plan.n_writes == 0 && !devices)
		return 0;
	ret = cgroup_open_exec(&u->ref, NULL, u->ctx->arena, &cg, err);
	if (ret < 0)
		return ret;
	ret = cgroup_update_run(&u->plan, &cg, u->ctx->arena, &old, err);
	if (ret == 0 && devices) {
		ret = run_devices(u, &cg, err);
		if (ret < 0)
			cgroup_update_restore(&u->plan, &cg, old);
	}
	if (ret == 0 && devices)
		ret = cgroup_update_devices_keep(&u->plan, err);
	if (ret == 0)
		cgroup_level_warn(&u->plan);
	cgroup_close(&cg);
	return ret;
}

static int update_opened(struct update *u, struct error *err)
{
	const struct state *s = u->c.state;
	int ret;

	if (container_check_record(u->ctx, &u->c, err) < 0)
		return -EINVAL;
	if (container_status_of(&u->c) == CONTAINER_STOPPED)
		return container_not_running(&u->c, err);
	if (s->cgroup)
		u->ref = *s->cgroup;
	ret = compile(u, err);
	/* Engines also send what changes nothing. */
	if ((ret < 0 || u->plan.n_writes > 0) && !cgroup_ref_is_used(&u->ref))
		return error_set(err, 0, "container %s has no cgroup: its limits cannot be changed",
				 s->id);
	return ret == 0 ? carry_out(u, err) : ret;
}

int container_update(struct container_context *ctx, const char *id,
		     const struct container_update_options *o, struct error *err)
{
	struct oci_config *config = ARENA_NEW(ctx->arena, struct oci_config);
	struct update u = { .ctx = ctx, .config = config };
	int ret;

	config->linux = ARENA_NEW(ctx->arena, struct oci_linux);
	/* Before the lock: standard input may be slow. */
	ret = read_resources(o, ctx->arena, config, err);
	if (ret == 0)
		ret = read_rules(o->devices, ctx->arena, &u.rules, err);
	if (ret < 0)
		return ret;
	ret = container_open(ctx, id, true, &u.c, err);
	if (ret == 0)
		ret = update_opened(&u, err);
	container_close(&u.c);
	return ret;
}
