/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signal_name.h - names of signals on the command line.
 */
#ifndef KIST_SIGNAL_NAME_H
#define KIST_SIGNAL_NAME_H

/*
 * Reads "TERM", "SIGTERM" (any case), a number from 0 to 64, "RTMIN", "RTMIN+n", "RTMAX" or
 * "RTMAX-n". 0 asks only whether the process exists (kill(2)).  0, or -EINVAL: there is no such
 * signal.
 */
int signal_name_parse(const char *text, int *out);

#endif
