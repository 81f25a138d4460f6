/* SPDX-License-Identifier: Apache-2.0 */
/* test_hook.c - hooks: what they get, how they fail. */
#include "hook.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/log.h"
#include "room.h"

static struct arena arena = ARENA_INIT;
static const char state[] = "{\"id\":\"test\"}";

static struct hook_plan compile(const char *kind, const char *list)
{
	struct host host = room_root();
	struct hook_plan plan;
	struct error err = { 0 };
	struct oci_config *c =
		room_config(&arena, arena_printf(&arena, "\"hooks\": {\"%s\": [%s]}", kind, list));

	if (hook_compile(c, &host, &arena, &plan, &err) < 0)
		bail_out(err.text);
	return plan;
}

static int run(const struct hook_plan *p, enum hook_kind kind, char *const *env, struct error *err)
{
	memset(err, 0, sizeof(*err));
	return hook_run(p, kind, &(struct hook_input){ .state = state, .process_env = env }, err);
}

static void test_failures(void)
{
	struct error err;
	struct hook_plan p =
		compile("createRuntime", "{\"path\":\"/bin/true\"},"
					 "{\"path\":\"/bin/sh\",\"args\":[\"sh\",\"-c\",\"echo "
					 "out; echo bad >&2; exit 3\"]}");

	ok(run(&p, HOOK_CREATE_RUNTIME, NULL, &err) < 0, "a failing hook is an error");
	ok(strncmp(err.text, "config.json:", 12) == 0 &&
		   strstr(err.text, ": hooks.createRuntime[1].path: error running createRuntime "
				    "hook #1: exit status 3, output: out\nbad"),
	   "where, which, and what it said: %s", err.text);
	p = compile("startContainer",
		    "{\"path\":\"/bin/sh\",\"args\":[\"sh\",\"-c\",\"kill -SYS $$\"]}");
	ok(run(&p, HOOK_START_CONTAINER, NULL, &err) < 0 &&
		   strstr(err.text, "bad system call") != NULL,
	   "%s", err.text);
	p = compile("poststart",
		    "{\"path\":\"/bin/sleep\",\"args\":[\"sleep\",\"20\"],\"timeout\":1}");
	ok(run(&p, HOOK_POSTSTART, NULL, &err) < 0 && strstr(err.text, "timeout of 1 s") != NULL,
	   "%s", err.text);
	p = compile("prestart", "{\"path\":\"/nowhere/hook\"}");
	ok(run(&p, HOOK_PRESTART, NULL, &err) < 0 &&
		   strstr(err.text, "no such file or directory") != NULL,
	   "%s", err.text);
	ok(hook_check(&p, &err) < 0 && strstr(err.text, "hooks.prestart[0].path") != NULL,
	   "found before: %s", err.text);
	p = compile("startContainer", "{\"path\":\"/nowhere/hook\"}");
	is_int(hook_check(&p, &err), 0, "a path of the container is not looked for on the host");
}

static void count(void *ctx, enum log_level level, const char *text)
{
	(void)text;
	*(int *)ctx += level == LOG_LEVEL_WARNING;
}

static void test_poststop(void)
{
	struct hook_plan p =
		compile("poststop", "{\"path\":\"/bin/false\"},{\"path\":\"/bin/false\"}");
	struct error err;
	int warnings = 0;

	log_set_sink(count, &warnings, LOG_LEVEL_WARNING);
	is_int(run(&p, HOOK_POSTSTOP, NULL, &err), 0, "failing poststop hooks are no error");
	is_int(warnings, 2, "but a warning each");
	log_set_sink(NULL, NULL, LOG_LEVEL_ERROR);
}

/* The environment, arguments and state, as the hook prints them before it fails. */
static void test_input(void)
{
	const char *script =
		"\"args\":[\"name\",\"-c\",\"cat; echo; echo $0:$A:$LD_PRELOAD_TEST; exit 1\"]";
	char *const env[] = { (char *)"A=process", NULL };
	struct error err;
	struct hook_plan p;

	setenv("LD_PRELOAD_TEST", "leaked", 1);
	p = compile("prestart",
		    arena_printf(&arena, "{\"path\":\"/bin/sh\",\"env\":[\"A=own\"],%s}", script));
	run(&p, HOOK_PRESTART, env, &err);
	ok(strstr(err.text, "{\"id\":\"test\"}\nname:own:") != NULL,
	   "state, argv[0] and own environment: %s", err.text);
	ok(strstr(err.text, "leaked") == NULL, "nothing of the runtime's environment");
	p = compile("prestart", arena_printf(&arena, "{\"path\":\"/bin/sh\",%s}", script));
	run(&p, HOOK_PRESTART, env, &err);
	ok(strstr(err.text, "name::") != NULL, "no env: an empty one: %s", err.text);
	p = compile("startContainer", arena_printf(&arena, "{\"path\":\"/bin/sh\",%s}", script));
	run(&p, HOOK_START_CONTAINER, env, &err);
	ok(strstr(err.text, "name:process:") != NULL, "but startContainer gets the process's: %s",
	   err.text);
}

static void test_compile(void)
{
	struct host host = room_root();
	struct hook_plan plan;
	struct error err = { 0 };
	struct oci_config *c =
		room_config(&arena, "\"hooks\": {\"prestart\": [{\"path\": \"bin/true\"}]}");

	ok(hook_compile(c, &host, &arena, &plan, &err) < 0, "refused: %s", err.text);
	c = room_config(&arena,
			"\"hooks\": {\"poststop\": [{\"path\": \"/bin/true\", \"timeout\": 0}]}");
	ok(hook_compile(c, &host, &arena, &plan, &err) < 0, "refused: %s", err.text);
}

int main(void)
{
	test_compile();
	test_failures();
	test_poststop();
	test_input();
	arena_free(&arena);
	return done();
}
