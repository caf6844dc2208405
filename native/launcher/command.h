/* The last step: finds the program on the container's search path and becomes it. */
#ifndef COMMAND_H
#define COMMAND_H

#include "paths.h"

static void fail_command(const char *program, const char *words, long error) {
	struct text text;
	text.length = 0;
	add(&text, "exec: \"");
	for (const char *at = program; *at != 0; at++) {
		char character[3] = {*at, 0, 0};
		if (*at == '"' || *at == '\\') {
			character[0] = '\\';
			character[1] = *at;
		}
		add(&text, character);
	}
	add(&text, "\": ");
	if (words != 0) add(&text, words);
	else add_error(&text, error);
	fail_with(error == -ENOENT ? 127 : 126, text.bytes, "", 0);
}

static const char *variable(char **environment, const char *name) {
	word length = length_of(name);
	for (; *environment != 0; environment++) {
		word at = 0;
		while (at < length && (*environment)[at] == name[at]) at++;
		if (at == length && (*environment)[at] == '=') return *environment + length + 1;
	}
	return 0;
}

static void run_path(const char *program, char **arguments, char **environment) {
	long fd = open_(program, O_PATH | O_CLOEXEC, 0);
	if (fd == -ENOENT || fd == -ENOTDIR) {
		struct text text;
		text.length = 0;
		add(&text, "stat ");
		add(&text, program);
		add(&text, fd == -ENOENT ? ": no such file or directory" : ": not a directory");
		fail_command(arguments[0], text.bytes, -ENOENT);
	}
	if (fd >= 0 && is_directory(fd)) fail_command(arguments[0], "is a directory", -EISDIR);
	if (fd >= 0) close_(fd);
	long error = sys3(__NR_execve, program, arguments, environment);
	/* The file is there, so it is its interpreter that is not. */
	if (error == -ENOENT) {
		struct text text;
		text.length = 0;
		add(&text, "exec ");
		add(&text, program);
		add(&text, ": no such file or directory");
		fail_with(127, text.bytes, "", 0);
	}
	fail_command(arguments[0], 0, error);
}

/* Like a shell: what may not be run is passed over, and said only if nothing else is found. */
static void run(char **arguments, char **environment) {
	const char *program = arguments[0];
	if (program == 0 || *program == 0) fail_command("", "no command", -ENOENT);
	if (has(program, '/')) run_path(program, arguments, environment);
	const char *path = variable(environment, "PATH");
	long problem = -ENOENT;
	for (; path != 0 && *path != 0;) {
		struct text candidate;
		candidate.length = 0;
		while (*path != 0 && *path != ':' && candidate.length < longest_path - 300) {
			char character[2] = {*path++, 0};
			add(&candidate, character);
		}
		while (*path != 0 && *path != ':') path++;
		if (*path == ':') path++;
		if (candidate.length == 0) add(&candidate, ".");
		add(&candidate, "/");
		add(&candidate, program);
		long fd = open_(candidate.bytes, O_PATH | O_CLOEXEC, 0);
		if (fd < 0) continue;
		int usable = (mode_of(fd) & S_IFMT) == S_IFREG && sys3(__NR_faccessat, AT_FDCWD, candidate.bytes, 1) >= 0;
		close_(fd);
		if (!usable) continue;
		problem = sys3(__NR_execve, candidate.bytes, arguments, environment);
		if (problem != -EACCES) run_path(candidate.bytes, arguments, environment);
	}
	fail_command(program, problem == -EACCES ? 0 : "executable file not found in $PATH", problem);
}
#endif
