/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.c - the message of an error, and the names and texts of errno.
 *
 * The texts are a table of our own: strerror() follows the locale, differs between C libraries
 * and is capitalised, while ours stand in the middle of a sentence.
 */
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Of the kernel's own use (include/linux/errno.h), but some drivers and file systems let it out. */
#define KERNEL_ENOTSUPP 524

/* The texts themselves: pointers to them would be written anew at each start of the program. */
struct errno_row {
	char name[16];
	char text[52];
};

#define E(number, words) [number] = { #number, words }

/* Aliases (EWOULDBLOCK, EDEADLOCK, ENOTSUP) have the number of the row that is here. */
static const struct errno_row errno_table[] = {
	E(EPERM, "operation not permitted"),
	E(ENOENT, "no such file or directory"),
	E(ESRCH, "no such process"),
	E(EINTR, "interrupted system call"),
	E(EIO, "input/output error"),
	E(ENXIO, "no such device or address"),
	E(E2BIG, "argument list too long"),
	E(ENOEXEC, "exec format error"),
	E(EBADF, "bad file descriptor"),
	E(ECHILD, "no child processes"),
	E(EAGAIN, "resource temporarily unavailable"),
	E(ENOMEM, "cannot allocate memory"),
	E(EACCES, "permission denied"),
	E(EFAULT, "bad address"),
	E(ENOTBLK, "block device required"),
	E(EBUSY, "device or resource busy"),
	E(EEXIST, "file exists"),
	E(EXDEV, "invalid cross-device link"),
	E(ENODEV, "no such device"),
	E(ENOTDIR, "not a directory"),
	E(EISDIR, "is a directory"),
	E(EINVAL, "invalid argument"),
	E(ENFILE, "too many open files in system"),
	E(EMFILE, "too many open files"),
	E(ENOTTY, "inappropriate ioctl for device"),
	E(ETXTBSY, "text file busy"),
	E(EFBIG, "file too large"),
	E(ENOSPC, "no space left on device"),
	E(ESPIPE, "illegal seek"),
	E(EROFS, "read-only file system"),
	E(EMLINK, "too many links"),
	E(EPIPE, "broken pipe"),
	E(EDOM, "numerical argument out of domain"),
	E(ERANGE, "numerical result out of range"),
	E(EDEADLK, "resource deadlock avoided"),
	E(ENAMETOOLONG, "file name too long"),
	E(ENOLCK, "no locks available"),
	E(ENOSYS, "function not implemented"),
	E(ENOTEMPTY, "directory not empty"),
	E(ELOOP, "too many levels of symbolic links"),
	E(ENOMSG, "no message of desired type"),
	E(EIDRM, "identifier removed"),
	E(ECHRNG, "channel number out of range"),
	E(EL2NSYNC, "level 2 not synchronized"),
	E(EL3HLT, "level 3 halted"),
	E(EL3RST, "level 3 reset"),
	E(ELNRNG, "link number out of range"),
	E(EUNATCH, "protocol driver not attached"),
	E(ENOCSI, "no CSI structure available"),
	E(EL2HLT, "level 2 halted"),
	E(EBADE, "invalid exchange"),
	E(EBADR, "invalid request descriptor"),
	E(EXFULL, "exchange full"),
	E(ENOANO, "no anode"),
	E(EBADRQC, "invalid request code"),
	E(EBADSLT, "invalid slot"),
	E(EBFONT, "bad font file format"),
	E(ENOSTR, "device not a stream"),
	E(ENODATA, "no data available"),
	E(ETIME, "timer expired"),
	E(ENOSR, "out of streams resources"),
	E(ENONET, "machine is not on the network"),
	E(ENOPKG, "package not installed"),
	E(EREMOTE, "object is remote"),
	E(ENOLINK, "link has been severed"),
	E(EADV, "advertise error"),
	E(ESRMNT, "srmount error"),
	E(ECOMM, "communication error on send"),
	E(EPROTO, "protocol error"),
	E(EMULTIHOP, "multihop attempted"),
	E(EDOTDOT, "RFS specific error"),
	E(EBADMSG, "bad message"),
	E(EOVERFLOW, "value too large for defined data type"),
	E(ENOTUNIQ, "name not unique on network"),
	E(EBADFD, "file descriptor in bad state"),
	E(EREMCHG, "remote address changed"),
	E(ELIBACC, "cannot access a needed shared library"),
	E(ELIBBAD, "accessing a corrupted shared library"),
	E(ELIBSCN, ".lib section in a.out corrupted"),
	E(ELIBMAX, "attempting to link in too many shared libraries"),
	E(ELIBEXEC, "cannot exec a shared library directly"),
	E(EILSEQ, "invalid or incomplete multibyte or wide character"),
	E(ERESTART, "interrupted system call should be restarted"),
	E(ESTRPIPE, "streams pipe error"),
	E(EUSERS, "too many users"),
	E(ENOTSOCK, "socket operation on non-socket"),
	E(EDESTADDRREQ, "destination address required"),
	E(EMSGSIZE, "message too long"),
	E(EPROTOTYPE, "protocol wrong type for socket"),
	E(ENOPROTOOPT, "protocol not available"),
	E(EPROTONOSUPPORT, "protocol not supported"),
	E(ESOCKTNOSUPPORT, "socket type not supported"),
	E(EOPNOTSUPP, "operation not supported"),
	E(EPFNOSUPPORT, "protocol family not supported"),
	E(EAFNOSUPPORT, "address family not supported by protocol"),
	E(EADDRINUSE, "address already in use"),
	E(EADDRNOTAVAIL, "cannot assign requested address"),
	E(ENETDOWN, "network is down"),
	E(ENETUNREACH, "network is unreachable"),
	E(ENETRESET, "network dropped connection on reset"),
	E(ECONNABORTED, "software caused connection abort"),
	E(ECONNRESET, "connection reset by peer"),
	E(ENOBUFS, "no buffer space available"),
	E(EISCONN, "transport endpoint is already connected"),
	E(ENOTCONN, "transport endpoint is not connected"),
	E(ESHUTDOWN, "cannot send after transport endpoint shutdown"),
	E(ETOOMANYREFS, "too many references: cannot splice"),
	E(ETIMEDOUT, "connection timed out"),
	E(ECONNREFUSED, "connection refused"),
	E(EHOSTDOWN, "host is down"),
	E(EHOSTUNREACH, "no route to host"),
	E(EALREADY, "operation already in progress"),
	E(EINPROGRESS, "operation now in progress"),
	E(ESTALE, "stale file handle"),
	E(EUCLEAN, "structure needs cleaning"),
	E(ENOTNAM, "not a XENIX named type file"),
	E(ENAVAIL, "no XENIX semaphores available"),
	E(EISNAM, "is a named type file"),
	E(EREMOTEIO, "remote I/O error"),
	E(EDQUOT, "disk quota exceeded"),
	E(ENOMEDIUM, "no medium found"),
	E(EMEDIUMTYPE, "wrong medium type"),
	E(ECANCELED, "operation canceled"),
	E(ENOKEY, "required key not available"),
	E(EKEYEXPIRED, "key has expired"),
	E(EKEYREVOKED, "key has been revoked"),
	E(EKEYREJECTED, "key was rejected by service"),
	E(EOWNERDEAD, "owner died"),
	E(ENOTRECOVERABLE, "state not recoverable"),
	E(ERFKILL, "operation not possible due to RF-kill"),
	E(EHWPOISON, "memory page has hardware error"),
};

