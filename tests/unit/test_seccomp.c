/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generated program is interpreted here for all system call numbers of three architectures and
 * compared with what the profile says; and it is loaded into a child.
 */
#include "seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "seccomp_bpf.h"
#include "tap.h"

#define ALLOW	      SECCOMP_RET_ALLOW
#define EPERM_ACTION  (SECCOMP_RET_ERRNO | EPERM)
#define ENOSYS_ACTION (SECCOMP_RET_ERRNO | ENOSYS)

static struct arena arena;

/*
 * Reads a seccomp object (single quotes for double ones) and compiles it.  NULL, or the error's
 * text.
 */
static const char *compile(const char *profile, bool nnp, struct seccomp_plan *plan,
			   struct oci_config **config)
{
	static struct error err;
	char *text = arena_printf(
		&arena, "{'ociVersion':'1.3.0','root':{'path':'r'},'linux':{'seccomp':%s}}",
		profile);
	struct oci_process p = { .no_new_privileges = nnp };
	struct host h = { .arch = (char *)"x" };
	struct oci_config *c;

	for (char *s = text; *s != '\0'; s++)
		if (*s == '\'')
			*s = '"';
	if (oci_config_parse(text, strlen(text), "config.json", &arena, &c, &err) < 0 ||
	    seccomp_compile(c, &p, &h, &arena, plan, &err) < 0 ||
	    seccomp_program(c, &arena, plan, &err) < 0)
		return err.text;
	if (config != NULL)
		*config = c;
	return NULL;
}

#ifdef __x86_64__
static const char *const three =
	"{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':1,"
	"'architectures':['SCMP_ARCH_X86_64','SCMP_ARCH_X86','SCMP_ARCH_X32'],'syscalls':["
	"{'names':['read','write','close','exit_group','openat2','not_a_syscall'],'action':'SCMP_"
	"ACT_ALLOW'},"
	"{'names':['mount'],'action':'SCMP_ACT_ERRNO','errnoRet':22}]}";

static uint32_t expect(uint32_t nr, const uint32_t *allowed, uint32_t mount, uint32_t newest)
{
	for (size_t i = 0; i < 5; i++)
		if (allowed[i] == nr)
			return ALLOW;
	if (nr == mount)
		return SECCOMP_RET_ERRNO | 22;
	return nr > newest ? ENOSYS_ACTION : EPERM_ACTION;
}

static void test_three_arches(void)
{
	static const uint32_t x64[] = { 0, 1, 3, 231, 437 }, i386[] = { 3, 4, 6, 252, 437 };
	struct seccomp_plan plan;
	const char *problem = compile(three, true, &plan, NULL);
	int wrong64 = 0, wrong32 = 0, wrong_x32 = 0;

	is_str(problem, NULL, "a profile for three architectures");
	for (uint32_t nr = 0; nr < 2000; nr++) {
		wrong64 += seccomp_bpf_run(&plan, AUDIT_ARCH_X86_64, nr, 0, 0) !=
			   expect(nr, x64, 165, 437);
		wrong32 += seccomp_bpf_run(&plan, AUDIT_ARCH_I386, nr, 0, 0) !=
			   expect(nr, i386, 21, 437);
		wrong_x32 += seccomp_bpf_run(&plan, AUDIT_ARCH_X86_64, nr | 0x40000000u, 0, 0) !=
			     expect(nr, x64, 165, 437);
	}
	is_int(wrong64, 0, "x86-64: every number");
	is_int(wrong32, 0, "i386: every number");
	is_int(wrong_x32, 0, "x32: every number");
	is_int(seccomp_bpf_run(&plan, AUDIT_ARCH_AARCH64, 0, 0, 0), SECCOMP_RET_KILL_THREAD,
	       "another one is killed");
}

static void test_one_arch(void)
{
	struct seccomp_plan plan;
	const char *problem = compile("{'defaultAction':'SCMP_ACT_ERRNO','syscalls':["
				      "{'names':['read','getpid'],'action':'SCMP_ACT_ALLOW'}]}",
				      true, &plan, NULL);

	is_str(problem, NULL, "a profile for the native architecture");
	is_int(seccomp_bpf_run(&plan, AUDIT_ARCH_X86_64, 0, 0, 0), ALLOW, "read");
	is_int(seccomp_bpf_run(&plan, AUDIT_ARCH_X86_64, 1, 0, 0), EPERM_ACTION, "write");
	is_int(seccomp_bpf_run(&plan, AUDIT_ARCH_X86_64, 40, 0, 0), ENOSYS_ACTION,
	       "newer than the profile knows");
	is_int(seccomp_bpf_run(&plan, AUDIT_ARCH_I386, 3, 0, 0), SECCOMP_RET_KILL_THREAD,
	       "i386 is killed");
	is_int(seccomp_bpf_run(&plan, AUDIT_ARCH_X86_64, 0x40000000u, 0, 0),
	       SECCOMP_RET_KILL_THREAD, "x32 is killed");
}

