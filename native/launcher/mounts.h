/* Steps that put the container's file system together. */
#ifndef MOUNTS_H
#define MOUNTS_H

#include "paths.h"

/* The pod's; -1: it has none of its own. */
static int user_namespace_fd = -1;

static long set_attributes(long fd, word attributes, word propagation, int recursive, int mapped) {
	struct mount_attr how;
	memset(&how, 0, sizeof how);
	how.attr_set = attributes;
	how.propagation = propagation;
	if (mapped) {
		how.attr_set |= MOUNT_ATTR_IDMAP;
		how.userns_fd = (word)user_namespace_fd;
	}
	if (how.attr_set == 0 && propagation == 0) return 0;
	return sys5(__NR_mount_setattr, fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &how, sizeof how);
}

static long attach(long mount, long target) {
	return sys5(__NR_move_mount, mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

static long copy_of(long fd, int recursive) {
	return sys3(__NR_open_tree, fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0));
}

/* Mounts a copy of what `source` is on `target`; closes both. */
static void bind(const char *subject, long source, long target, word attributes, word propagation, int mapped) {
	long copy = check("mounting", subject, copy_of(source, 1));
	/* Some file systems cannot shift owners: what is on them is nobody's then. */
	long set = mapped ? set_attributes(copy, attributes, propagation, 1, 1) : -EINVAL;
	if (set < 0) set = set_attributes(copy, attributes, propagation, 1, 0);
	check("mounting", subject, set);
	check("mounting", subject, attach(copy, target));
	close_(copy);
	close_(source);
	close_(target);
}

/* propagation slave|private: before anything is mounted, cuts the new mount namespace off. */
static void step_propagation(void) {
	word how = same(take(), "slave") ? MS_SLAVE_ : MS_PRIVATE_;
	check("changing the propagation of mounts", "", sys5(__NR_mount, "none", "/", 0, MS_REC_ | how, 0));
}

/* overlay TARGET FLAGS OPTIONS: by the older call, whose options may be as long as a page. */
static void step_overlay(void) {
	const char *target = take();
	word flags = take_number();
	const char *options = take();
	struct text path;
	path.length = 0;
	long fd = check("mounting the file system at", target, make_in_root(target, 1, 0));
	add(&path, "/proc/self/fd/");
	add_number(&path, (word)fd);
	check("mounting the file system at", target, sys5(__NR_mount, "overlay", path.bytes, "overlay", flags, options));
	close_(fd);
}

/* shift SOURCE TARGET: the mount at SOURCE alone, with its owners shifted by the pod's user namespace. */
static void step_shift(void) {
	const char *source = take(), *path = take();
	long fd = check("opening", source, open_(source, O_PATH | O_CLOEXEC, 0));
	long copy = check("shifting the owners of", source, copy_of(fd, 0));
	check("shifting the owners of", source, set_attributes(copy, 0, 0, 0, 1));
	long target = check("shifting the owners of", source, make_in_root(path, 1, 0));
	check("shifting the owners of", source, attach(copy, target));
	close_(copy);
	close_(fd);
	close_(target);
}

/* root DIRECTORY: from here on, targets are paths of the container. */
static void step_root(void) {
	const char *path = take();
	root_fd = (int)check("opening", path, open_(path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
}

/* fs TYPE TARGET ATTRIBUTES OPTIONS(list of `key=value` or `key`) FLAGS(`o`: may be missing) */
static void step_fs(void) {
	const char *type = take(), *path = take();
	word attributes = take_number();
	char **options = take_list();
	int optional = has(take(), 'o');
	long context = sys2(__NR_fsopen, type, 1);
	if (context < 0 && optional) return;
	check("mounting", path, context);
	sys5(__NR_fsconfig, context, FSCONFIG_SET_STRING, "source", type, 0);
	for (; *options != 0; options++) {
		char *value = *options;
		while (*value != 0 && *value != '=') value++;
		word command = FSCONFIG_SET_FLAG;
		if (*value == '=') {
			*value++ = 0;
			command = FSCONFIG_SET_STRING;
		}
		check("mounting", path, sys5(__NR_fsconfig, context, command, *options, command == FSCONFIG_SET_FLAG ? 0 : value, 0));
	}
	long mount = sys5(__NR_fsconfig, context, FSCONFIG_CMD_CREATE, 0, 0, 0);
	if (mount >= 0) mount = sys3(__NR_fsmount, context, 1, attributes);
	if (mount < 0 && optional) {
		close_(context);
		return;
	}
	check("mounting", path, mount);
	long target = check("mounting", path, make_in_root(path, 1, 0));
	check("mounting", path, attach(mount, target));
	close_(target);
	close_(mount);
	close_(context);
}

/*
 * bind VIEW SOURCE BELOW TARGET ATTRIBUTES PROPAGATION FLAGS
 * VIEW: a directory that SOURCE's links cannot leave, or empty. BELOW: a path in SOURCE that cannot leave it, or empty.
 * FLAGS: `o`: nothing is done where the source is missing; `m`: owners are shifted by the pod's user namespace, where they can be.
 */
static void step_bind(void) {
	const char *view = take(), *source = take(), *below = take(), *path = take();
	word attributes = take_number(), propagation = take_number();
	const char *flags = take();
	long fd;
	if (*view == 0) fd = open_(source, O_PATH | O_CLOEXEC, 0);
	else {
		long directory = check("opening", view, open_(view, O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
		fd = open_below(directory, source, O_PATH, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
		close_(directory);
	}
	if (fd == -ENOENT && has(flags, 'o')) return;
	check("opening", source, fd);
	if (*below != 0) {
		long inner = check("failed to prepare subPath", below, open_beneath(fd, below, O_PATH));
		close_(fd);
		fd = inner;
	}
	long target = check("making the mount point", path, make_in_root(path, is_directory(fd), 0));
	bind(path, fd, target, attributes, propagation, has(flags, 'm'));
}

/* cover PATH ATTRIBUTES: the same again on top of itself, with less rights. Nothing where there is no such path. */
static void step_cover(void) {
	const char *path = take();
	word attributes = take_number();
	long fd = open_in_root(path, O_PATH);
	if (fd == -ENOENT) return;
	check("covering", path, fd);
	long target = check("covering", path, open_in_root(path, O_PATH));
	bind(path, fd, target, attributes, 0, 0);
}

/*
 * mask PATH DIRECTORY: hidden by the empty directory, or by /dev/null where it is no directory. Nothing where a link or a
 * file is on the way: users may have put it there to hide what the container needs.
 */
static void step_mask(void) {
	const char *path = take(), *empty = take();
	long target = open_without_links(path, O_PATH);
	if (target == -ENOENT || target == -ELOOP || target == -ENOTDIR) return;
	check("hiding", path, target);
	const char *source = is_directory(target) ? empty : "/dev/null";
	long fd = check("hiding", path, open_(source, O_PATH | O_CLOEXEC, 0));
	bind(path, fd, target, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0, 0);
}

/* attributes PATH ATTRIBUTES: of the mount that is there, not of those below it. */
static void step_attributes(void) {
	const char *path = take();
	word attributes = take_number();
	long fd = check("remounting", path, open_in_root(path, O_PATH));
	check("remounting", path, set_attributes(fd, attributes, 0, 0, 0));
	close_(fd);
}

/* directory PATH MODE UID GID: with these only where it is made now. The numbers are kept as far as there are such users. */
static void step_directory(void) {
	const char *path = take();
	word mode = take_number(), user = take_number(), group = take_number();
	long fd = open_in_root(path, O_PATH);
	if (fd < 0) {
		fd = check("making", path, make_in_root(path, 1, 0));
		close_(fd);
		fd = check("making", path, open_in_root(path, O_RDONLY | O_DIRECTORY));
		if (user != 0 || group != 0) sys3(__NR_fchown, fd, owner_base + user, owner_base + group);
		if (mode != 0755) sys2(__NR_fchmod, fd, mode);
	}
	close_(fd);
}

/* link TARGET PATH: nothing where there is something already. */
static void step_link(void) {
	const char *target = take(), *path = take();
	char parent[longest_path];
	const char *name = split(path, parent);
	long fd = check("making", path, open_in_root(parent, O_PATH));
	long made = sys3(__NR_symlinkat, target, fd, name);
	if (made != -EEXIST) check("making", path, made);
	close_(fd);
}

/* file PATH CONTENT */
static void step_file(void) {
	const char *path = take(), *content = take();
	long fd = make_in_root(path, 0, 0);
	if (fd >= 0) {
		close_(fd);
		fd = open_in_root(path, O_WRONLY | O_TRUNC);
	}
	check("writing", path, fd);
	check("writing", path, write_(fd, content, length_of(content)));
	close_(fd);
}

/* pivot: the container's root becomes the process's; nothing of the machine's is left mounted. */
static void step_pivot(void) {
	check("changing the root", "", sys1(__NR_fchdir, root_fd));
	check("changing the root", "", sys2(__NR_pivot_root, ".", "."));
	check("changing the root", "", sys2(__NR_umount2, ".", MNT_DETACH_));
	check("changing the root", "", sys1(__NR_chdir, "/"));
	close_(root_fd);
	root_fd = -1;
}
#endif
