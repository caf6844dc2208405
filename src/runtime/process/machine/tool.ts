/** Small programs of the machine that the runtime uses. */
import { CommandError, run } from "../../../linux/command.ts";

/**
 * Like `run`.
 * @throws Error with the program's name and its first line of output, short enough for a pod's status
 */
export async function runTool(program: string, args: readonly string[], timeoutMs?: number): Promise<void> {
	try {
		await run([program, ...args], timeoutMs === undefined ? {} : { timeoutMs });
	} catch (error) {
		if (!(error instanceof CommandError)) throw error;
		const [first = ""] = error.output.split("\n");
		throw new Error(`${program}: ${first.replace(`${program}: `, "") || `exit code ${error.exitCode}`}`);
	}
}
