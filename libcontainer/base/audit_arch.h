/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_arch.h - what a seccomp program sees as the architecture of this very program's calls.
 * 0: not known here.
 */
#ifndef KIST_BASE_AUDIT_ARCH_H
#define KIST_BASE_AUDIT_ARCH_H

#include <linux/audit.h>

#if defined(__x86_64__) && !defined(__ILP32__)
#define AUDIT_ARCH_OWN AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define AUDIT_ARCH_OWN AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define AUDIT_ARCH_OWN AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define AUDIT_ARCH_OWN AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define AUDIT_ARCH_OWN AUDIT_ARCH_S390X
#else
#define AUDIT_ARCH_OWN 0
#endif

#endif
