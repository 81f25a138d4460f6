/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Properties.  systemd: systemd.resource-control(5), org.freedesktop.systemd1(5).
 */
#include "cgroup/cgroup_property.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cgroup/cgroup_gvariant.h"

#define JSON_TYPE struct cgroup_property
const struct json_field cgroup_property_fields[] = {
	FIELD(name, "name", JSON_REQUIRED),
	FIELD(type, "type", JSON_REQUIRED),
	FIELD(values, "values", JSON_REQUIRED),
	FIELD(optional, "optional", JSON_OPTIONAL),
	{ 0 }
};
#undef JSON_TYPE

#define USEC_PER_SEC 1000000
/* "Without limit", for systemd. */
#define INFINITY_TEXT "18446744073709551615"
/* systemd keeps quotas in hundredths of a processor: 10 ms a second. */
#define QUOTA_STEP 10000
#define CPUS_MAX 8192
#define SHARES_MIN 2
#define SHARES_MAX 262144

#define STRING_OF(x) #x
#define STRING(x) STRING_OF(x)

static struct cgroup_property *find(struct cgroup_properties *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->list[i].name, name) == 0)
			return &p->list[i];
	}
	return NULL;
}

static struct cgroup_property *get(struct cgroup_properties *p, struct arena *a, const char *name,
				   const char *type)
{
	struct cgroup_property *property = find(p, name);

	if (!property) {
		p->list = arena_grow(a, p->list, p->n, sizeof(*p->list));
		property = &p->list[p->n++];
		*property = (struct cgroup_property){ .name = arena_strdup(a, name) };
	}
	property->type = arena_strdup(a, type);
	return property;
}

static void append(struct cgroup_property *property, struct arena *a, const char *value)
{
	size_t n = 0;

	while (property->values && property->values[n])
		n++;
	property->values = arena_grow(a, property->values, n, sizeof(*property->values));
	property->values[n] = arena_strdup(a, value);
	property->values = arena_grow(a, property->values, n + 1, sizeof(*property->values));
	property->values[n + 1] = NULL;
}

void cgroup_property_set(struct cgroup_properties *p, struct arena *a, const char *name,
			 const char *type, const char *value)
{
	struct cgroup_property *property = get(p, a, name, type);

	property->values = NULL;
	append(property, a, value);
}

/* --- settings --- */

struct rule {
	const char *file;
	const char *property;
	void (*add)(struct cgroup_properties *p, struct arena *a, const struct rule *r,
		    const char *value);
};

static void set_optional(struct cgroup_properties *p, struct arena *a, const char *name,
			 const char *type, const char *value)
{
	cgroup_property_set(p, a, name, type, value);
	find(p, name)->optional = true;
}

/* A number, "max" or -1. */
static void add_number(struct cgroup_properties *p, struct arena *a, const struct rule *r,
		       const char *value)
{
	uint64_t n;

	if (strcmp(value, "max") == 0 || strcmp(value, "-1") == 0)
		value = INFINITY_TEXT;
	else if (str_to_u64(value, UINT64_MAX, &n) < 0)
		return;
	set_optional(p, a, r->property, "t", value);
}

/* The same in bytes: "unified" may have "512M", as the kernel (memparse()) takes it. */
static void add_size(struct cgroup_properties *p, struct arena *a, const struct rule *r,
		     const char *value)
{
	static const char units[] = "KMGTPE";
	size_t digits = strspn(value, "0123456789");
	const char *unit = value[digits] ? strchr(units, value[digits] & ~0x20) : NULL;
	unsigned int shift = unit ? 10 * (unsigned int)(unit - units + 1) : 0;
	uint64_t n;

	if (unit && !value[digits + 1] &&
	    str_to_u64(arena_strndup(a, value, digits), UINT64_MAX >> shift, &n) == 0)
		value = arena_printf(a, "%" PRIu64, n << shift);
	add_number(p, a, r, value);
}

