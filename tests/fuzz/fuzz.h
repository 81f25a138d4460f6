/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz.h - what the fuzz targets share.
 *
 * A target is one file, fuzz_<name>.c, with LLVMFuzzerTestOneInput(): it gets bytes from anybody
 * and must neither crash nor wait.  It calls abort() when a result contradicts itself.  With
 * libFuzzer the bytes are invented (run), with standalone.c they are those of files
 * (corpus/<name>/).
 */
#ifndef KIST_TESTS_FUZZ_FUZZ_H
#define KIST_TESTS_FUZZ_FUZZ_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fd.h"
#include "base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of exactly this size, so that the address sanitizer sees a byte that is read too far. */
static inline char *fuzz_copy(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1);

	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	return text;
}

/* The same with a byte 0 behind it. */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* Reads what is logged, so that text without an end is seen, and prints none of it. */
static inline void fuzz_log(void *ctx, enum log_level level, const char *text)
{
	(void)ctx;
	(void)level;
	if (strlen(text) > 1u << 30)
		abort();
}

static inline void fuzz_quiet(void)
{
	log_set_sink(fuzz_log, NULL, LOG_LEVEL_DEBUG);
}

/*
 * A directory below TMPDIR for targets that read files; the scripts that run targets remove TMPDIR.
 * The descriptor stays open for the next input.
 */
static inline int __attribute__((unused)) fuzz_dir(void)
{
	static int dir = -1;
	const char *above = getenv("TMPDIR");
	char path[4096];

	if (dir >= 0)
		return dir;
	if (snprintf(path, sizeof(path), "%s/fuzz.XXXXXX", above ? above : "/tmp") >=
		    (int)sizeof(path) || !mkdtemp(path))
		abort();
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		abort();
	return dir;
}

/* Writes a file of that directory. */
static inline void fuzz_file(int dir, const char *name, const void *data, size_t size)
{
	owned_fd fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
}

#endif
