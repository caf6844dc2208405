/* The memory that containers of a pod share as /dev/shm: the root of the mount namespace of the process that keeps the pod. */
#ifndef MEMORY_H
#define MEMORY_H

#include "pod.h"

/* A copy of that mount, which is nowhere yet; -1: none. */
static int pod_memory_fd = -1;

/* open-memory: before the container has a mount namespace. A mount can be copied only inside of its own. */
static void step_open_memory(void) {
	static const char what[] = "opening the pod's shared memory";
	long home = check(what, "", open_("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC, 0));
	long root = check(what, "", open_("/", O_PATH | O_CLOEXEC, 0));
	long directory = check(what, "", open_(".", O_PATH | O_CLOEXEC, 0));
	check(what, "", sys2(__NR_setns, pod_fd, CLONE_NEWNS));
	long memory = check(what, "", open_("/", O_PATH | O_CLOEXEC, 0));
	pod_memory_fd = (int)check(what, "", copy_of(memory, 0));
	close_(memory);
	check(what, "", sys2(__NR_setns, home, CLONE_NEWNS));
	/* To enter a mount namespace also changes to its root. */
	check(what, "", sys1(__NR_fchdir, root));
	check(what, "", sys1(__NR_chroot, "."));
	check(what, "", sys1(__NR_fchdir, directory));
	close_(directory);
	close_(root);
	close_(home);
}

/* memory PATH ATTRIBUTES: mounts it. */
static void step_memory(void) {
	const char *path = take();
	check("mounting the pod's shared memory at", path, set_attributes(pod_memory_fd, take_number(), 0, 0, 0));
	long target = check("mounting the pod's shared memory at", path, make_in_root(path, 1, 0));
	check("mounting the pod's shared memory at", path, attach(pod_memory_fd, target));
	close_(target);
	close_(pod_memory_fd);
}
#endif