static void test_prologue_conditions(void)
{
	struct seccomp_plan plan;

	compile("{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['mount'],'action':'SCMP_"
		"ACT_ERRNO'}]}",
		true, &plan, NULL);
	is_int(seccomp_bpf_run(&plan, AUDIT_ARCH_X86_64, 5000, 0, 0), ALLOW,
	       "an allowing profile: new calls are allowed");
	is_int(seccomp_bpf_run(&plan, AUDIT_ARCH_X86_64, 165, 0, 0), EPERM_ACTION,
	       "EPERM when no errno is given");
	compile("{'defaultAction':'SCMP_ACT_KILL_PROCESS','syscalls':[{'names':['read'],'action':'"
		"SCMP_ACT_ALLOW'}]}",
		true, &plan, NULL);
	is_int(seccomp_bpf_run(&plan, AUDIT_ARCH_X86_64, 5000, 0, 0), ENOSYS_ACTION,
	       "a killing one: ENOSYS");
	compile("{'defaultAction':'SCMP_ACT_KILL'}", true, &plan, NULL);
	is_int(seccomp_bpf_run(&plan, AUDIT_ARCH_X86_64, 5000, 0, 0), SECCOMP_RET_KILL_THREAD,
	       "an empty one: as it says");
}

static void test_arguments(void)
{
	struct seccomp_plan plan;
	const char *problem =
		compile("{'defaultAction':'SCMP_ACT_ERRNO','syscalls':["
			"{'names':['personality'],'action':'SCMP_ACT_ALLOW','args':["
			"{'index':0,'value':0,'op':'SCMP_CMP_EQ'},{'index':0,'value':8,'op':'SCMP_"
			"CMP_EQ'}]},"
			"{'names':['clone'],'action':'SCMP_ACT_ALLOW','args':["
			"{'index':0,'value':2114060288,'valueTwo':0,'op':'SCMP_CMP_MASKED_EQ'}]},"
			"{'names':['kill'],'action':'SCMP_ACT_ALLOW','args':["
			"{'index':0,'value':4294967296,'op':'SCMP_CMP_GE'},{'index':1,'value':9,'"
			"op':'SCMP_CMP_NE'}]}]}",
			true, &plan, NULL);
	const uint64_t big = UINT64_C(1) << 32;

	is_str(problem, NULL, "a profile with arguments");
	is_int(seccomp_bpf_run(&plan, AUDIT_ARCH_X86_64, SYS_personality, 0, 0), ALLOW,
	       "one alternative");
	is_int(seccomp_bpf_run(&plan, AUDIT_ARCH_X86_64, SYS_personality, 8, 0), ALLOW,
	       "the other one");
	is_int(seccomp_bpf_run(&plan, AUDIT_ARCH_X86_64, SYS_personality, 9, 0), EPERM_ACTION,
	       "neither");
	is_int(seccomp_bpf_run(&plan, AUDIT_ARCH_X86_64, SYS_personality, big, 0), EPERM_ACTION,
	       "high bits count");
	is_int(seccomp_bpf_run(&plan, AUDIT_ARCH_X86_64, SYS_clone, 17, 0), ALLOW,
	       "masked: none of the bits");
	is_int(seccomp_bpf_run(&plan, AUDIT_ARCH_X86_64, SYS_clone, 0x10000000, 0), EPERM_ACTION,
	       "masked: one of them");
	is_int(seccomp_bpf_run(&plan, AUDIT_ARCH_X86_64, SYS_kill, big, 1), ALLOW,
	       "both conditions hold");
	is_int(seccomp_bpf_run(&plan, AUDIT_ARCH_X86_64, SYS_kill, big, 9), EPERM_ACTION,
	       "the second does not");
	is_int(seccomp_bpf_run(&plan, AUDIT_ARCH_X86_64, SYS_kill, big - 1, 1), EPERM_ACTION,
	       "the first does not");
}
#endif

