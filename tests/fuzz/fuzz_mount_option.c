/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_mount_option.c - options of a mount, a line each.
 *
 * The flags are printed, and the printed options must lead to the same print: a dry run that shows
 * other flags than those it was given would lie.
 */
#include "fuzz.h"
#include "mount_option.h"

#define PRINT_MAX 4096

static void apply(char *text, const char *between, struct mount_flags *f)
{
	char *option;

	while ((option = strsep(&text, between)))
		if (!mount_option_apply(option, f))
			(void)mount_option_suggest(option);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char first[PRINT_MAX], again[PRINT_MAX], copy[PRINT_MAX], cut[8];
	struct mount_flags f = { 0 }, g = { 0 };
	char *text = fuzz_string(data, size);

	apply(text, "\n", &f);
	mount_option_print(&f, first, sizeof(first));
	mount_option_print(&f, cut, sizeof(cut));
	memcpy(copy, first, sizeof(copy));
	apply(copy, ",", &g);
	mount_option_print(&g, again, sizeof(again));
	if (strcmp(first, again) != 0)
		abort();
	free(text);
	return 0;
}
