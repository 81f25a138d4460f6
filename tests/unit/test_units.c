/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes and durations, and what is neither. */
#include "base/units.h"

#include <errno.h>

#include "tap.h"

struct sample {
	const char *text;
	int ret;
	int64_t value;
};

static void check(int (*parse)(const char *s, int64_t *out), const struct sample *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t value = -7;
		int ret = parse(s[i].text, &value);

		ok(ret == s[i].ret && (ret < 0 || value == s[i].value), "\"%s\" is %lld (%d)",
		   s[i].text, (long long)value, ret);
	}
}

int main(void)
{
	static const struct sample sizes[] = {
		{ "0", 0, 0 }, { "4096", 0, 4096 }, { "10m", 0, 10 << 20 }, { "1g", 0, 1 << 30 },
		{ "1G", 0, 1 << 30 }, { "1GiB", 0, 1 << 30 }, { "1GB", 0, 1 << 30 },
		{ "2Ki", 0, 2048 },
		{ "512 kB", 0, 512 << 10 }, { "1.5k", 0, 1536 }, { ".5k", 0, 512 }, { "7b", 0, 7 },
		{ "1.000000000999m", 0, 1 << 20 }, { "8191p", 0, INT64_C(8191) << 50 },
		{ "-1", 0, -1 }, { "9223372036854775807", 0, INT64_MAX },
		{ "9223372036854775808", -ERANGE, 0 }, { "99999999999999999999", -ERANGE, 0 },
		{ "8192p", -ERANGE, 0 }, { "", -EINVAL, 0 }, { "m", -EINVAL, 0 },
		{ ".", -EINVAL, 0 },
		{ "-2", -EINVAL, 0 }, { "+1", -EINVAL, 0 }, { "1x", -EINVAL, 0 },
		{ "1mm", -EINVAL, 0 },
		{ "1  m", -EINVAL, 0 }, { " 1m", -EINVAL, 0 }, { "1m ", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 }, { "max", -EINVAL, 0 },
	};
	static const struct sample durations[] = {
		{ "0", 0, 0 }, { "5s", 0, INT64_C(5000000000) }, { "100ms", 0, 100000000 },
		{ "1m", 0, INT64_C(60000000000) }, { "1m30s", 0, INT64_C(90000000000) },
		{ "1.5h", 0, INT64_C(5400000000000) }, { "250us", 0, 250000 },
		{ "250\302\265s", 0, 250000 }, { "3ns", 0, 3 }, { ".5s", 0, 500000000 },
		{ "", -EINVAL, 0 }, { "5", -EINVAL, 0 }, { "s", -EINVAL, 0 }, { "5 s", -EINVAL, 0 },
		{ "-5s", -EINVAL, 0 }, { "5d", -EINVAL, 0 }, { "1m30", -EINVAL, 0 },
		{ "2562047h", 0, INT64_C(2562047) * 3600000000000 }, { "2562048h", -ERANGE, 0 },
	};

	check(units_size, sizes, sizeof(sizes) / sizeof(sizes[0]));
	check(units_duration, durations, sizeof(durations) / sizeof(durations[0]));
	return done();
}
