/* Bytes on their way between a container's streams, the files of its logs, and a terminal. */
#ifndef RELAY_H
#define RELAY_H

#include "plan.h"

#define buffer_size 65536

struct flow {
	int from, to; /* -1: there is none */
	int file; /* gets every byte first; -1: none */
	int ending; /* nothing more will come than what is there now */
	int over;
	const char *last_words; /* after everything else */
	word have, sent;
	byte *buffer;
};

static void make_flow(struct flow *flow, int from, int to, int file) {
	memset(flow, 0, sizeof *flow);
	flow->from = from;
	flow->to = to;
	flow->file = file;
	flow->buffer = allocate(buffer_size);
}

static void nonblocking(int fd) {
	long flags = sys3(__NR_fcntl, fd, F_GETFL, 0);
	if (flags >= 0) sys3(__NR_fcntl, fd, F_SETFL, flags | O_NONBLOCK);
}

static void to_file(struct flow *flow) {
	/* A full disk leaves a gap in the log; the container goes on. */
	for (word at = 0; flow->file >= 0 && at < flow->have;) {
		long written = write_(flow->file, flow->buffer + at, flow->have - at);
		if (written == -EINTR) continue;
		if (written <= 0) return;
		at += (word)written;
	}
}

static void flow_ended(struct flow *flow) {
	if (flow->last_words == 0) {
		flow->over = 1;
		return;
	}
	flow->have = length_of(flow->last_words);
	flow->sent = 0;
	memcpy(flow->buffer, flow->last_words, flow->have);
	flow->last_words = 0;
	flow->from = -1;
	flow->ending = 1;
	to_file(flow);
}

/* Carries what can be carried without waiting. */
static void carry(struct flow *flow) {
	/* A bound, so that one stream does not keep the others waiting. */
	for (int turn = 0; turn < 16 && !flow->over; turn++) {
		if (flow->sent < flow->have) {
			long written = flow->to < 0 ? (long)(flow->have - flow->sent) : write_(flow->to, flow->buffer + flow->sent, flow->have - flow->sent);
			if (written == -EAGAIN) return;
			/* Nobody is there to take it any more. */
			if (written < 0 && written != -EINTR) written = (long)(flow->have - flow->sent);
			if (written > 0) flow->sent += (word)written;
			continue;
		}
		if (flow->from < 0) {
			if (!flow->ending) return;
			flow_ended(flow);
			continue;
		}
		long length = read_(flow->from, flow->buffer, buffer_size);
		if (length == -EINTR) continue;
		if (length == -EAGAIN && !flow->ending) return;
		if (length <= 0) {
			flow_ended(flow);
			continue;
		}
		flow->have = (word)length;
		flow->sent = 0;
		to_file(flow);
	}
}

/* What to wait for before the next `carry`. */
static void want(struct flow *flow, struct pollfd_ *entry) {
	entry->fd = -1;
	entry->events = entry->revents = 0;
	if (flow->over) return;
	int waits_to_write = flow->sent < flow->have;
	entry->fd = waits_to_write ? flow->to : flow->from;
	entry->events = waits_to_write ? POLLOUT_ : POLLIN_;
}

static long wait_for(struct pollfd_ *entries, word count, int without_waiting) {
	struct {
		long seconds, nanoseconds;
	} none = {0, 0};
	return sys5(__NR_ppoll, entries, count, without_waiting ? &none : 0, 0, 8);
}

/* 128 + signal for what a signal ended, as shells say it. */
static int exit_code_of(int pidfd) {
	struct {
		int signal, error, code, gap, pid, user, status, rest[25];
	} info;
	memset(&info, 0, sizeof info);
	while (sys5(__NR_waitid, P_PIDFD_, pidfd, &info, WEXITED_, 0) == -EINTR)
		;
	return info.code == 1 ? info.status & 0xff : 128 + info.status;
}
#endif
