/* SPDX-License-Identifier: Apache-2.0 */
/* self_exe.c - the runtime's own binary, out of the container's reach. */
#include "self_exe.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/sys.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10u		/* Linux 6.3 */
#endif

#define SEALS_COPY (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/*
 * AddressSanitizer keeps its shadow by address and checks every copy: those builds use the sealed
 * copy.
 */
#if defined(__SANITIZE_ADDRESS__)
#define SELF_EXE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define SELF_EXE_SANITIZED 1
#endif
#endif
#ifndef SELF_EXE_SANITIZED
#define SELF_EXE_SANITIZED 0
#endif

bool self_exe_supported(void)
{
	unsigned int size = 0;

	return !SELF_EXE_SANITIZED &&
	       prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, (unsigned long)&size, 0, 0) == 0 &&
	       size >= sizeof(struct prctl_mm_map);
}

/*
 * MFD_EXEC is asked for since vm.memfd_noexec=1 would otherwise take the x bit away, without which
 * the kernel takes the file neither as an executable nor as the executable of a process.
 */
static int memfd_executable(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	return fd < 0 ? -errno : fd;
}

static int memfd_error(struct error *err, int r)
{
	error_set(err, -r, "create a memory file to stand in for the runtime's binary");
	if (r == -EACCES)
		error_append(err, " (sysctl vm.memfd_noexec is 2; kist needs 0 or 1)");
	return r;
}

static bool is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & SEALS_COPY) == SEALS_COPY;
}

static int copy_file(int from, int to)
{
	struct stat st;
	off_t left;

	if (fstat(from, &st) < 0)
		return -errno;
	left = st.st_size;
	while (left > 0) {
		ssize_t n = sendfile(to, from, NULL, (size_t)left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		left -= n;
	}
	return 0;
}

int self_exe_reexec(char *const *argv, struct error *err)
{
	owned_fd self = -1, copy = -1;
	/* A longer name is none that a memory file can have. */
	char path[200];
	ssize_t n;
	int r;

	if (self_exe_supported())
		return 0;
	self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (self < 0)
		return error_set(err, errno, "open /proc/self/exe");
	if (is_sealed(self))
		return 0;
	/* Named as the file, beside which the helper programs of a build are looked for. */
	n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	copy = memfd_executable(n > 0 ? path : "kist");
	if (copy < 0)
		return memfd_error(err, copy);
	r = copy_file(self, copy);
	if (r < 0)
		return error_set(err, -r, "copy the runtime's binary into memory");
	if (fcntl(copy, F_ADD_SEALS, SEALS_COPY) < 0)
		return error_set(err, errno, "seal the copy of the runtime's binary");
	syscall(SYS_execveat, copy, "", argv, environ, AT_EMPTY_PATH);
	return error_set(err, errno, "execute the sealed copy of the runtime's binary");
}

static void add_segment(struct self_exe *s, uintptr_t base, const ElfW(Phdr) *p, uintptr_t page)
{
	uintptr_t start = (base + p->p_vaddr) & ~(page - 1);
	/*
	 * What lies above p_filesz in the last page is .bss, and is copied with it; further pages
	 * are anonymous.
	 */
	uintptr_t end = (base + p->p_vaddr + p->p_filesz + page - 1) & ~(page - 1);
	struct self_exe_segment *seg = &s->segments[s->n_segments++];

	seg->start = (char *)start;
	seg->len = end - start;
	seg->offset = (off_t)(p->p_offset & ~(page - 1));
	seg->prot = ((p->p_flags & PF_R) ? PROT_READ : 0) | ((p->p_flags & PF_W) ? PROT_WRITE : 0) |
		    ((p->p_flags & PF_X) ? PROT_EXEC : 0);
}

/*
 * The first object of the list is the program itself; libraries and the loader are other files and
 * stay.
 */
static int find_segments(struct dl_phdr_info *info, size_t size, void *ctx)
{
	struct self_exe *s = ctx;
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t at = info->dlpi_addr + p->p_vaddr;

		if (p->p_type == PT_LOAD && p->p_filesz > 0) {
			if (s->n_segments == SELF_EXE_SEGMENTS_MAX)
				return -1;
			add_segment(s, info->dlpi_addr, p, page);
		} else if (p->p_type == PT_GNU_RELRO) {
			s->relro = (char *)(at & ~(page - 1));
			s->relro_len = ((at + p->p_memsz) & ~(page - 1)) - (at & ~(page - 1));
		}
	}
	return 1;
}

/*
 * The binary through a clone of its mount that nobody can write through.  It stays detached: no
 * namespace holds it, so nobody can change its flags either.  Without privilege (rootless): no
 * descriptor, and the path for the child, whose new mount namespace has a mount of its own for it.
 */
static int open_source(int proc, struct self_exe *s)
{
	const struct sys_mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };
	owned_fd self = -1, tree = -1;
	struct stat st;
	ssize_t n;

	self = openat(proc, "self/exe", O_PATH | O_CLOEXEC);
	if (self < 0 || fstat(self, &st) < 0)
		return -errno;
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	tree = sys_open_tree(self, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree >= 0 && sys_mount_setattr(tree, "", AT_EMPTY_PATH, &read_only) == 0) {
		int fd = path_reopen(proc, tree, O_RDONLY | O_CLOEXEC);

		if (fd >= 0) {
			s->source = fd;
			s->tree = fd_take(&tree);
			return 0;
		}
	}
	n = readlinkat(proc, "self/exe", s->path, sizeof(s->path) - 1);
	s->path[n < 0 ? 0 : n] = '\0';
	return 0;
}

