/** Small programs of the machine that the runtime uses. */
import { execFile } from "node:child_process";
import { toolEnvironment } from "./tool-environment.ts";

/**
 * Runs a program to its end.
 * @param timeoutMs when it is killed: a file system that hangs must not hold up all pods for ever
 * @throws Error with the program's name and what it said first
 */
export function runTool(program: string, args: readonly string[], timeoutMs = 60_000): Promise<void> {
	return new Promise((resolve, reject) => {
		execFile(
			program,
			args,
			{ env: toolEnvironment, timeout: timeoutMs, killSignal: "SIGKILL" },
			(error, _out, said) => {
				if (error === null) return resolve();
				const end = error.killed === true ? `did not end within ${timeoutMs / 1000} s` : `exit code ${error.code}`;
				const first = said.split("\n")[0]?.replace(`${program}: `, "");
				reject(new Error(`${program}: ${error.killed === true || !first ? end : first}`));
			},
		);
	});
}