static void test_settings(void)
{
	struct seccomp_plan plan;

	compile("{'defaultAction':'SCMP_ACT_ALLOW'}", true, &plan, NULL);
	ok(plan.flags == SECCOMP_FILTER_FLAG_SPEC_ALLOW && plan.when == SECCOMP_LAST,
	   "no flags: SPEC_ALLOW; last with nnp");
	compile("{'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'/x','syscalls':["
		"{'names':['getppid'],'action':'SCMP_ACT_NOTIFY'}]}",
		true, &plan, NULL);
	ok(plan.when == SECCOMP_INSIDE, "with an agent: as long as the parent is there");
	compile("{'defaultAction':'SCMP_ACT_ALLOW','flags':['SECCOMP_FILTER_FLAG_LOG']}", false,
		&plan, NULL);
	ok(plan.flags == SECCOMP_FILTER_FLAG_LOG && plan.when == SECCOMP_PRIVILEGED,
	   "given flags; early without nnp");
	ok(compile("{'defaultAction':'SCMP_ACT_ALLOW','defaultErrnoRet':1}", true, &plan, NULL) !=
		   NULL,
	   "an errno that goes with nothing");
	ok(compile("{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':4096}", true, &plan,
		   NULL) != NULL,
	   "an errno the kernel would cut");
	ok(compile("{'defaultAction':'SCMP_ACT_NOTIFY'}", true, &plan, NULL) != NULL,
	   "NOTIFY as default");
	ok(compile("{'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'/x','syscalls':["
		   "{'names':['write'],'action':'SCMP_ACT_NOTIFY'}]}",
		   true, &plan, NULL) != NULL,
	   "NOTIFY for write");
	ok(compile("{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['mkdir'],'action':'"
		   "SCMP_ACT_NOTIFY'}]}",
		   true, &plan, NULL) != NULL,
	   "NOTIFY without listenerPath");
	ok(compile("{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['mkdir'],'action':'"
		   "SCMP_ACT_ERRNO',"
		   "'args':[{'index':6,'value':0,'op':'SCMP_CMP_EQ'}]}]}",
		   true, &plan, NULL) != NULL,
	   "argument 6");
}

static void test_load(void)
{
	struct seccomp_plan plan;
	struct error err;
	pid_t pid;
	int status, listener;

	compile("{'defaultAction':'SCMP_ACT_ALLOW','syscalls':["
		"{'names':['getppid'],'action':'SCMP_ACT_ERRNO','errnoRet':77}]}",
		true, &plan, NULL);
	pid = fork();
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    seccomp_run(&plan, &listener, &err) < 0)
			_exit(1);
		_exit(syscall(SYS_getppid) == -1 && errno == 77 ? 0 : 2);
	}
	ok(waitpid(pid, &status, 0) == pid && status == 0, "a loaded filter acts");
}

/*
 * The child's listener arrives with the message; answering its call is the agent's business, not
 * ours.
 */
static void test_notify(void)
{
	char text[4096] = "", control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { text, sizeof(text) - 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct oci_config *c;
	struct seccomp_plan plan;
	struct error err;
	const char *problem = compile(
		"{'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'/a','listenerMetadata':'m',"
		"'syscalls':[{'names':['getppid'],'action':'SCMP_ACT_NOTIFY'}]}",
		true, &plan, &c);
	int pair[2], status, listener;
	pid_t pid;

	is_str(problem, NULL, "a profile with NOTIFY");
	if (problem != NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return;
	seccomp_notify_compile(c, "id1", "/b", "creating", &arena, &plan);
	pid = fork();
	if (pid == 0)
		_exit(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		      seccomp_run(&plan, &listener, &err) < 0 || listener < 0 ||
		      seccomp_notify_send(&plan, pair[1], listener, 4321, &err) < 0);
	close(pair[1]);
	ok(recvmsg(pair[0], &msg, MSG_CMSG_CLOEXEC) > 0, "the message arrives");
	is_str(text,
	       "{\"ociVersion\":\"" OCI_VERSION
	       "\",\"fds\":[\"seccompFd\"],\"pid\":4321,\"metadata\":\"m\","
	       "\"state\":{\"ociVersion\":\"" OCI_VERSION
	       "\",\"id\":\"id1\",\"status\":\"creating\",\"pid\":4321,"
	       "\"bundle\":\"/b\"}}",
	       "its text");
	ok(CMSG_FIRSTHDR(&msg) != NULL && CMSG_FIRSTHDR(&msg)->cmsg_type == SCM_RIGHTS,
	   "with a descriptor");
	ok(waitpid(pid, &status, 0) == pid && status == 0, "the child is content");
	close(pair[0]);
	plan.listener_path = "/nonexistent/socket";
	ok(seccomp_notify_connect(&plan, -1, &err) < 0 &&
		   strstr(err.text, "failed to connect with seccomp agent") != NULL,
	   "%s", err.text);
}

int main(void)
{
	unsigned int version[3];

	seccomp_library_version(version);
	if (version[0] == 0) {
		skip("built without libseccomp");
		return done();
	}
	alarm(60);
#ifdef __x86_64__
	test_three_arches();
	test_one_arch();
	test_prologue_conditions();
	test_arguments();
#endif
	test_settings();
	test_load();
	test_notify();
	arena_free(&arena);
	return done();
}
