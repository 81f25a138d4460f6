/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* More places of a fraction than these do not count: 10^9 parts of a petabyte still fit. */
#define PLACES_MAX 9

/* "12", "1.5", ".5": the whole part, and the fraction in parts of 10^places. */
struct decimal {
	uint64_t whole;
	uint64_t fraction;
	uint64_t scale;		/* 10^places */
};

/* *s moves behind the number.  0, -EINVAL: there is no digit; -ERANGE. */
static int take_decimal(const char **s, struct decimal *d)
{
	const char *p = *s;
	size_t digits = 0;

	*d = (struct decimal){ .scale = 1 };
	for (; *p >= '0' && *p <= '9'; p++, digits++)
		if (__builtin_mul_overflow(d->whole, 10, &d->whole) ||
		    __builtin_add_overflow(d->whole, (uint64_t)(*p - '0'), &d->whole))
			return -ERANGE;
	if (*p == '.') {
		for (p++; *p >= '0' && *p <= '9'; p++, digits++) {
			/* 10^PLACES_MAX: further places are read over. */
			if (d->scale >= 1000000000)
				continue;
			d->fraction = d->fraction * 10 + (uint64_t)(*p - '0');
			d->scale *= 10;
		}
	}
	*s = p;
	return digits ? 0 : -EINVAL;
}

/* d times unit, added to *sum. */
static int add_units(const struct decimal *d, uint64_t unit, int64_t *sum)
{
	unsigned __int128 value = (unsigned __int128)d->whole * unit +
				  (unsigned __int128)d->fraction * unit / d->scale;

	if (value > (unsigned __int128)(INT64_MAX - *sum))
		return -ERANGE;
	*sum += (int64_t)value;
	return 0;
}

int units_size(const char *s, int64_t *out)
{
	static const char prefixes[] = "kmgtp";
	struct decimal d;
	uint64_t unit = 1;
	int ret;

	*out = 0;
	if (strcmp(s, "-1") == 0) {
		*out = -1;
		return 0;
	}
	ret = take_decimal(&s, &d);
	if (ret < 0)
		return ret;
	s += *s == ' ';
	if (*s && (*s | 0x20) != 'b') {
		const char *prefix = strchr(prefixes, *s | 0x20);

		if (!prefix)
			return -EINVAL;
		unit <<= 10 * (unsigned int)(prefix - prefixes + 1);
		s++;
		s += (*s | 0x20) == 'i';
	}
	s += (*s | 0x20) == 'b';
	return *s ? -EINVAL : add_units(&d, unit, out);
}

/* The longer name first where one begins another. */
static const struct {
	const char *name;
	uint64_t ns;
} time_units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\302\265s", 1000 },		/* U+00B5, as Go prints it */
	{ "ms", 1000000 },
	{ "s", UINT64_C(1000000000) },
	{ "m", UINT64_C(60000000000) },
	{ "h", UINT64_C(3600000000000) },
};

/* 0: no such unit. */
static uint64_t take_time_unit(const char **s)
{
	for (size_t i = 0; i < sizeof(time_units) / sizeof(time_units[0]); i++) {
		size_t len = strlen(time_units[i].name);

		if (strncmp(*s, time_units[i].name, len) != 0)
			continue;
		*s += len;
		return time_units[i].ns;
	}
	return 0;
}

int units_duration(const char *s, int64_t *out)
{
	struct decimal d;
	int ret;

	*out = 0;
	if (strcmp(s, "0") == 0)
		return 0;
	do {
		uint64_t unit;

		ret = take_decimal(&s, &d);
		unit = ret == 0 ? take_time_unit(&s) : 0;
		if (ret == 0)
			ret = unit ? add_units(&d, unit, out) : -EINVAL;
	} while (ret == 0 && *s);
	return ret;
}