static const struct errno_row *errno_find(int errnum)
{
	static const struct errno_row notsupp = { "ENOTSUPP", "operation is not supported" };

	if (errnum == KERNEL_ENOTSUPP)
		return &notsupp;
	if (errnum <= 0 || (size_t)errnum >= sizeof(errno_table) / sizeof(errno_table[0]))
		return NULL;
	return errno_table[errnum].name[0] ? &errno_table[errnum] : NULL;
}

const char *error_text(int errnum)
{
	const struct errno_row *row = errno_find(errnum);

	if (row)
		return row->text;
	return errnum == 0 ? "success" : "unknown error";
}

const char *error_name(int errnum)
{
	const struct errno_row *row = errno_find(errnum);

	return row ? row->name : "E?";
}

static int error_code(const struct error *err)
{
	return err && err->errnum > 0 ? -err->errnum : -EINVAL;
}

/* A text under construction; what does not fit ends in "...". */
struct message {
	char text[ERROR_TEXT_MAX];
	size_t len;
};

static void __attribute__((format(printf, 2, 0)))
message_vadd(struct message *m, const char *fmt, va_list ap)
{
	size_t room = sizeof(m->text) - m->len;
	int n = vsnprintf(m->text + m->len, room, fmt, ap);

	if (n < 0)
		return;
	if ((size_t)n < room) {
		m->len += (size_t)n;
		return;
	}
	m->len = sizeof(m->text) - 1;
	memcpy(m->text + m->len - 3, "...", 4);
}

static void __attribute__((format(printf, 2, 3)))
message_add(struct message *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message_vadd(m, fmt, ap);
	va_end(ap);
}

int error_vset(struct error *err, int errnum, const char *fmt, va_list ap)
{
	/* Built aside, since the arguments may point into the message that is there. */
	struct message m;
	int saved = errno;

	if (err) {
		m.len = 0;
		m.text[0] = '\0';
		message_vadd(&m, fmt, ap);
		if (errnum > 0)
			message_add(&m, ": %s", error_text(errnum));
		memcpy(err->text, m.text, m.len + 1);
		err->errnum = errnum > 0 ? errnum : 0;
		err->exit_code = 0;
	}
	errno = saved;
	return errnum > 0 ? -errnum : -EINVAL;
}

int error_set(struct error *err, int errnum, const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = error_vset(err, errnum, fmt, ap);
	va_end(ap);
	return ret;
}

int error_prefix(struct error *err, const char *fmt, ...)
{
	struct message m;
	int saved = errno;
	va_list ap;

	if (err) {
		m.len = 0;
		m.text[0] = '\0';
		va_start(ap, fmt);
		message_vadd(&m, fmt, ap);
		va_end(ap);
		message_add(&m, ": %s", err->text);
		memcpy(err->text, m.text, m.len + 1);
	}
	errno = saved;
	return error_code(err);
}

int error_append(struct error *err, const char *fmt, ...)
{
	struct message m;
	int saved = errno;
	va_list ap;

	if (err) {
		m.len = strnlen(err->text, sizeof(err->text) - 1);
		memcpy(m.text, err->text, m.len);
		m.text[m.len] = '\0';
		va_start(ap, fmt);
		message_vadd(&m, fmt, ap);
		va_end(ap);
		memcpy(err->text, m.text, m.len + 1);
	}
	errno = saved;
	return error_code(err);
}