/* The kernel brings what is outside its range into it, systemd refuses. */
static void add_shares(struct cgroup_properties *p, struct arena *a, const struct rule *r,
		       const char *value)
{
	uint64_t n;

	if (str_to_u64(value, UINT64_MAX, &n) == 0)
		add_number(p, a, r, n < SHARES_MIN   ? STRING(SHARES_MIN)
				    : n > SHARES_MAX ? STRING(SHARES_MAX)
						     : value);
}

/* Since systemd 252 the weight 0 stands for idle; there is none for "not idle any more". */
static void add_idle(struct cgroup_properties *p, struct arena *a, const struct rule *r,
		     const char *value)
{
	if (strcmp(value, "1") == 0)
		set_optional(p, a, r->property, "t", "0");
}

/* "default 100", or "MAJOR:MINOR 100". */
static void add_weight(struct cgroup_properties *p, struct arena *a, const struct rule *r,
		       const char *value)
{
	const char *number = strchr(value, ' ');
	struct cgroup_property *property;

	if (!number || str_starts(value, "default ")) {
		add_number(p, a, r, number ? number + 1 : value);
		return;
	}
	property = get(p, a, "IODeviceWeight", "a(st)");
	property->optional = true;
	append(property, a, arena_printf(a, "/dev/block/%.*s", (int)(number - value), value));
	append(property, a, number + 1);
}

/* "MAJOR:MINOR rbps=N wiops=max ..." */
static void add_io_max(struct cgroup_properties *p, struct arena *a, const struct rule *r,
		       const char *value)
{
	static const char *const names[][2] = {
		{ "rbps", "IOReadBandwidthMax" }, { "wbps", "IOWriteBandwidthMax" },
		{ "riops", "IOReadIOPSMax" }, { "wiops", "IOWriteIOPSMax" },
	};
	char *rest = arena_strdup(a, value), *word;
	const char *device = strsep(&rest, " ");

	(void)r;
	while ((word = strsep(&rest, " "))) {
		char *number = strchr(word, '=');
		struct cgroup_property *property;

		for (size_t i = 0; number && i < sizeof(names) / sizeof(*names); i++) {
			if ((size_t)(number - word) != strlen(names[i][0]) ||
			    !str_starts(word, names[i][0]))
				continue;
			property = get(p, a, names[i][1], "a(st)");
			property->optional = true;
			append(property, a, arena_printf(a, "/dev/block/%s", device));
			append(property, a, strcmp(number + 1, "max") ? number + 1 : INFINITY_TEXT);
		}
	}
}

/* Quota and period in microseconds; quota 0: only the period is known. */
static void set_quota(struct cgroup_properties *p, struct arena *a, uint64_t quota, uint64_t period)
{
	uint64_t per_second;

	if (quota == 0 || period == 0 || quota > UINT64_MAX / USEC_PER_SEC)
		return;
	per_second = quota * USEC_PER_SEC / period;
	per_second = (per_second + QUOTA_STEP - 1) / QUOTA_STEP * QUOTA_STEP;
	set_optional(p, a, "CPUQuotaPerSecUSec", "t", arena_printf(a, "%" PRIu64, per_second));
}

/* cpu.max: "QUOTA PERIOD", "QUOTA", or (of a config with nothing else) "PERIOD". */
static void add_cpu_max(struct cgroup_properties *p, struct arena *a, const struct rule *r,
			const char *value)
{
	char *rest = arena_strdup(a, value);
	const char *quota = strsep(&rest, " ");
	uint64_t q, period = 100000;

	(void)r;
	if (rest && str_to_u64(rest, UINT64_MAX, &period) == 0)
		set_optional(p, a, "CPUQuotaPeriodUSec", "t", rest);
	if (strcmp(quota, "max") == 0)
		set_optional(p, a, "CPUQuotaPerSecUSec", "t", INFINITY_TEXT);
	else if (str_to_u64(quota, UINT64_MAX, &q) == 0)
		set_quota(p, a, q, period);
}

