/* SPDX-License-Identifier: Apache-2.0 */
/* process_reason.c - why execve(2) refused a file (elf(5), execve(2) "Interpreter scripts"). */
#include "process_reason.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"

#define NAME_MAX_SHOWN 256

/* Machines one meets in images; the names are those of uname -m. */
static const struct machine {
	uint16_t number;
	const char *name;
} machines[] = {
	{ EM_X86_64, "x86_64" }, { EM_386, "i686" },	  { EM_AARCH64, "aarch64" },
	{ EM_ARM, "arm" },	 { EM_RISCV, "riscv64" }, { EM_PPC64, "ppc64le" },
	{ EM_S390, "s390x" },	 { EM_MIPS, "mips" },	  { 258, "loongarch64" },
};

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HOST_DATA ELFDATA2LSB
#else
#define HOST_DATA ELFDATA2MSB
#endif

static const char *machine_name(uint16_t number)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (machines[i].number == number)
			return machines[i].name;
	return "another";
}

/*
 * The word after "#!", up to white space; a carriage return belongs to it, and that is a common
 * mistake.
 */
static void script_reason(const char *head, size_t len, struct error *err)
{
	char name[NAME_MAX_SHOWN];
	size_t i = 2, n = 0;
	bool cr;

	while (i < len && (head[i] == ' ' || head[i] == '\t'))
		i++;
	while (i < len && n < sizeof(name) - 1 && head[i] != ' ' && head[i] != '\t' &&
	       head[i] != '\n' && head[i] != '\0')
		name[n++] = head[i++];
	cr = n > 0 && name[n - 1] == '\r';
	name[n - cr] = '\0';
	if (n == 0)
		error_append(err, " (its #! line names no interpreter)");
	else if (cr && access(name, F_OK) == 0)
		error_append(err,
			     " (interpreter %s\\r: the #! line ends in CR LF, save the file with "
			     "LF line ends)",
			     name);
	else if (err->errnum == ENOENT && access(name, F_OK) < 0)
		error_append(err, " (its interpreter %s%s does not exist in the container)", name,
			     cr ? "\\r" : "");
	else if (err->errnum == EACCES && access(name, X_OK) < 0)
		error_append(err, " (its interpreter %s is not executable)", name);
	else if (err->errnum == ELOOP)
		error_append(err, " (too many scripts that interpret each other, the first is %s)",
			     name);
}

/*
 * Reads the name in PT_INTERP.  Fields of both classes are taken into 64-bit values first.  True if
 * there is one.
 */
static bool elf_loader(int fd, const unsigned char *head, char name[NAME_MAX_SHOWN])
{
	bool is64 = head[EI_CLASS] == ELFCLASS64;
	Elf64_Ehdr e64;
	Elf32_Ehdr e32;
	uint64_t off;
	size_t count, size;

	memcpy(&e64, head, sizeof(e64));
	memcpy(&e32, head, sizeof(e32));
	off = is64 ? e64.e_phoff : e32.e_phoff;
	count = is64 ? e64.e_phnum : e32.e_phnum;
	size = is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	for (size_t i = 0; i < count && i < 64; i++) {
		Elf64_Phdr p64;
		Elf32_Phdr p32;
		ssize_t n;

		if (off > INT64_MAX / 2 ||
		    pread(fd, &p64, size, (off_t)(off + i * size)) != (ssize_t)size)
			return false;
		memcpy(&p32, &p64, sizeof(p32));
		if ((is64 ? p64.p_type : p32.p_type) != PT_INTERP)
			continue;
		n = pread(fd, name, NAME_MAX_SHOWN - 1,
			  (off_t)(is64 ? p64.p_offset : p32.p_offset));
		if (n <= 0)
			return false;
		name[n] = '\0';
		return true;
	}
	return false;
}

static void elf_reason(int fd, const unsigned char *head, const char *arch, struct error *err)
{
	char name[NAME_MAX_SHOWN];
	uint16_t machine;

	memcpy(&machine, head + offsetof(Elf64_Ehdr, e_machine), sizeof(machine));
	if (head[EI_DATA] != HOST_DATA) {
		error_append(err, " (an ELF program of the other byte order; this machine is %s)",
			     arch);
		return;
	}
	if (err->errnum == ENOEXEC && strcmp(machine_name(machine), arch) != 0)
		error_append(err, " (an ELF program for %s, machine %u; this machine is %s)",
			     machine_name(machine), machine, arch);
	else if (err->errnum == ENOEXEC)
		error_append(err,
			     " (a damaged ELF program, or one the kernel was not built to run)");
	else if (err->errnum == ENOENT && elf_loader(fd, head, name) && access(name, F_OK) < 0)
		error_append(err,
			     " (its loader %s does not exist in the container: another libc's or "
			     "another "
			     "architecture's program)",
			     name);
}

static void access_reason(const char *path, struct error *err)
{
	struct statvfs vfs;
	struct stat st;

	if (statvfs(path, &vfs) == 0 && (vfs.f_flag & ST_NOEXEC))
		error_append(err, " (it is on a file system mounted noexec)");
	else if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && !(st.st_mode & 0111))
		error_append(err, " (the file has no x permission)");
}

void process_reason(const char *path, const char *arch, struct error *err)
{
	char head[512] = "";
	struct stat st;
	owned_fd fd = -1;
	ssize_t n;

	if (err == NULL)
		return;
	if (err->errnum == EACCES)
		access_reason(path, err);
	/*
	 * O_NONBLOCK and the check of the type: the container may have put a FIFO there meanwhile.
	 */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	n = pread(fd, head, sizeof(head) - 1, 0);
	if (n == 0)
		error_append(err, " (the file is empty)");
	else if (n >= 2 && head[0] == '#' && head[1] == '!')
		script_reason(head, (size_t)n, err);
	else if (n >= (ssize_t)sizeof(Elf64_Ehdr) && memcmp(head, ELFMAG, SELFMAG) == 0)
		elf_reason(fd, (const unsigned char *)head, arch, err);
	else if (n > 0 && err->errnum == ENOEXEC)
		error_append(err, " (neither an ELF program nor a script with a #! line)");
}