int self_exe_prepare(int proc, struct self_exe *s, struct error *err)
{
	int r;

	*s = (struct self_exe)SELF_EXE_INIT;
	if (!self_exe_supported())
		return 0; /* self_exe_reexec() saw the same and has put a sealed copy in place */
	memcpy(s->title, "kist\0init", sizeof("kist\0init"));
	if (dl_iterate_phdr(find_segments, s) != 1 || s->n_segments == 0)
		return error_set(err, 0, "the runtime's binary has an unknown layout");
	r = open_source(proc, s);
	if (r < 0)
		return error_set(err, -r, "open /proc/self/exe");
	s->active = true;
	return 0;
}

/*
 * Anonymous memory of equal content takes the segment's place in one act of the kernel, so that
 * code may run from, and a stack may point into, what is replaced.  Nothing writes to the segment
 * between the copy and the move: the process has one thread, and errno and the stack are elsewhere.
 */
static int replace_by_copy(const struct self_exe_segment *seg)
{
	char *copy = mmap(NULL, seg->len, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (copy == MAP_FAILED)
		return -errno;
	memcpy(copy, seg->start, seg->len);
	if (!(seg->prot & PROT_WRITE) && mprotect(copy, seg->len, seg->prot) < 0)
		return -errno;
	if (mremap(copy, seg->len, seg->len, MREMAP_MAYMOVE | MREMAP_FIXED, seg->start) ==
	    MAP_FAILED)
		return -errno;
	return 0;
}

static int replace_by_file(const struct self_exe_segment *seg, int fd)
{
	if (mmap(seg->start, seg->len, seg->prot, MAP_PRIVATE | MAP_FIXED, fd, seg->offset) ==
	    MAP_FAILED)
		return -errno;
	return 0;
}

/* source = -1: all by anonymous memory; else only what is writable. */
static int replace_segments(const struct self_exe *s, int source, bool data)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n_segments; i++) {
		const struct self_exe_segment *seg = &s->segments[i];

		if (seg->prot & PROT_WRITE)
			r = data ? replace_by_copy(seg) : 0;
		else if (source >= 0)
			r = replace_by_file(seg, source);
		else
			r = replace_by_copy(seg);
	}
	if (r == 0 && data && s->relro_len > 0 && mprotect(s->relro, s->relro_len, PROT_READ) < 0)
		r = -errno;
	return r;
}

/*
 * Points the process at the empty executable.  The other addresses are what tools show; only brk
 * counts, and gets its true value.  As a side effect the caller's arguments and environment (which
 * may hold secrets of the engine) leave /proc/PID/cmdline and environ.
 */
static int set_executable(const struct self_exe *s)
{
	const struct self_exe_segment *first = &s->segments[0],
				      *last = &s->segments[s->n_segments - 1];
	unsigned long brk = (unsigned long)syscall(SYS_brk, 0), title = (unsigned long)s->title;
	struct prctl_mm_map map = {
		.start_code = (unsigned long)first->start,
		.end_code = (unsigned long)first->start + first->len,
		.start_data = (unsigned long)last->start,
		.end_data = (unsigned long)last->start + last->len,
		.start_brk = brk,
		.brk = brk,
		.start_stack = (unsigned long)&brk,
		.arg_start = title,
		.arg_end = title + sizeof("kist\0init"),
		.env_start = title + sizeof("kist\0init"),
		.env_end = title + sizeof("kist\0init"),
		.exe_fd = (unsigned int)s->exe,
	};

	return prctl(PR_SET_MM, PR_SET_MM_MAP, (unsigned long)&map, sizeof(map), 0) < 0 ? -errno
											: 0;
}

/* Opens the binary by its path; only if it is still the one that this process runs. */
static int open_by_path(const struct self_exe *s)
{
	int fd = s->path[0] == '/' ? open(s->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
				   : -1;
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) < 0 || st.st_dev != s->dev || st.st_ino != s->ino))
		fd_close(&fd);
	return fd;
}

int self_exe_run(struct self_exe *s, struct error *err)
{
	int r;

	if (!s->active)
		return 0;
	/* Made here and not in the parent, which may be short of descriptors. */
	s->exe = memfd_executable("kist");
	if (s->exe < 0)
		return memfd_error(err, s->exe);
	if (fcntl(s->exe, F_ADD_SEALS, SEALS_COPY) < 0)
		return error_set(err, errno,
				 "seal the file that stands in for the runtime's binary");
	if (s->source < 0)
		s->source = open_by_path(s);
	r = replace_segments(s, s->source, true);
	if (r == 0)
		r = set_executable(s);
	/*
	 * The source was no other mount than the one we run from (no new mount namespace), or may
	 * not be mapped: then the code is copied as well.  Data is anonymous already, and copying
	 * it twice would do no harm.
	 */
	if (r < 0 && s->source >= 0) {
		r = replace_segments(s, -1, r != -EBUSY);
		if (r == 0)
			r = set_executable(s);
	}
	self_exe_close(s);
	if (r < 0)
		return error_set(err, -r, "detach from the runtime's own binary");
	return 0;
}

void self_exe_close(struct self_exe *s)
{
	fd_close(&s->exe);
	fd_close(&s->source);
	fd_close(&s->tree);
}
