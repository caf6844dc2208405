/** The machine's own programs, run with nothing of this process's environment and within a time. */
import { spawn } from "node:child_process";

/**
 * Directories of `ip`, `nft` and similar programs, also for users whose PATH omits the administrator's directories;
 * these come first, because every unsuccessful directory lookup costs time whenever a program starts.
 */
export const toolPath = [
	...new Set(["/usr/bin", "/usr/sbin", "/bin", "/sbin", ...(process.env["PATH"] ?? "").split(":")]),
]
	.filter((directory) => directory !== "")
	.join(":");

/** The environment for commands: nothing of ours but PATH, and plain messages. */
export const toolEnvironment = { PATH: toolPath, LC_ALL: "C" };

/** Most have no more than a moment's work; a file system that hangs must not hold everything up. */
const usualTimeoutMs = 60_000;
/** Of what a command says, its end is kept. */
const mostOutput = 16 * 1024;

/** A command that failed, with what it said. */
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
	/** Default: this process's. */
	directory?: string;
	/** When it is killed. Default: a minute. */
	timeoutMs?: number;
}

/**
 * Runs a command to its end and gives its standard output.
 * @throws CommandError when it cannot be started, does not end in time, or does not end with 0
 */
export function run(command: readonly [string, ...string[]], options: RunOptions = {}): Promise<string> {
	const { input = "", directory, timeoutMs = usualTimeoutMs } = options;
	return new Promise((resolve, reject) => {
		const [program, ...args] = command;
		const child = spawn(program, args, {
			stdio: ["pipe", "pipe", "pipe"],
			env: toolEnvironment,
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
		// A command that ends without reading its input is no error of its own.
		child.stdin.on("error", () => {});
		child.stdin.end(input);
	});
}

/** A word as a POSIX shell reads it back unchanged. */
export function shellQuote(word: string): string {
	return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