/* v1 has two files; the period stands first. */
static void add_cfs_quota(struct cgroup_properties *p, struct arena *a, const struct rule *r,
			  const char *value)
{
	const struct cgroup_property *given = find(p, "CPUQuotaPeriodUSec");
	uint64_t quota, period = 100000;

	if (given)
		(void)str_to_u64(given->values[0], UINT64_MAX, &period);
	if (strcmp(value, "-1") == 0)
		set_optional(p, a, r->property, "t", INFINITY_TEXT);
	else if (str_to_u64(value, UINT64_MAX, &quota) == 0)
		set_quota(p, a, quota, period);
}

/* "0-3,7": a bit mask in bytes, lowest first. */
static void add_mask(struct cgroup_properties *p, struct arena *a, const struct rule *r,
		     const char *value)
{
	struct cgroup_property *property;
	unsigned char mask[CPUS_MAX / 8] = { 0 };
	char *rest = arena_strdup(a, value), *part;
	size_t bytes = 0;

	while ((part = strsep(&rest, ","))) {
		char *dash = strchr(part, '-');
		uint64_t first, last;

		if (dash)
			*dash++ = '\0';
		/* What this does not understand ("0-31:2/8") the file gets all the same. */
		if (str_to_u64(part, CPUS_MAX - 1, &first) < 0 ||
		    str_to_u64(dash ? dash : part, CPUS_MAX - 1, &last) < 0)
			return;
		for (uint64_t bit = first; bit <= last; bit++) {
			mask[bit / 8] |= (unsigned char)(1 << bit % 8);
			bytes = bit / 8 + 1 > bytes ? bit / 8 + 1 : bytes;
		}
	}
	property = get(p, a, r->property, "ay");
	property->values = NULL;
	property->optional = true;
	for (size_t i = 0; i < bytes; i++)
		append(property, a, arena_printf(a, "%u", mask[i]));
}

/* By file, so that linux.resources.unified is served, too. */
static const struct rule rules[] = {
	{ "cpu.idle", "CPUWeight", add_idle },
	{ "cpu.weight", "CPUWeight", add_number },
	{ "cpu.max", "CPUQuotaPerSecUSec", add_cpu_max },
	{ "cpuset.cpus", "AllowedCPUs", add_mask },
	{ "cpuset.mems", "AllowedMemoryNodes", add_mask },
	{ "memory.min", "MemoryMin", add_size },
	{ "memory.low", "MemoryLow", add_size },
	{ "memory.high", "MemoryHigh", add_size },
	{ "memory.max", "MemoryMax", add_size },
	{ "memory.swap.max", "MemorySwapMax", add_size },
	{ "memory.zswap.max", "MemoryZSwapMax", add_size },
	{ "io.weight", "IOWeight", add_weight },
	{ "io.max", "IOReadBandwidthMax", add_io_max },
	{ "pids.max", "TasksMax", add_number },
	/* v1; systemd has no controllers but these there. */
	{ "cpu.shares", "CPUShares", add_shares },
	{ "cpu.cfs_period_us", "CPUQuotaPeriodUSec", add_number },
	{ "cpu.cfs_quota_us", "CPUQuotaPerSecUSec", add_cfs_quota },
	{ "memory.limit_in_bytes", "MemoryLimit", add_number },
	{ "blkio.weight", "BlockIOWeight", add_number },
};

static void add_write(struct cgroup_properties *p, struct arena *a, const struct cgroup_write *w)
{
	const char *file = w->file, *value = w->value;

	/* BFQ's own scale; systemd knows that of io.weight. */
	if (strcmp(file, "io.bfq.weight") == 0 && w->alt_file) {
		file = w->alt_file;
		value = w->alt_value;
	}
	/* A new period under a quota that only the kernel knows. */
	if (w->flags & CGROUP_WRITE_KEEP_QUOTA) {
		set_optional(p, a, "CPUQuotaPeriodUSec", "t", value);
		return;
	}
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		if (strcmp(rules[i].file, file) == 0)
			rules[i].add(p, a, &rules[i], value);
	}
}

