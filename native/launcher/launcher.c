/*
 * Starts and enters containers by a plan that the agent wrote (src/runtime/process/launcher/). Static, without a C library, so
 * that nothing but this code runs before a container's program does: no loader, no shell, no file of the container's.
 *
 *   launcher PLAN
 *
 * The plan begins with `start`, `exec` or `hold`, what that wants, and goes on with steps for the process that becomes the
 * container's program (see `steps` below; each names its words).
 */
#include "command.h"
#include "identity.h"
#include "memory.h"
#include "mounts.h"
#include "pod.h"
#include "relay.h"
#include "terminal.h"

/* unshare FLAGS */
static void step_unshare(void) { check("making namespaces", "", sys1(__NR_unshare, take_number())); }

/* tied: ends with the process outside. */
static void step_tied(void) { sys5(__NR_prctl, PR_SET_PDEATHSIG_, SIGKILL_, 0, 0, 0); }

/* join FLAGS: namespaces of the process that the plan named. */
static void step_join(void) { check("entering namespaces", "", sys2(__NR_setns, pod_fd, take_number())); }

/* run ENVIRONMENT COMMAND: the last one. */
static void step_run(void) {
	char **environment = take_list();
	char **arguments = take_list();
	sys3(__NR_close_range, 3, ~0U, 4 /* CLOSE_RANGE_CLOEXEC */);
	run(arguments, environment);
}

static const struct {
	const char *name;
	void (*run)(void);
} steps[] = {
	{"attributes", step_attributes},
	{"bind", step_bind},
	{"bounding", step_bounding},
	{"capabilities", step_capabilities},
	{"cgroup", step_cgroup},
	{"cover", step_cover},
	{"directory", step_directory},
	{"file", step_file},
	{"enter-user", step_enter_user},
	{"fresh", step_fresh},
	{"fs", step_fs},
	{"groups", step_groups},
	{"hostname", step_hostname},
	{"join", step_join},
	{"limit", step_limit},
	{"link", step_link},
	{"loopback", step_loopback},
	{"map", step_map},
	{"mask", step_mask},
	{"memory", step_memory},
	{"no-new-privileges", step_no_new_privileges},
	{"oom-score", step_oom_score},
	{"open-memory", step_open_memory},
	{"overlay", step_overlay},
	{"owners", step_owners},
	{"pivot", step_pivot},
	{"propagation", step_propagation},
	{"root", step_root},
	{"run", step_run},
	{"seccomp", step_seccomp},
	{"shift", step_shift},
	{"stay", step_stay},
	{"terminal", step_terminal},
	{"tied", step_tied},
	{"umask", step_umask},
	{"unshare", step_unshare},
	{"user", step_user},
	{"working-directory", step_working_directory},
	{"write", step_write},
};

static void run_steps(void) {
	while (!plan_is_over()) {
		const char *name = take();
		word at = 0;
		while (at < sizeof steps / sizeof *steps && !same(steps[at].name, name)) at++;
		if (at == sizeof steps / sizeof *steps) fail("unknown step", name, 0);
		steps[at].run();
	}
}

/* PID START-TIME of a process whose namespaces are entered. The start time tells it from a later one with its number. -1: PID is `0`. */
static int take_process(void) {
	const char *pid = take(), *start_time = take();
	if (same(pid, "0")) return -1;
	int process = (int)check("finding process", pid, sys2(__NR_pidfd_open, number(pid), 0));
	struct text path;
	path.length = 0;
	add(&path, "/proc/");
	add(&path, pid);
	add(&path, "/stat");
	static char stat[1024];
	long fd = check("finding process", pid, open_(path.bytes, O_RDONLY | O_CLOEXEC, 0));
	long length = check("finding process", pid, read_(fd, stat, sizeof stat - 1));
	close_(fd);
	/* The name stands in parentheses and may hold anything; the time is the 20th word behind it. */
	while (length > 0 && stat[length] != ')') length--;
	char *at = stat + length + 1;
	for (int blanks = 0; *at != 0; at++)
		if (*at == ' ' && ++blanks == 20) break;
	if (*at == ' ') at++;
	char *end = at;
	while (*end != 0 && *end != ' ' && *end != '\n') end++;
	*end = 0;
	if (!same(at, start_time)) fail("the process has ended:", pid, 0);
	return process;
}

/* The process that keeps the pod's namespaces. */
static void take_pod(void) {
	pod_pid = plan_at;
	pod_fd = take_process();
}

