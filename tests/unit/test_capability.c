/* SPDX-License-Identifier: Apache-2.0 */
#include "capability.h"

#include <linux/capability.h>

#include "base/log.h"
#include "base/sys.h"
#include "tap.h"

#define BIT(n) (UINT64_C(1) << (n))

static int warnings;

static void count_warnings(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	if (level != LOG_LEVEL_WARNING)
		return;
	warnings++;
	(void)text;
}

static struct capability_plan compile(struct oci_config *c, struct oci_capabilities *caps,
				      const struct host *h)
{
	struct oci_process p = { .capabilities = caps };
	struct arena a = ARENA_INIT;
	struct capability_plan plan;
	struct error err;

	warnings = 0;
	is_int(capability_compile(c, &p, h, &a, &plan, &err), 0, "compiles");
	arena_free(&a);
	return plan;
}

static void test_names(void)
{
	size_t n = 0;

	while (capability_names()[n] != NULL)
		n++;
	is_int(n, CAP_CHECKPOINT_RESTORE + 1, "a name for each capability");
	is_int(capability_number("CAP_SYS_ADMIN"), CAP_SYS_ADMIN, "number of CAP_SYS_ADMIN");
	is_int(capability_number("CAP_AUDIT_READ"), CAP_AUDIT_READ, "number of CAP_AUDIT_READ");
	is_int(capability_number("cap_chown"), -1, "names are exact");
}

static void test_sets(void)
{
	struct host root = { .caps_effective = BIT(41) - 1,
			     .caps_bounding = BIT(41) - 1,
			     .last_cap = 40 };
	struct host less = { .caps_effective = BIT(CAP_CHOWN) | BIT(CAP_KILL),
			     .caps_bounding = BIT(CAP_CHOWN) | BIT(CAP_KILL),
			     .last_cap = 40 };
	char *both[] = { (char *)"CAP_CHOWN", (char *)"CAP_SYS_RESOURCE", NULL };
	char *one[] = { (char *)"CAP_CHOWN", NULL };
	char *unknown[] = { (char *)"CAP_TEST", (char *)"CAP_CHOWN", NULL };
	struct oci_capabilities caps = { .bounding = both, .effective = both, .permitted = both };
	struct oci_namespace userns = { .type = CLONE_NEWUSER };
	struct oci_linux l = { .namespaces = &userns, .n_namespaces = 1 };
	struct oci_config plain = { 0 }, user = { .linux = &l };
	struct capability_plan plan = compile(&plain, NULL, &root);

	ok(plan.set[CAPABILITY_PERMITTED] == 0 && plan.drop == BIT(41) - 1,
	   "no capabilities object: none");
	plan = compile(&plain, &caps, &root);
	ok(plan.set[CAPABILITY_PERMITTED] == (BIT(CAP_CHOWN) | BIT(CAP_SYS_RESOURCE)),
	   "both are granted");
	is_int(plan.drop, (BIT(41) - 1) & ~plan.set[CAPABILITY_BOUNDING], "the rest is dropped");
	is_int(warnings, 0, "without a warning");
	plan = compile(&plain, &caps, &less);
	ok(plan.set[CAPABILITY_EFFECTIVE] == BIT(CAP_CHOWN), "what the caller lacks is left out");
	is_int(plan.drop, BIT(CAP_KILL), "only what is there is dropped");
	is_int(warnings, 3, "one warning for each set");
	plan = compile(&user, &caps, &less);
	ok(plan.set[CAPABILITY_PERMITTED] == (BIT(CAP_CHOWN) | BIT(CAP_SYS_RESOURCE)),
	   "a user namespace has all");
	caps = (struct oci_capabilities){ .bounding = unknown,
					  .permitted = one,
					  .effective = both };
	plan = compile(&plain, &caps, &root);
	ok(plan.set[CAPABILITY_BOUNDING] == BIT(CAP_CHOWN) && warnings == 2,
	   "an unknown name is a warning");
	caps = (struct oci_capabilities){ .bounding = unknown, .permitted = unknown };
	compile(&plain, &caps, &root);
	is_int(warnings, 1, "one for all sets");
	ok(plan.set[CAPABILITY_EFFECTIVE] == BIT(CAP_CHOWN), "effective stays below permitted");
	caps = (struct oci_capabilities){
		.bounding = both, .permitted = both, .inheritable = one, .ambient = both
	};
	plan = compile(&plain, &caps, &root);
	ok(plan.set[CAPABILITY_AMBIENT] == BIT(CAP_CHOWN) && warnings == 0,
	   "ambient needs inheritable, which the configuration itself decides");
	caps = (struct oci_capabilities){
		.bounding = both, .permitted = both, .inheritable = both, .ambient = both
	};
	plan = compile(&plain, &caps, &less);
	ok(plan.set[CAPABILITY_AMBIENT] == BIT(CAP_CHOWN) && warnings == 4,
	   "what only the caller lacks is a warning for ambient, too");
}

int main(void)
{
	log_set_sink(count_warnings, NULL, LOG_LEVEL_WARNING);
	test_names();
	test_sets();
	return done();
}
