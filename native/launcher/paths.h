/* Paths that are resolved below a directory, whatever links others put there at the same time (openat2). */
#ifndef PATHS_H
#define PATHS_H

#include "plan.h"

/* The container's root while it is being put together; -1: paths are the machine's. */
static int root_fd = -1;

/* Of the pod's user namespace: number 0 in it. What is made belongs to it. */
static word owner_base;

static long open_below(long directory, const char *path, word flags, word mode, word resolve) {
	struct open_how how;
	memset(&how, 0, sizeof how);
	how.flags = flags | O_CLOEXEC;
	how.mode = mode;
	how.resolve = resolve;
	/* A rename at the same time may make the kernel unsure whether `..` led out. */
	for (int attempt = 0;; attempt++) {
		long fd = sys4(__NR_openat2, directory, path, &how, sizeof how);
		if (fd != -EAGAIN || attempt == 1000) return fd;
	}
}

/* Links lead where the container would be led; none of /proc leads to what another process has open. */
static long open_in_root(const char *path, word flags) {
	if (root_fd < 0) return open_below(AT_FDCWD, path, flags, 0, RESOLVE_NO_MAGICLINKS);
	return open_below(root_fd, path, flags, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

/* Of the container or the machine; a path with a link in it is none. */
static long open_without_links(const char *path, word flags) {
	word resolve = root_fd < 0 ? RESOLVE_NO_SYMLINKS : RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS;
	return open_below(root_fd < 0 ? AT_FDCWD : root_fd, path, flags, 0, resolve);
}

/* Links may lead anywhere in the directory and nowhere else. */
static long open_beneath(long directory, const char *path, word flags) {
	return open_below(directory, path, flags, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
}

static word mode_of(long fd) {
	struct statx status;
	status.stx_mode = 0;
	sys5(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MODE, &status);
	return status.stx_mode;
}

static int is_directory(long fd) { return (mode_of(fd) & S_IFMT) == S_IFDIR; }

#define longest_path 4096

/* Writes the path without its last part into `parent`, and gives that part. */
static const char *split(const char *path, char *parent) {
	word length = length_of(path);
	if (length >= longest_path) fail("path is too long:", path, 0);
	while (length > 1 && path[length - 1] == '/') length--;
	word name = length;
	while (name > 0 && path[name - 1] != '/') name--;
	memcpy(parent, path, name);
	parent[name] = 0;
	if (name == 0) memcpy(parent, ".", 2);
	static char last[longest_path];
	memcpy(last, path + name, length - name);
	last[length - name] = 0;
	return last;
}

static long make_in_root(const char *path, int directory, int depth);

/* The target of a link that leads nowhere yet, as a path of the container. */
static long make_behind_link(long parent_fd, const char *parent, const char *name, int directory, int depth) {
	char target[longest_path], path[2 * longest_path];
	long length = sys4(__NR_readlinkat, parent_fd, name, target, sizeof target - 1);
	if (length < 0) return length;
	target[length] = 0;
	word at = 0;
	if (target[0] != '/') {
		at = length_of(parent);
		memcpy(path, parent, at);
		path[at++] = '/';
	}
	memcpy(path + at, target, (word)length + 1);
	return make_in_root(path, directory, depth + 1);
}

/* Opens a file or directory of the container, which is made where it is missing, with the directories before it. */
static long make_in_root(const char *path, int directory, int depth) {
	long fd = open_in_root(path, O_PATH);
	if (fd != -ENOENT) return fd;
	if (depth > 128) return -ELOOP;
	char parent[longest_path], name[longest_path];
	const char *last = split(path, parent);
	memcpy(name, last, length_of(last) + 1);
	if (same(name, "") || same(name, ".") || same(name, "..")) return -ENOENT;
	long parent_fd = make_in_root(parent, 1, depth + 1);
	if (parent_fd < 0) return parent_fd;
	long made;
	if (directory) made = sys3(__NR_mkdirat, parent_fd, name, 0755);
	else {
		made = openat_(parent_fd, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (made >= 0) close_(made);
	}
	/* By its name in the parent: it cannot be replaced by anything outside of the root. */
	if (made == -EEXIST) {
		fd = open_in_root(path, O_PATH);
		if (fd == -ENOENT) fd = make_behind_link(parent_fd, parent, name, directory, depth);
	} else if (made < 0) fd = made;
	else fd = open_in_root(path, O_PATH);
	close_(parent_fd);
	return fd;
}
#endif