void cgroup_property_add_writes(struct cgroup_properties *p, struct arena *a,
				const struct cgroup_write *writes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add_write(p, a, &writes[i]);
}

/* --- devices --- */

/* "/dev/char/1:3", and for every minor "char-136", for every device "char-*". */
static char *device_name(const struct cgroup_device_rule *r, struct arena *a)
{
	const char *type = r->type == 'b' ? "block" : "char";

	if (r->major == CGROUP_DEVICE_ANY)
		return arena_printf(a, "%s-*", type);
	if (r->minor == CGROUP_DEVICE_ANY)
		return arena_printf(a, "%s-%" PRId64, type, r->major);
	return arena_printf(a, "/dev/%s/%" PRId64 ":%" PRId64, type, r->major, r->minor);
}

void cgroup_property_add_devices(struct cgroup_properties *p, struct arena *a,
				 const struct cgroup_device_plan *devices)
{
	struct cgroup_property *property;

	/*
	 * No rules, or the first is for everything: then systemd need not add to what kist's
	 * program says.
	 */
	if (devices->n_rules == 0 || devices->rules[0].allow) {
		cgroup_property_set(p, a, "DevicePolicy", "s", "auto");
		return;
	}
	cgroup_property_set(p, a, "DevicePolicy", "s", "strict");
	property = get(p, a, "DeviceAllow", "a(ss)");
	for (size_t i = 0; i < devices->n_rules; i++) {
		const struct cgroup_device_rule *r = &devices->rules[i];

		if (!r->allow)
			continue;
		append(property, a, device_name(r, a));
		append(property, a,
		       arena_printf(a, "%s%s%s", r->access & BPF_DEVCG_ACC_READ ? "r" : "",
				    r->access & BPF_DEVCG_ACC_WRITE ? "w" : "",
				    r->access & BPF_DEVCG_ACC_MKNOD ? "m" : ""));
	}
}

/* --- annotations --- */

#define ANNOTATION_PREFIX "org.systemd.property."

/*
 * What an annotation may set.  An image may bring annotations with it: nothing here runs a program
 * (Exec*), acts on the machine (FailureAction), starts or stops another unit (Wants, Conflicts,
 * OnFailure), or lifts what kist itself sets (Slice, Delegate, DeviceAllow, PIDs).
 */
static const struct allowed {
	const char *name;
	const char *type;
	bool limits;	/* what the container may use or how long it lives, not only its unit */
} allowed[] = {
	{ "After", "as", false },
	{ "AllowedCPUs", "ay", true },
	{ "AllowedMemoryNodes", "ay", true },
	{ "Before", "as", false },
	{ "CPUAccounting", "b", false },
	{ "CPUQuotaPerSecUSec", "t", true },
	{ "CPUQuotaPeriodUSec", "t", true },
	{ "CPUWeight", "t", true },
	{ "CollectMode", "s", false },
	{ "DefaultDependencies", "b", false },
	{ "Description", "s", false },
	{ "Documentation", "as", false },
	{ "IOAccounting", "b", false },
	{ "IODeviceLatencyTargetUSec", "a(st)", true },
	{ "IODeviceWeight", "a(st)", true },
	{ "IOReadBandwidthMax", "a(st)", true },
	{ "IOReadIOPSMax", "a(st)", true },
	{ "IOWeight", "t", true },
	{ "IOWriteBandwidthMax", "a(st)", true },
	{ "IOWriteIOPSMax", "a(st)", true },
	{ "IPAccounting", "b", false },
	{ "KillMode", "s", false },
	{ "KillSignal", "i", false },
	{ "ManagedOOMMemoryPressure", "s", true },
	{ "ManagedOOMMemoryPressureLimit", "u", true },
	{ "ManagedOOMPreference", "s", true },
	{ "ManagedOOMSwap", "s", true },
	{ "MemoryAccounting", "b", false },
	{ "MemoryHigh", "t", true },
	{ "MemoryLow", "t", true },
	{ "MemoryMax", "t", true },
	{ "MemoryMin", "t", true },
	{ "MemorySwapMax", "t", true },
	{ "MemoryZSwapMax", "t", true },
	{ "OOMPolicy", "s", true },
	{ "RuntimeMaxUSec", "t", true },
	{ "RuntimeRandomizedExtraUSec", "t", true },
	{ "SendSIGHUP", "b", false },
	{ "SendSIGKILL", "b", false },
	{ "StartupCPUWeight", "t", true },
	{ "StartupIOWeight", "t", true },
	{ "TasksAccounting", "b", false },
	{ "TasksMax", "t", true },
	{ "TimeoutStopUSec", "t", false },
};