/* A child that reports through a socket; its descriptor in the parent in `pidfd`. 0 in the child. */
static long fork_reporting(word namespaces, int *pidfd) {
	int sockets[2];
	check("making a socket", "", sys4(__NR_socketpair, 1, 5 /* SOCK_SEQPACKET */ | O_CLOEXEC, 0, sockets));
	long pid = check("starting a process", "", sys5(__NR_clone, CLONE_PIDFD | namespaces | SIGCHLD_, 0, pidfd, 0, 0));
	supervisor_fd = sockets[pid == 0];
	close_(sockets[pid != 0]);
	if (pid == 0) {
		report_fd = supervisor_fd;
		report_prefix = "E";
	}
	return pid;
}

/* Reads what the first process says until it has become the program (1) or failed (0), with its words in `message`. */
static int hear(char *message, word size, int *terminal) {
	*terminal = -1;
	for (;;) {
		int fd;
		long length = receive(supervisor_fd, message, size - 1, &fd);
		if (length == -EINTR) continue;
		if (length <= 0) return 1;
		message[length - (message[length - 1] == '\n')] = 0;
		if (message[0] == 'E') return 0;
		if (fd >= 0) *terminal = fd;
	}
}

static long open_fifo(const char *name, word flags) {
	return check("opening", name, open_(name, flags | O_CLOEXEC | O_NOFOLLOW, 0));
}

static void say_line(long fd, const char *word_, const char *rest) {
	struct text line;
	line.length = 0;
	add(&line, word_);
	add(&line, rest);
	add(&line, "\n");
	write_(fd, line.bytes, line.length);
}

#define most_streams 2
static struct flow streams[most_streams], input;

/* While nobody has its other side open, a terminal reports an end; the program may open it again. */
static void hold_open(int terminal) { sys3(__NR_ioctl, terminal, TIOCGPTPEER_, O_RDWR | O_NOCTTY | O_CLOEXEC); }

/*
 * start DIRECTORY MARK STREAMS(1|2) INPUT(0|1) TERMINAL(0|1) POD-PID POD-START OTHER-PID OTHER-START JOIN-FIRST NAMESPACES
 * JOIN-FIRST are namespaces of OTHER, a container of the pod; of the pod where OTHER-PID is `0`.
 * Outlives the agent: carries the container's output from FIFOs (or its terminal) into files and bells, keeps its exit code in the
 * file `exit`, ends the logs with a mark, and stays until the agent has read them.
 */
