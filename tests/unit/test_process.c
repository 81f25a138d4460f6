/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "tap.h"

static char dir[] = "/tmp/kist-process-XXXXXX";
static struct arena arena;
static const struct host host = { .arch = (char *)"x86_64" };

/* A file of the test directory: "bin/good". */
static const char *path_of(const char *name)
{
	return arena_printf(&arena, "%s/%s", dir, name);
}

static void make(const char *name, mode_t mode, const void *data, size_t len)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len || fchmod(fd, mode) < 0)
		bail_out("cannot make a file");
	close(fd);
}

static int compile(char **args, char **env, struct process_plan *plan, struct error *err)
{
	struct oci_process p = { .args = args, .env = env, .cwd = (char *)"/" };
	struct oci_config c = { 0 };

	return process_compile(&c, &p, &host, &arena, plan, err);
}

static void test_env(void)
{
	char *args[] = { (char *)"x", NULL };
	char *env[] = { (char *)"A=1", (char *)"HOME=", (char *)"AB=2", (char *)"A=3", NULL };
	char *own[] = { (char *)"HOME=/h", (char *)"PATH=/p", NULL };
	char *bad[] = { (char *)"A=1", (char *)"B", NULL };
	char *empty[] = { (char *)"=1", NULL };
	struct process_plan plan;
	struct error err;

	is_int(compile(args, env, &plan, &err), 0, "environment");
	is_str(plan.env[0], "A=3", "the last value wins");
	is_str(plan.env[1], "HOME=/", "an empty HOME is to be filled");
	is_str(plan.env[2], "AB=2", "another name that begins the same");
	ok(plan.env[3] == NULL, "each name once");
	ok(plan.home == plan.env[1] + 5, "room for the home");
	is_int(compile(args, own, &plan, &err), 0, "own HOME and PATH");
	ok(plan.home == NULL && strcmp(plan.path, "/p") == 0, "are taken");
	is_int(compile(args, NULL, &plan, &err), 0, "no environment");
	ok(strcmp(plan.env[0], "HOME=/") == 0 && plan.env[1] == NULL, "has a HOME");
	ok(strstr(plan.path, "/usr/bin") != NULL, "default PATH");
	ok(compile(args, bad, &plan, &err) < 0 && strstr(err.text, "missing '='") != NULL, "%s",
	   err.text);
	ok(compile(args, empty, &plan, &err) < 0, "%s", err.text);
	ok(compile(args + 1, NULL, &plan, &err) < 0, "%s", err.text);
}

static void is_lookup(const char *name, const char *path, int ret, const char *text)
{
	char *args[] = { (char *)(uintptr_t)name, NULL };
	char *env[] = { arena_printf(&arena, "PATH=%s", path), NULL };
	struct process_plan plan;
	struct error err = { 0 };
	char out[PATH_MAX] = "";

	compile(args, env, &plan, &err);
	is_int(process_lookup_run(&plan, out, &err), ret, "look up \"%s\"", name);
	is_str(ret == 0 ? out : err.text, text, "\"%s\": result", name);
}

static void test_lookup(void)
{
	const char *both = arena_printf(&arena, "%s:%s", path_of("empty"), path_of("bin"));
	const char *good = path_of("bin/good"), *plain = path_of("bin/plain"),
		   *none = path_of("bin/none");
	const char *folder = path_of("bin/folder");

	is_lookup("good", both, 0, good);
	is_lookup(good, "", 0, good);
	is_lookup("", both, -ENOENT, "exec: \"\": executable file not found in $PATH");
	is_lookup("none", both, -ENOENT, "exec: \"none\": executable file not found in $PATH");
	is_lookup("folder", both, -ENOENT, "exec: \"folder\": executable file not found in $PATH");
	is_lookup("plain", both, -EACCES, "exec: \"plain\": permission denied");
	is_lookup(none, both, -ENOENT,
		  arena_printf(&arena, "exec: \"%s\": stat %s: no such file or directory", none,
			       none));
	is_lookup(plain, both, -EACCES,
		  arena_printf(&arena, "exec: \"%s\": permission denied", plain));
	is_lookup(folder, both, -EACCES,
		  arena_printf(&arena, "exec: \"%s\": is a directory: permission denied", folder));
}