static const struct allowed *find_allowed(const char *name)
{
	for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++) {
		if (strcmp(allowed[i].name, name) == 0)
			return &allowed[i];
	}
	return NULL;
}

static bool is_seconds(const char *key)
{
	return str_ends(key, "Sec") && !str_ends(key, "USec");
}

/* The property that an annotation names: "TimeoutStopSec" is set as "TimeoutStopUSec". */
static const char *property_name(const char *key, struct arena *a)
{
	const char *name = key + strlen(ANNOTATION_PREFIX);

	return is_seconds(key) ?
	       arena_printf(a, "%.*sUSec", (int)(strlen(name) - strlen("Sec")), name) : name;
}

bool cgroup_property_limits(const char *key, struct arena *a)
{
	const struct allowed *row;

	if (!str_starts(key, ANNOTATION_PREFIX))
		return false;
	row = find_allowed(property_name(key, a));
	/* One that is not allowed would be refused by the systemd manager: it asks for much. */
	return !row || row->limits;
}

/* Seconds, perhaps with a fraction, or 'infinity', in microseconds; NULL: it is neither. */
static const char *microseconds(const char *text, struct arena *a)
{
	struct cgroup_gvariant v;
	const char *why;
	double seconds;

	if (cgroup_gvariant_parse(text, NULL, a, &v, &why) < 0)
		return NULL;
	if (strcmp(v.type, "s") == 0)
		return strcmp(v.words[0], "infinity") ? NULL : INFINITY_TEXT;
	if (!strchr("ynqiuxtd", v.type[0]))
		return NULL;
	seconds = strtod(v.words[0], NULL);
	/* Above, a double has no whole microseconds any more. */
	if (!(seconds >= 0 && seconds < 9e9))
		return NULL;
	return arena_printf(a, "%" PRIu64, (uint64_t)(seconds * USEC_PER_SEC + 0.5));
}

static int add_annotation(struct cgroup_properties *p, const struct oci_config *c,
			  const struct oci_pair *pair, struct arena *a, struct error *err)
{
	const char *name = property_name(pair->key, a);
	const struct allowed *row = find_allowed(name);
	struct cgroup_property *property;
	struct cgroup_gvariant v;
	const char *why;

	if (!row)
		return oci_error(c, pair, err,
				 "a container may not set the property %s of its systemd unit",
				 name);
	if (is_seconds(pair->key)) {
		const char *value = microseconds(pair->value, a);

		if (!value)
			return oci_error(c, pair, err, "\"%s\" is not a number of seconds",
					 pair->value);
		cgroup_property_set(p, a, name, "t", value);
		return 0;
	}
	if (cgroup_gvariant_parse(pair->value, row->type, a, &v, &why) < 0)
		return oci_error(c, pair, err, "\"%s\" is not a value of D-Bus type %s: %s",
				 pair->value, row->type, why);
	property = get(p, a, name, v.type);
	property->values = v.words;
	property->optional = false;
	return 0;
}

int cgroup_property_add_annotations(struct cgroup_properties *p, const struct oci_config *c,
				    struct arena *a, struct error *err)
{
	for (size_t i = 0; i < c->n_annotations; i++) {
		const struct oci_pair *pair = &c->annotations[i];
		int ret = str_starts(pair->key, ANNOTATION_PREFIX)
				  ? add_annotation(p, c, pair, a, err)
				  : 0;

		if (ret < 0)
			return ret;
	}
	return 0;
}
