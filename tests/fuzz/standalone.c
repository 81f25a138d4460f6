/* SPDX-License-Identifier: Apache-2.0 */
/*
 * standalone.c - runs a fuzz target on the files that are named: to look at what a fuzzer has
 * found, without its library.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	static uint8_t data[1 << 20];

	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "re");

		if (!f)
			continue;
		LLVMFuzzerTestOneInput(data, fread(data, 1, sizeof(data), f));
		fclose(f);
	}
	return 0;
}
