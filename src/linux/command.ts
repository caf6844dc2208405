/** Runs programs of the machine, without this process's environment and with a time limit. */
import { spawn } from "node:child_process";

/**
 * Directories of `ip`, `nft` and similar programs, also for users whose PATH omits the administrator's directories.
 * These come first, because each unsuccessful directory lookup takes time whenever a program starts.
 */
export const toolPath = [
	...new Set(["/usr/bin", "/usr/sbin", "/bin", "/sbin", ...(process.env["PATH"] ?? "").split(":")]),
]
	.filter((directory) => directory !== "")
	.join(":");

/** The environment of commands: only PATH, and messages in English. */
export const toolEnvironment = { PATH: toolPath, LC_ALL: "C" };

/** Most commands take only a moment; a file system that hangs must not block everything. */
const usualTimeoutMs = 60_000;
/** The end of a command's output is kept, up to this size. */
const mostOutput = 16 * 1024;

/** A failed command, with its output. */
export class CommandError extends Error {
	readonly exitCode: number;
	readonly output: string;

	constructor(command: readonly string[], exitCode: number, output: string) {
		super(`${command.slice(0, 3).join(" ")}: ${output.trim() || `exit code ${exitCode}`}`);
		this.name = "CommandError";
		this.exitCode = exitCode;
		this.output = output.trim();
	}
}

export interface RunOptions {
	/** Default: none. */
	input?: string;
	/** Default: the current one. */
	directory?: string;
	/** Time after which it is killed. Default: one minute. */
	timeoutMs?: number;
	/** Default: only PATH, and messages in English. */
	env?: NodeJS.ProcessEnv;
}

/**
 * Runs a command and returns its standard output.
 * @throws CommandError if it cannot be started, exceeds the time limit, or does not exit with 0
 */
export function run(command: readonly [string, ...string[]], options: RunOptions = {}): Promise<string> {
	const { input = "", directory, timeoutMs = usualTimeoutMs, env = toolEnvironment } = options;
	return new Promise((resolve, reject) => {
		const [program, ...args] = command;
		const child = spawn(program, args, {
			stdio: ["pipe", "pipe", "pipe"],
			env,
			cwd: directory,
			timeout: timeoutMs,
			killSignal: "SIGKILL",
		});
		let stdout = "";
		let stderr = "";
		child.stdout.on("data", (chunk) => {
			stdout += chunk;
		});
		child.stderr.on("data", (chunk) => {
			stderr = (stderr + chunk).slice(-mostOutput);
		});
		child.on("error", (error) => reject(new CommandError(command, 127, error.message)));
		child.on("close", (code) => {
			if (code === 0) resolve(stdout);
			else if (child.killed) reject(new CommandError(command, 128, `did not end within ${timeoutMs / 1000} s`));
			else reject(new CommandError(command, code ?? 128, stderr || stdout));
		});
		// A command that exits without reading its input is not an error.
		child.stdin.on("error", () => {});
		child.stdin.end(input);
	});
}

/** Quotes a word for a POSIX shell. */
export function shellQuote(word: string): string {
	return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
