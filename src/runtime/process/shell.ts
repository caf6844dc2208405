/** The small shell programs around a container, as text. */

/** A word as a POSIX shell reads it back unchanged. */
export function shellQuote(word: string): string {
	return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

export function shellWords(words: readonly string[]): string {
	return words.map(shellQuote).join(" ");
}

/**
 * The shim, first part: holds the FIFOs open so that the container never sees a broken pipe, and starts a relay for each output
 * stream, which carries it from the FIFO into a file and rings a bell. The relays stay outside the pod's namespaces, where
 * nothing that the container does ends them.
 * @param streams names of the output streams' FIFOs
 * @param next the command that goes on, to which the relays' process ids are added
 */
export function shimScript(options: {
	directory: string;
	streams: readonly string[];
	next: readonly string[];
}): string {
	const { directory, streams } = options;
	// Each relay keeps its own bell open for reading, too: nobody else may be there to.
	const relays = streams.map((name) => {
		const path = shellQuote(`${directory}/${name}`);
		const bell = shellQuote(`${directory}/${name}.bell`);
		return `tee -a ${bell} <${path} >>${path}.raw 6<>${bell} 3<&- 4<&- 8<&- 9<&- &\nset -- "$@" $!\n`;
	});
	return `cd ${shellQuote(directory)} || exit 1
exec 3<>out ${streams.includes("err") ? "4<>err " : ""}8<>ack 9<>status
${relays.join("")}exec ${shellWords(options.next)} "$@"
`;
}

/**
 * The shim, second part: outlives the agent, waits for the container, keeps its exit code in the file `exit`, ends the logs with
 * a mark, stays until the agent has read them, and then ends the relays, whose process ids are its arguments.
 * @param start the command that starts the container
 * @param endMark a line no container can guess
 */
export function waitScript(options: {
	streams: readonly string[];
	start: readonly string[];
	endMark: string;
	stdin: boolean;
	cgroups: readonly string[];
}): string {
	const { stdin } = options;
	const joins = options.cgroups.map((group) => `echo 0 >${shellQuote(`${group}/cgroup.procs`)}\n`).join("");
	const hasErrors = options.streams.includes("err");
	const errors = hasErrors ? "err" : "out";
	const mark = shellQuote(options.endMark);
	return `${stdin ? "exec 5<>in\ntrap 'exec 5<&-' USR1\n" : ""}{ ${joins}exec ${shellWords(options.start)}; } <${stdin ? "in" : "/dev/null"} >out 2>${errors} 3<&- 4<&- 5<&- 8<&- &
child=$!
while :; do
	wait $child
	code=$?
	kill -0 $child 2>/dev/null || break
done
echo $code >exit
echo ${mark} >&3
${hasErrors ? `echo ${mark} >&4\n` : ""}read answer <&8
kill "$@" 2>/dev/null
`;
}

/**
 * The first program in a container's namespaces: mounts, changes the root, and becomes the command. Says `started PID` or `failed
 * REASON` on the FIFO `status`.
 */
export function initScript(options: {
	directory: string;
	root: string;
	path: string;
	workingDir: string;
	command: readonly [string, ...string[]];
	/** The command with everything in front of it: environment, user, terminal. */
	execute: readonly string[];
}): string {
	return `read pid rest </proc/self/stat
fail() { echo "failed $*" >&9; exit 128; }
said=$(mount -a --fstab ${shellQuote(`${options.directory}/fstab`)} 2>&1) || fail "mounting: $said"
cd ${shellQuote(options.root)} && pivot_root . . && umount -l . || fail "cannot change the root"
cd /
PATH=${shellQuote(options.path)}
${changeDirectory(options.workingDir)}
${checkCommand(options.command[0])}
echo "started $pid" >&9
exec 9<&-
exec ${shellWords(options.execute)}
`;
}

function changeDirectory(workingDir: string): string {
	const directory = shellQuote(workingDir);
	return `cd ${directory} 2>/dev/null || { mkdir -p ${directory} && cd ${directory}; } || fail "cannot enter the working directory "${directory}`;
}

/** Without starting a program: looks where `execvp` would look. The messages are those of upstream's runtime. */
function checkCommand(program: string): string {
	const name = shellQuote(program);
	const quoted = shellQuote(`exec: ${JSON.stringify(program)}: `);
	if (program.includes("/")) {
		return `[ -e ${name} ] || fail ${quoted}${shellQuote(`stat ${program}: no such file or directory`)}
[ -d ${name} ] && fail ${quoted}"is a directory"
[ -x ${name} ] || fail ${quoted}"permission denied"`;
	}
	return `look() { IFS=:; for d in $PATH; do [ -f "$d/$1" ] && [ -x "$d/$1" ] && return 0; done; return 1; }
look ${name} || fail ${quoted}'executable file not found in $PATH'
unset IFS`;
}
