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

int main(int argc, char **argv)
{
	uint8_t *data = malloc(SIZE_MAX_READ);

	for (int i = 1; data && i < argc; i++) {
		FILE *f = fopen(argv[i], "re");

		if (!f) {
			fprintf(stderr, "cannot open %s\n", argv[i]);
			return 1;
		}
		alarm(SECONDS_MAX);
		LLVMFuzzerTestOneInput(data, fread(data, 1, SIZE_MAX_READ, f));
		fclose(f);
	}
	free(data);
	return 0;
}
