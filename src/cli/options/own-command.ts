/** How users call this program, for messages that suggest a command. */
import { basename } from "node:path";

/**
 * `coxswain` or `cox`: the package installs two names for one program. `npx coxswain` where npm has put it on PATH only
 * for this process; the package `cox` in the npm registry is unrelated.
 */
export const ownCommand = process.env.npm_command === undefined ? calledAs(process.argv[1]) : "npx coxswain";

function calledAs(path = ""): string {
	return basename(path, ".js") === "coxswain" ? "coxswain" : "cox";
}

/** Messages of all parts call the program `cox`, in quotes: `'cox up'`. */
export function withOwnCommand(text: string, command = ownCommand): string {
	return command === "cox" ? text : text.replace(/'cox (?=[a-z])/g, `'${command} `);
}