static void explains(const char *name, int ret, const char *text)
{
	char *args[] = { (char *)(uintptr_t)name, NULL };
	struct process_plan plan;
	struct error err = { 0 };

	compile(args, NULL, &plan, &err);
	is_int(process_exec_run(&plan, path_of(name), &err), ret, "exec %s", name);
	ok(strstr(err.text, text) != NULL && strstr(err.text, error_text(-ret)) != NULL, "%s",
	   err.text);
}

static void test_exec(void)
{
	struct {
		Elf64_Ehdr head;
		Elf64_Phdr interp;
		char loader[32];
	} elf = {
		.head = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			  .e_type = ET_EXEC,
			  .e_machine = EM_X86_64,
			  .e_version = 1,
			  .e_phoff = sizeof(Elf64_Ehdr),
			  .e_ehsize = sizeof(Elf64_Ehdr),
			  .e_phentsize = sizeof(Elf64_Phdr),
			  .e_phnum = 1 },
		.interp = { .p_type = PT_INTERP,
			    .p_offset = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr),
			    .p_filesz = 17,
			    .p_memsz = 17 },
		.loader = "/lib/no-loader.so",
	};

	elf.interp.p_filesz = elf.interp.p_memsz = strlen(elf.loader) + 1;
	make("nointerp", 0755, "#!/bin/no-such x\n", 17);
	explains("nointerp", -ENOENT, "its interpreter /bin/no-such does not exist");
	make("crlf", 0755, "#!/bin/sh\r\n", 11);
	explains("crlf", -ENOENT, "interpreter /bin/sh\\r: the #! line ends in CR LF");
	make("text", 0755, "echo\n", 5);
	explains("text", -ENOEXEC, "neither an ELF program nor a script");
	make("nothing", 0755, "", 0);
	explains("nothing", -ENOEXEC, "the file is empty");
	make("noexec", 0644, "x", 1);
	explains("noexec", -EACCES, "no x permission");
#ifdef __x86_64__
	make("loader", 0755, &elf, sizeof(elf));
	explains("loader", -ENOENT, "its loader /lib/no-loader.so does not exist");
	elf.head.e_machine = EM_AARCH64;
	make("foreign", 0755, &elf, sizeof(elf));
	explains("foreign", -ENOEXEC, "for aarch64, machine 183; this machine is x86_64");
#endif
	explains("absent", -ENOENT, "exec ");
}

static void test_cwd(void)
{
	int root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct process_plan plan = { .cwd = "/made/of/parts" };
	struct error err;
	struct stat st;
	char text[PATH_MAX];

	is_int(process_cwd_make_run(&plan, root, &err), 0, "a working directory is made");
	ok(fstatat(root, "made/of/parts", &st, 0) == 0 && S_ISDIR(st.st_mode), "below the root");
	is_int(process_cwd_run(&plan, root, false, &err), 0, "and entered");
	ok(getcwd(text, sizeof(text)) != NULL && strcmp(text, path_of("made/of/parts")) == 0, "%s",
	   text);
	plan.cwd = "/proc-fd";
	ok(symlinkat(arena_printf(&arena, "/proc/self/fd/%d", here), root, "proc-fd") == 0 &&
		   process_cwd_run(&plan, root, false, &err) < 0,
	   "a link to a descriptor is not: %s", err.text);
	plan.cwd = "/bin/good";
	ok(process_cwd_run(&plan, root, false, &err) == -ENOTDIR, "%s", err.text);
	close(root);
	close(here);
}

int main(void)
{
	umask(022);
	if (mkdtemp(dir) == NULL)
		bail_out("cannot make a directory in /tmp");
	mkdir(path_of("bin"), 0755);
	mkdir(path_of("empty"), 0755);
	mkdir(path_of("bin/folder"), 0755);
	make("bin/good", 0755, "#!/bin/sh\n", 10);
	make("bin/plain", 0644, "x", 1);
	test_env();
	test_lookup();
	test_exec();
	test_cwd();
	if (chdir("/") < 0 || system(arena_printf(&arena, "rm -rf %s", dir)) != 0)
		return 1;
	arena_free(&arena);
	return done();
}
