/**
 * Runs a program of dist/, a CommonJS module: the only code that is loaded before it. Modules themselves keep no
 * compiled code in Node.js 20, so the program is compiled as a script, as Node.js compiles such modules.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Script } from "node:vm";
import { systemClock } from "../../core/time/clock.ts";
import { CompiledCode, codeFolder } from "./compiled-code.ts";

const head = "(function (require, __filename) { ";
const tail = "\n})";

const isCommand = /^[a-z][a-z-]{0,20}$/;

/** When most of what a start needs is compiled, and nobody waits. Shorter programs keep it when they end. */
const keepAfterMs = 4_000;

/**
 * @param require resolves the packages that the program uses
 * @param folder of the program
 * @param command of the program, if it has several: the code of each is kept apart, because it uses other functions
 */
export function runProgram(require: NodeJS.Require, folder: string, name: string, command = ""): void {
	const file = join(folder, `${name}.program.cjs`);
	const kept = codeFolder();
	if (kept === undefined || process.sourceMapsEnabled) {
		require(file);
		return;
	}
	const source = Buffer.concat([Buffer.from(head), readFileSync(file), Buffer.from(tail)]);
	const compiled = new CompiledCode(kept, isCommand.test(command) ? `${name}-${command}` : name, source);
	const cachedData = compiled.read();
	// Programs are ASCII, which is faster to decode than UTF-8.
	const script = new Script(source.toString("latin1"), {
		filename: file,
		columnOffset: -head.length,
		...(cachedData === undefined ? {} : { cachedData }),
	});
	if (cachedData === undefined || script.cachedDataRejected === true) keepLater(script, compiled);
	const program = script.runInThisContext() as (require: NodeJS.Require, file: string) => void;
	program(require, file);
}

function keepLater(script: Script, compiled: CompiledCode): void {
	const keep = () => {
		timer.cancel();
		process.off("exit", keepAtEnd);
		compiled.keep(script.createCachedData());
	};
	const keepAtEnd = (code: number) => {
		if (code === 0) keep();
	};
	const timer = systemClock({ unref: true }).after(keepAfterMs, keep);
	process.once("exit", keepAtEnd);
}
