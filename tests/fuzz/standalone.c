/* SPDX-License-Identifier: Apache-2.0 */
/*
 * standalone.c - runs a fuzz target on the files that are named, without libFuzzer: for the corpus
 * in `make check`, and to look at what a fuzzer has found.
 */
#include <stdio.h>

#include "fuzz.h"

#define SIZE_MAX_READ (1u << 20)
/* The kernel ends a target that takes longer over one file: it would be a hang. */
#define SECONDS_MAX 60

/* What is wrong with a file, or NULL. */
static const char *run_file(const char *path, uint8_t *data)
{
	FILE *f = fopen(path, "re");
	size_t size;
	bool whole;

	if (!f)
		return "cannot be opened";
	size = fread(data, 1, SIZE_MAX_READ + 1, f);
	whole = !ferror(f);
	fclose(f);
	if (!whole)
		return "cannot be read";
	if (size > SIZE_MAX_READ)
		return "is larger than 1 MiB";
	alarm(SECONDS_MAX);
	LLVMFuzzerTestOneInput(data, size);
	return NULL;
}

int main(int argc, char **argv)
{
	uint8_t *data = malloc(SIZE_MAX_READ + 1);
	const char *wrong = NULL;

	for (int i = 1; i < argc && !wrong; i++) {
		wrong = data ? run_file(argv[i], data) : "there is no memory to read it";
		if (wrong)
			fprintf(stderr, "%s: %s\n", argv[i], wrong);
	}
	free(data);
	return wrong != NULL;
}
