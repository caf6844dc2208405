import { spawn } from "node:child_process";

/**
 * Where `ip`, `nft` and the like are, also for users whose PATH leaves the administrator's directories out; these come first,
 * because every directory looked through in vain costs time at every start of a program.
 */
export const toolPath = [
	...new Set(["/usr/bin", "/usr/sbin", "/bin", "/sbin", ...(process.env["PATH"] ?? "").split(":")]),
]
	.filter((directory) => directory !== "")
	.join(":");

/** The environment for commands: nothing of ours but PATH, and plain messages. */
export const toolEnvironment = { PATH: toolPath, LC_ALL: "C" };

/** After which a command is killed: none of them has more than a moment's work. */
const longestMs = 60_000;

/** A command that failed, with what it said. */
export class CommandError extends Error {
	readonly exitCode: number;
	constructor(command: readonly string[], exitCode: number, output: string) {
		super(`${command.slice(0, 3).join(" ")}: ${output.trim() || `exit code ${exitCode}`}`);
		this.name = "CommandError";
		this.exitCode = exitCode;
	}
}

/**
 * Runs a command to its end, with `input` on its standard input, and gives its standard output.
 * @throws CommandError when it cannot be started or does not end with 0
 */
export function run(command: readonly [string, ...string[]], input = ""): Promise<string> {
	return new Promise((resolve, reject) => {
		const [program, ...args] = command;
		const bound = { timeout: longestMs, killSignal: "SIGKILL" } as const;
		const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env: toolEnvironment, ...bound });
		let stdout = "";
		let stderr = "";
		child.stdout.on("data", (chunk) => {
			stdout += chunk;
		});
		child.stderr.on("data", (chunk) => {
			stderr += chunk;
		});
		child.on("error", (error) => reject(new CommandError(command, 127, error.message)));
		child.on("close", (code, signal) => {
			if (code === 0) resolve(stdout);
			else reject(new CommandError(command, code ?? 128, stderr || stdout || (signal ?? "")));
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