static void start(void) {
	const char *directory = take(), *mark = take();
	int stream_count = (int)take_number();
	int has_input = (int)take_number(), has_terminal = (int)take_number();
	take_pod();
	int other = take_process();
	word join_first = take_number(), namespaces = take_number();
	check("entering", directory, sys1(__NR_chdir, directory));
	sys5(__NR_prctl, PR_SET_NAME_, "cox-shim", 0, 0, 0);
	int null = (int)check("opening", "/dev/null", open_("/dev/null", O_RDWR | O_CLOEXEC, 0));
	for (int fd = 0; fd < 3; fd++) sys3(__NR_dup3, null, fd, 0);
	long status = open_fifo("status", O_RDWR), ack = open_fifo("ack", O_RDWR);
	report_fd = (int)status;
	report_prefix = "failed ";
	static const char *const names[][4] = {{"out", "out.raw", "out.bell", 0}, {"err", "err.raw", "err.bell", 0}};
	int standard[3] = {null, -1, -1};
	for (int at = 0; at < stream_count && at < most_streams; at++) {
		int from = has_terminal ? -1 : (int)open_fifo(names[at][0], O_RDWR | O_NONBLOCK);
		int file = (int)check("opening", names[at][1], open_(names[at][1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
		make_flow(&streams[at], from, (int)open_fifo(names[at][2], O_RDWR | O_NONBLOCK), file);
		if (!has_terminal) standard[at + 1] = (int)open_fifo(names[at][0], O_WRONLY);
	}
	if (standard[1] < 0) standard[1] = null;
	if (standard[2] < 0) standard[2] = standard[1];
	int in = has_input ? (int)open_fifo("in", O_RDWR | O_NONBLOCK) : -1;
	if (in >= 0 && !has_terminal) standard[0] = (int)open_fifo("in", O_RDONLY);
	long sizes = has_terminal ? open_fifo("size", O_RDWR | O_NONBLOCK) : -1;
	/* Of later children only: this process stays where it is. */
	if (join_first != 0) check("entering namespaces", "", sys2(__NR_setns, other >= 0 ? other : pod_fd, join_first));
	if (other >= 0) close_(other);
	int pidfd = -1;
	long pid = fork_reporting(namespaces, &pidfd);
	if (pid == 0) {
		for (int fd = 0; fd < 3; fd++) sys3(__NR_dup3, standard[fd], fd, 0);
		sys0(__NR_setsid);
		run_steps();
		fail("the plan does not end with a program", "", 0);
	}
	for (int fd = 0; fd < 3; fd++)
		if (standard[fd] != null) close_(standard[fd]);
	word signals = 1UL << (SIGUSR1_ - 1);
	sys4(__NR_rt_sigprocmask, 0, &signals, 0, 8);
	long signal_fd = check("waiting for signals", "", sys4(__NR_signalfd4, -1, &signals, 8, O_CLOEXEC | O_NONBLOCK));
	static char message[4200];
	int terminal;
	if (hear(message, sizeof message, &terminal)) {
		struct text text;
		text.length = 0;
		add_number(&text, (word)pid);
		say_line(status, "started ", text.bytes);
	} else say_line(status, "failed ", message + 1);
	close_(supervisor_fd);
	if (pod_fd >= 0) close_(pod_fd);
	if (terminal >= 0) {
		hold_open(terminal);
		streams[0].from = terminal;
		if (in >= 0) make_flow(&input, in, terminal, -1);
	}
	static char last_words[256];
	word mark_length = length_of(mark);
	if (mark_length > sizeof last_words - 2) mark_length = sizeof last_words - 2;
	memcpy(last_words, mark, mark_length);
	last_words[mark_length] = '\n';
	for (int at = 0; at < stream_count; at++) streams[at].last_words = last_words;
	int ended = 0, input_ends = 0, over = 0;
	while (!over) {
		struct pollfd_ entries[8];
		over = ended;
		for (int at = 0; at < most_streams; at++) {
			if (at < stream_count) {
				carry(&streams[at]);
				if (!streams[at].over) over = 0;
				want(&streams[at], &entries[at]);
			} else entries[at].fd = -1;
		}
		entries[2].fd = -1;
		if (input.buffer != 0 && !input.over && !ended) {
			if (input_ends) {
				/* The end of input on a terminal is a character. */
				input.ending = 1;
				if (input.last_words == 0) input.last_words = "\004";
			}
			carry(&input);
			want(&input, &entries[2]);
		}
		entries[3].fd = ended ? -1 : pidfd;
		entries[4].fd = ended ? -1 : (int)signal_fd;
		entries[5].fd = ended || terminal < 0 ? -1 : (int)sizes;
		entries[3].events = entries[4].events = entries[5].events = POLLIN_;
		if (over) break;
		wait_for(entries, 6, 0);
		if (entries[5].fd >= 0 && (entries[5].revents & POLLIN_)) {
			struct window_size size;
			if (read_(sizes, &size, sizeof size) == sizeof size) sys3(__NR_ioctl, terminal, TIOCSWINSZ_, &size);
		}
		if (entries[4].fd >= 0 && (entries[4].revents & POLLIN_)) {
			byte information[128];
			read_(signal_fd, information, sizeof information);
			input_ends = 1;
			/* The container's program has its own descriptor: it gets the end when the last writer has closed. */
			if (input.buffer == 0 && in >= 0) {
				close_(in);
				in = -1;
			}
		}
		if (entries[3].fd >= 0 && entries[3].revents != 0) {
			struct text code;
			code.length = 0;
			add_number(&code, (word)exit_code_of(pidfd));
			long fd = open_("exit", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
			say_line(fd, code.bytes, "");
			close_(fd);
			ended = 1;
			for (int at = 0; at < stream_count; at++) streams[at].ending = 1;
		}
	}
	char answer;
	while (read_(ack, &answer, 1) == -EINTR)
		;
	exit_(0);
}

/*
 * exec TERMINAL(0|1) POD-PID POD-START JOIN-FIRST
 * Ends with the program's exit code. With a terminal, carries bytes between it and standard input and output, and takes its sizes
 * (four numbers of 16 bits) from descriptor 3.
 */
static void enter(void) {
	int has_terminal = (int)take_number();
	if (has_terminal) report_fd = 1;
	take_pod();
	word join_first = take_number();
	if (join_first != 0) check("entering namespaces", "", sys2(__NR_setns, pod_fd, join_first));
	int pidfd = -1;
	if (fork_reporting(0, &pidfd) == 0) {
		run_steps();
		fail("the plan does not end with a program", "", 0);
	}
	static char message[4200];
	int terminal;
	if (!hear(message, sizeof message, &terminal)) {
		say_line(report_fd, entering_failed, message + 1);
		exit_(exit_code_of(pidfd));
	}
	if (!has_terminal || terminal < 0) exit_(exit_code_of(pidfd));
	for (int fd = 0; fd < 2; fd++) nonblocking(fd);
	hold_open(terminal);
	make_flow(&streams[0], terminal, 1, -1);
	make_flow(&input, 0, terminal, -1);
	input.last_words = "\004";
	int ended = 0, code = 0, sized = 1;
	while (!streams[0].over) {
		struct pollfd_ entries[4];
		carry(&streams[0]);
		if (!ended) carry(&input);
		want(&streams[0], &entries[0]);
		want(&input, &entries[1]);
		if (ended) entries[1].fd = -1;
		entries[2].fd = ended ? -1 : pidfd;
		entries[3].fd = sized && !ended ? 3 : -1;
		entries[2].events = entries[3].events = POLLIN_;
		if (streams[0].over) break;
		wait_for(entries, 4, 0);
		if (entries[3].fd >= 0 && entries[3].revents != 0) {
			struct window_size size;
			sized = read_(3, &size, sizeof size) == sizeof size;
			if (sized) sys3(__NR_ioctl, terminal, TIOCSWINSZ_, &size);
		}
		if (entries[2].fd >= 0 && entries[2].revents != 0) {
			code = exit_code_of(pidfd);
			ended = 1;
			streams[0].ending = 1;
		}
	}
	exit_(ended ? code : exit_code_of(pidfd));
}

/*
 * hold NAMESPACES BASE SIZE
 * BASE: the number outside of user 0 in a user namespace of SIZE users; `0`: none is made.
 * Leaves a process behind that keeps namespaces alive, says its number on standard output, and ends.
 */
static void hold(void) {
	word namespaces = take_number();
	const char *base = take(), *size = take();
	int mapped = !same(base, "0");
	report_prefix = "";
	int pidfd = -1;
	long pid = fork_reporting(namespaces | (mapped ? CLONE_NEWUSER : 0), &pidfd);
	if (pid != 0 && mapped) map_users((word)pid, base, size, supervisor_fd);
	if (pid == 0) {
		if (mapped) become_root(supervisor_fd);
		sys0(__NR_setsid);
		sys5(__NR_prctl, PR_SET_NAME_, "pause", 0, 0, 0);
		run_steps();
		fail("the plan does not end with staying", "", 0);
	}
	static char message[4200];
	int fd;
	long length = receive(supervisor_fd, message, sizeof message - 1, &fd);
	struct text text;
	text.length = 0;
	if (length > 0 && message[0] == 'S') {
		add_number(&text, (word)pid);
		say_line(1, text.bytes, "");
		exit_(0);
	}
	if (length < 0) length = 0;
	message[length] = 0;
	write_(2, message + (length > 0), (word)(length > 0 ? length - 1 : 0));
	exit_(1);
}

/*
 * A copy in memory that nobody can change runs, and the file itself is left: a program that becomes `/proc/self/exe` inside a
 * container would otherwise hold the machine's file (CVE-2019-5736).
 */
static void run_from_memory(char **arguments, char **environment) {
	static const char own_name[] = "cox-launcher";
	if (same(arguments[0], own_name)) return;
	long file = check("opening the launcher", "", open_("/proc/self/exe", O_RDONLY | O_CLOEXEC, 0));
	/* Close-on-exec, may be sealed, may be run; kernels before 6.3 do not know the last. */
	long memory = sys2(__NR_memfd_create, own_name, 1 | 2 | 0x10);
	if (memory == -EINVAL) memory = sys2(__NR_memfd_create, own_name, 1 | 2);
	check("copying the launcher", "", memory);
	long copied;
	do copied = check("copying the launcher", "", sys4(__NR_sendfile, memory, file, 0, 1 << 20));
	while (copied > 0);
	/* Nothing may be written, cut, added or unsealed. */
	check("sealing the launcher", "", sys3(__NR_fcntl, memory, 1033, 15));
	arguments[0] = (char *)own_name;
	check("running the launcher from memory (see the sysctl vm.memfd_noexec)", "",
		  sys5(__NR_execveat, memory, "", arguments, environment, AT_EMPTY_PATH));
}

__attribute__((used)) void begin(word *stack) {
	word count = stack[0];
	char **arguments = (char **)(stack + 1);
	char **environment = arguments + count + 1;
	if (count != 2) fail("usage: launcher PLAN", "", 0);
	run_from_memory(arguments, environment);
	dumpable(0);
	sys1(__NR_umask, 0);
	read_plan(arguments[1]);
	const char *what = take();
	if (same(what, "start")) start();
	else if (same(what, "exec")) enter();
	else if (same(what, "hold")) hold();
	else fail("unknown plan", what, 0);
	exit_(0);
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call begin\n");
#else
__asm__(".globl _start\n_start:\n mov x29, #0\n mov x0, sp\n bl begin\n");
#endif
