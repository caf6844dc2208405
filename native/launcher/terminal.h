/* Terminals: a pair of the container's own, whose master is handed to the process outside. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include "paths.h"

#define TIOCSCTTY_ 0x540E
#define TIOCSWINSZ_ 0x5414
#define TIOCSPTLCK_ 0x40045431
#define TIOCGPTPEER_ 0x5441

struct window_size {
	unsigned short rows, columns, width, height;
};

struct message {
	void *name;
	unsigned name_length, gap;
	struct {
		void *base;
		word length;
	} *parts;
	word part_count;
	void *control;
	word control_length;
	unsigned flags, gap2;
};

struct control {
	word length;
	int level, type, fd, gap;
};

static long send_fd(int socket, int fd) {
	struct {
		void *base;
		word length;
	} part = {"T", 1};
	struct control control = {sizeof(word) + 2 * sizeof(int) + sizeof(int), 1, 1, fd, 0};
	struct message message;
	memset(&message, 0, sizeof message);
	message.parts = (void *)&part;
	message.part_count = 1;
	message.control = &control;
	message.control_length = sizeof control;
	return sys3(__NR_sendmsg, socket, &message, 0);
}

/* A message of the container's first process; its length, with the descriptor that came along or -1 in `fd`. */
static long receive(int socket, char *buffer, word size, int *fd) {
	struct {
		void *base;
		word length;
	} part = {buffer, size};
	struct control control;
	struct message message;
	memset(&control, 0, sizeof control);
	memset(&message, 0, sizeof message);
	message.parts = (void *)&part;
	message.part_count = 1;
	message.control = &control;
	message.control_length = sizeof control;
	*fd = -1;
	long length = sys3(__NR_recvmsg, socket, &message, 0x40000000 /* MSG_CMSG_CLOEXEC */);
	if (length > 0 && message.control_length >= 20 && control.type == 1) *fd = control.fd;
	return length;
}

static int supervisor_fd = -1;

/* terminal UID ROWS COLUMNS: standard streams become a new terminal of the container's /dev/pts. */
static void step_terminal(void) {
	word user = take_number();
	struct window_size size = {0, 0, 0, 0};
	size.rows = (unsigned short)take_number();
	size.columns = (unsigned short)take_number();
	long master = check("opening a terminal", "", open_in_root("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK));
	struct statx status;
	check("opening a terminal", "", sys5(__NR_statx, master, "", AT_EMPTY_PATH, STATX_TYPE, &status));
	if ((status.stx_mode & S_IFMT) != S_IFCHR || status.stx_rdev_major != 5 || status.stx_rdev_minor != 2)
		fail("/dev/pts/ptmx is no terminal", "", 0);
	int locked = 0;
	check("opening a terminal", "", sys3(__NR_ioctl, master, TIOCSPTLCK_, &locked));
	long slave = check("opening a terminal", "", sys3(__NR_ioctl, master, TIOCGPTPEER_, O_RDWR | O_NOCTTY));
	/* It belongs to whoever sits at it, as far as there is such a user. */
	sys3(__NR_fchown, slave, user, (word)-1);
	if (size.rows != 0 && size.columns != 0) sys3(__NR_ioctl, master, TIOCSWINSZ_, &size);
	check("handing on the terminal", "", send_fd(supervisor_fd, (int)master));
	close_(master);
	sys0(__NR_setsid);
	check("taking the terminal", "", sys3(__NR_ioctl, slave, TIOCSCTTY_, 0));
	for (int fd = 0; fd < 3; fd++) check("taking the terminal", "", sys3(__NR_dup3, slave, fd, 0));
	close_(slave);
}
#endif
