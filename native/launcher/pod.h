/* Steps that make a pod's namespaces what they should be, and the process that keeps them. */
#ifndef POD_H
#define POD_H

#include "identity.h"
#include "mounts.h"

/* hostname NAME */
static void step_hostname(void) {
	const char *name = take();
	check("setting the host name", name, sys2(__NR_sethostname, name, length_of(name)));
}

/* loopback: the network namespace's own addresses answer (netdevice(7)). */
static void step_loopback(void) {
	struct {
		char name[16];
		short flags;
		char rest[22];
	} request;
	memset(&request, 0, sizeof request);
	memcpy(request.name, "lo", 2);
	long fd = check("opening a socket", "", sys3(__NR_socket, 2, 2 | O_CLOEXEC, 0));
	check("asking for the loopback device", "", sys3(__NR_ioctl, fd, 0x8913, &request));
	request.flags |= 1;
	check("switching the loopback device on", "", sys3(__NR_ioctl, fd, 0x8914, &request));
	close_(fd);
}

/* The process whose namespaces are entered. */
static const char *pod_pid;
static int pod_fd = -1;

/* owners BASE: the pod has a user namespace whose number 0 is BASE; files and mounts made from here on are its root's. */
static void step_owners(void) {
	struct text path;
	path.length = 0;
	add(&path, "/proc/");
	add(&path, pod_pid);
	add(&path, "/ns/user");
	owner_base = take_number();
	user_namespace_fd = (int)check("opening the pod's user namespace", "", open_(path.bytes, O_RDONLY | O_CLOEXEC, 0));
	sys1(__NR_setfsgid, owner_base);
	sys1(__NR_setfsuid, owner_base);
	take_effect();
}

/* enter-user: into that namespace, where the process still has all rights, and none outside of it. */
static void step_enter_user(void) {
	check("entering the pod's user namespace", "", sys2(__NR_setns, user_namespace_fd, CLONE_NEWUSER));
}

static void write_map(const char *pid, const char *file, const char *base, const char *size) {
	struct text path, line;
	path.length = line.length = 0;
	add(&path, "/proc/");
	add(&path, pid);
	add(&path, file);
	add(&line, "0 ");
	add(&line, base);
	add(&line, " ");
	add(&line, size);
	write_file(path.bytes, line.bytes, "mapping users", 0);
}

/* Of the child that waits in its new user namespace. */
static void map_users(word pid, const char *base, const char *size, int socket) {
	struct text number_;
	number_.length = 0;
	add_number(&number_, pid);
	write_map(number_.bytes, "/uid_map", base, size);
	write_map(number_.bytes, "/gid_map", base, size);
	check("mapping users", "", write_(socket, "M", 1));
}

static void become_root(int socket) {
	char answer;
	check("waiting for users", "", read_(socket, &answer, 1) == 1 ? 0 : -ESRCH);
	check("becoming root", "", sys3(__NR_setresgid, 0, 0, 0));
	check("becoming root", "", sys3(__NR_setresuid, 0, 0, 0));
	check("becoming root", "", sys2(__NR_setgroups, 0, 0));
}

/* stay: the last step. Reaps whatever is left to it, for ever. */
static void step_stay(void) {
	word signals = 1UL << (SIGCHLD_ - 1);
	sys4(__NR_rt_sigprocmask, 0, &signals, 0, 8);
	write_(report_fd, "S", 1);
	sys3(__NR_close_range, 0, ~0U, 0);
	sys1(__NR_chdir, "/");
	for (;;) {
		while (sys4(__NR_wait4, -1, 0, 1 /* WNOHANG */, 0) > 0)
			;
		sys4(__NR_rt_sigtimedwait, &signals, 0, 0, 8);
	}
}
#endif
