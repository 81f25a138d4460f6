/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_idmap.c - id maps from anybody (the object linux, with uidMappings and gidMappings): rules,
 * the text for the kernel, the arguments of newuidmap, and the way from an id inside to its host's.
 *
 * What is accepted must be one-to-one: an id inside has at most one outside, and the other way
 * round.  The text must say the same as the lookup.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "fuzz.h"
#include "idmap.h"
#include "oci/oci.h"

/* Looks an id up in the text that the kernel gets. */
static bool text_to_host(const char *text, uint32_t id, uint32_t *out)
{
	uint32_t inside, outside, count;
	int used;

	while (sscanf(text, "%" SCNu32 " %" SCNu32 " %" SCNu32 "%n", &inside, &outside, &count,
		      &used) == 3) {
		if (id >= inside && id - inside < count) {
			*out = outside + (id - inside);
			return true;
		}
		text += used;
	}
	return false;
}

static void check_id(const struct oci_id_mapping *map, size_t n, const char *text, uint32_t id)
{
	uint32_t by_map = 0, by_text = 0;
	bool mapped = idmap_to_host(map, n, id, &by_map) == 0;

	if (mapped != text_to_host(text, id, &by_text) || by_map != by_text)
		abort();
}

static void check(const struct oci_id_mapping *map, size_t n, const struct idmap_side *side)
{
	if (!side->text)
		return;
	for (size_t i = 0; i < n && i < 16; i++) {
		uint32_t first = map[i].container_id, last = first + map[i].size - 1;

		check_id(map, n, side->text, first);
		check_id(map, n, side->text, last);
		check_id(map, n, side->text, first - 1);
		check_id(map, n, side->text, last + 1);
	}
	if (side->helper && (!side->argv || !side->argv[0]))
		abort();
}

static void compile(const struct oci_config *c, struct arena *a)
{
	static char arch[] = "x86_64", name[] = "someone";
	static const struct host machines[] = {
		{ .arch = arch, .caps_effective = UINT64_MAX },
		{ .arch = arch, .euid = 1000, .egid = 1000, .user_name = name },
		{ .arch = arch, .in_userns = true, .caps_effective = UINT64_MAX },
	};
	const struct oci_linux *l = c->linux;

	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		struct idmap_plan p = { 0 };
		struct error err;
		struct show out;

		if (idmap_compile(c, &machines[i], a, &p, &err) < 0)
			continue;
		check(l->uid_mappings, l->n_uid_mappings, &p.uid);
		check(l->gid_mappings, l->n_gid_mappings, &p.gid);
		show_begin(&out, a, false);
		show_step(&out, "id-maps", "stage 1");
		idmap_show(&p, &out);
		(void)show_end(&out);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a = ARENA_INIT;
	struct oci_config *c;
	struct error err;
	char *part = fuzz_string(data, size);
	char *text = arena_printf(&a, "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},"
				  "\"linux\":%s}", part);

	fuzz_quiet();
	if (oci_config_parse(text, strlen(text), "f", &a, &c, &err) == 0 && c->linux &&
	    oci_config_check(c, &err) == 0)
		compile(c, &a);
	arena_free(&a);
	free(part);
	return 0;
}
