/* Steps that make the process what the container's program will be: limits, capabilities, user, filter. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include "paths.h"

#define PR_SET_DUMPABLE_ 4
#define PR_SET_PDEATHSIG_ 1
#define PR_SET_NAME_ 15
#define PR_CAPBSET_DROP_ 24
#define PR_SET_NO_NEW_PRIVS_ 38
#define PR_CAP_AMBIENT_ 47
#define PR_CAP_AMBIENT_CLEAR_ALL_ 4

struct rlimit_ {
	word soft, hard;
};

static void write_file(const char *path, const char *content, const char *what, int optional) {
	long fd = open_(path, O_WRONLY | O_CLOEXEC, 0);
	long written = fd < 0 ? fd : write_(fd, content, length_of(content));
	if (fd >= 0) close_(fd);
	if (!optional) check(what, path, written);
}

/* cgroup DIRECTORY: joins it. */
static void step_cgroup(void) {
	struct text path;
	path.length = 0;
	add(&path, take());
	add(&path, "/cgroup.procs");
	write_file(path.bytes, "0", "joining the control group", 0);
}

/* write PATH CONTENT: into a file that is there. */
static void step_write(void) {
	const char *path = take(), *content = take();
	write_file(path, content, "writing", 0);
}

static void dumpable(int value) { sys5(__NR_prctl, PR_SET_DUMPABLE_, value, 0, 0, 0); }

/* oom-score VALUE: below what was inherited only where the machine allows it. */
static void step_oom_score(void) {
	/* The file belongs to the process's user only while it may be looked at. */
	dumpable(1);
	write_file("/proc/self/oom_score_adj", take(), "", 1);
	dumpable(0);
}

/* limit RESOURCE SOFT HARD: as high as may be, up to that. */
static void step_limit(void) {
	word resource = take_number();
	struct rlimit_ wanted, now;
	wanted.soft = take_number();
	wanted.hard = take_number();
	if (sys4(__NR_prlimit64, 0, resource, &wanted, 0) >= 0) return;
	if (sys4(__NR_prlimit64, 0, resource, 0, &now) < 0) return;
	if (wanted.hard > now.hard) wanted.hard = now.hard;
	if (wanted.soft > wanted.hard) wanted.soft = wanted.hard;
	sys4(__NR_prlimit64, 0, resource, &wanted, 0);
}

/* umask MODE */
static void step_umask(void) { sys1(__NR_umask, take_number()); }

/* fresh: nothing of the caller's session is left: signals, niceness, keys. */
static void step_fresh(void) {
	struct {
		word handler, flags, restorer, mask;
	} action;
	memset(&action, 0, sizeof action);
	for (int signal = 1; signal <= 64; signal++) sys4(__NR_rt_sigaction, signal, &action, 0, 8);
	word none = 0;
	sys4(__NR_rt_sigprocmask, 2, &none, 0, 8);
	sys3(__NR_setpriority, 0, 0, 0);
	sys2(__NR_keyctl, 1, 0);
}

/* bounding MASK: of capabilities, those that remain. */
static void step_bounding(void) {
	word kept = take_number();
	for (word capability = 0; capability < 64; capability++) {
		if (kept >> capability & 1) continue;
		long dropped = sys5(__NR_prctl, PR_CAPBSET_DROP_, capability, 0, 0, 0);
		if (dropped == -EINVAL) return;
		check("dropping capabilities", "", dropped);
	}
}

/* capabilities MASK: permitted and effective; none is inherited. What the process has not got it cannot get. */
static void step_capabilities(void) {
	word wanted = take_number();
	struct {
		unsigned version;
		int pid;
	} header = {0x20080522, 0};
	struct {
		unsigned effective, permitted, inheritable;
	} sets[2], now[2];
	sys5(__NR_prctl, PR_CAP_AMBIENT_, PR_CAP_AMBIENT_CLEAR_ALL_, 0, 0, 0);
	check("dropping capabilities", "", sys2(__NR_capget, &header, now));
	for (int half = 0; half < 2; half++) {
		sets[half].permitted = (unsigned)(wanted >> (32 * half)) & now[half].permitted;
		sets[half].effective = sets[half].permitted;
		sets[half].inheritable = 0;
	}
	check("dropping capabilities", "", sys2(__NR_capset, &header, sets));
}

/* All that is permitted, in effect. */
static void take_effect(void) {
	struct {
		unsigned version;
		int pid;
	} header = {0x20080522, 0};
	struct {
		unsigned effective, permitted, inheritable;
	} sets[2];
	check("keeping capabilities", "", sys2(__NR_capget, &header, sets));
	for (int half = 0; half < 2; half++) sets[half].effective = sets[half].permitted;
	check("keeping capabilities", "", sys2(__NR_capset, &header, sets));
}

/* groups LIST */
static void step_groups(void) {
	word count = number(plan_at);
	char **list = take_list();
	unsigned *groups = allocate((count + 1) * sizeof(unsigned));
	for (word at = 0; at < count; at++) groups[at] = (unsigned)number(list[at]);
	check("setting supplemental groups", "", sys2(__NR_setgroups, count, groups));
}

/* user UID GID */
static void step_user(void) {
	word user = take_number(), group = take_number();
	check("setting the group", "", sys3(__NR_setresgid, group, group, group));
	check("setting the user", "", sys3(__NR_setresuid, user, user, user));
}

/* map UID GID: a user namespace of its own in which the one user there is has these numbers. */
static void step_map(void) {
	const char *user = take(), *group = take();
	check("making a user namespace", "", sys1(__NR_unshare, CLONE_NEWUSER));
	dumpable(1);
	struct text line;
	write_file("/proc/self/setgroups", "deny", "mapping the group", 0);
	line.length = 0;
	add(&line, user);
	add(&line, " 0 1");
	write_file("/proc/self/uid_map", line.bytes, "mapping the user", 0);
	line.length = 0;
	add(&line, group);
	add(&line, " 0 1");
	write_file("/proc/self/gid_map", line.bytes, "mapping the group", 0);
	dumpable(0);
}

/* no-new-privileges */
static void step_no_new_privileges(void) {
	check("setting no_new_privs", "", sys5(__NR_prctl, PR_SET_NO_NEW_PRIVS_, 1, 0, 0, 0));
}

static unsigned hex_digit(char digit) { return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10); }

/* seccomp HEX: the filter's instructions, 8 bytes each. */
static void step_seccomp(void) {
	char *hex = take();
	word length = length_of(hex) / 2;
	byte *filter = (byte *)hex;
	for (word at = 0; at < length; at++) filter[at] = (byte)(hex_digit(hex[2 * at]) << 4 | hex_digit(hex[2 * at + 1]));
	struct {
		unsigned short length;
		byte *filter;
	} program;
	/* The kernel wants it aligned. */
	byte *aligned = allocate(length + 8);
	memcpy(aligned, filter, length);
	program.length = (unsigned short)(length / 8);
	program.filter = aligned;
	check("loading the seccomp filter", "", sys3(__NR_seccomp, 1, 0, &program));
}

/* working-directory PATH: made where it is missing; always one that the container has a path to (CVE-2024-21626). */
static void step_working_directory(void) {
	const char *path = take();
	long fd = make_in_root(path, 1, 0);
	if (fd >= 0) {
		long entered = sys1(__NR_fchdir, fd);
		close_(fd);
		fd = entered;
	}
	check("cannot enter the working directory", path, fd);
	static char entered[longest_path];
	check("cannot enter the working directory", path, sys2(__NR_getcwd, entered, sizeof entered));
	if (entered[0] != '/') fail("cannot enter the working directory, which is not in the container:", path, 0);
}
#endif
