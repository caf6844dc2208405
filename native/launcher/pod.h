/* Steps that make a pod's namespaces what they should be, and the process that keeps them. */
#ifndef POD_H
#define POD_H

#include "plan.h"

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
