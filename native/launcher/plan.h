/* The plan: a file of words, each ended by a zero byte, and how its steps fail. */
#ifndef PLAN_H
#define PLAN_H

#include "text.h"

#define PROT_READ_ 1
#define PROT_WRITE_ 2
#define MAP_PRIVATE_ 2
#define MAP_ANONYMOUS_ 32

static char *plan_at, *plan_end;

/* Where failures are reported, and what stands before them. */
static int report_fd = 2;
static const char entering_failed[] = "OCI runtime exec failed: exec failed: unable to start container process: ";
static const char *report_prefix = entering_failed;

/* Ends the process with a message: `WHAT SUBJECT: ERROR`; 0 for no error. */
static void fail_with(int code, const char *what, const char *subject, long error) {
	struct text text;
	text.length = 0;
	add(&text, report_prefix);
	add(&text, what);
	if (subject != 0 && *subject != 0) {
		add(&text, " ");
		add(&text, subject);
	}
	if (error < 0) {
		add(&text, ": ");
		add_error(&text, error);
	}
	/* The agent reads one line. */
	for (word at = 0; at < text.length; at++)
		if (text.bytes[at] == '\n' || text.bytes[at] == '\r') text.bytes[at] = ' ';
	add(&text, "\n");
	write_(report_fd, text.bytes, text.length);
	exit_(code);
}

static void fail(const char *what, const char *subject, long error) { fail_with(128, what, subject, error); }

static long check(const char *what, const char *subject, long result) {
	if (result < 0) fail(what, subject, result);
	return result;
}

/* Memory that is never given back; zeroed. */
static void *allocate(word bytes) {
	long memory = sys6(__NR_mmap, 0, bytes, PROT_READ_ | PROT_WRITE_, MAP_PRIVATE_ | MAP_ANONYMOUS_, (word)-1, 0);
	check("allocating memory", "", memory < 0 && memory > -4096 ? memory : 0);
	return (void *)memory;
}

/* Takes the file away, too: it may hold secrets, and is used once. */
static void read_plan(const char *path) {
	long fd = check("opening the plan", path, open_(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0));
	sys3(__NR_unlinkat, AT_FDCWD, path, 0);
	long size = check("reading the plan", path, sys3(__NR_lseek, fd, 0, 2));
	long memory = size == 0 ? -EINVAL : sys6(__NR_mmap, 0, size, PROT_READ_ | PROT_WRITE_, MAP_PRIVATE_, fd, 0);
	check("reading the plan", path, memory < 0 && memory > -4096 ? memory : 0);
	plan_at = (char *)memory;
	plan_end = plan_at + size;
	if (plan_end[-1] != 0) fail("the plan is cut off", path, 0);
	close_(fd);
}

static int plan_is_over(void) { return plan_at >= plan_end; }

static char *take(void) {
	if (plan_is_over()) fail("the plan ends too early", "", 0);
	char *at = plan_at;
	plan_at += length_of(at) + 1;
	return at;
}

static word take_number(void) { return number(take()); }

/* A count and that many words, as `execve` wants them. */
static char **take_list(void) {
	word count = take_number();
	char **list = allocate((count + 1) * sizeof(char *));
	for (word at = 0; at < count; at++) list[at] = take();
	return list;
}
#endif
