import { getSystemErrorMap } from "node:util";
import { withOwnCommand } from "./own-command.ts";

/** Writes a line to standard output. */
export function say(text: string): void {
	process.stdout.write(`${withOwnCommand(text)}\n`);
}

/** Writes a value to standard output as JSON: what `--json` prints. */
export function sayJson(value: unknown): void {
	process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Prints an error in one sentence, and sets exit code 1. COX_DEBUG=1 adds the stack. */
export function reportFailure(error: unknown): void {
	process.stderr.write(`cox: ${withOwnCommand(failureText(error))}\n`);
	if (process.env.COX_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
	process.exitCode = 1;
}

/** For a system error, the operation and the cause instead of `ENOENT: …, open '…'`. */
export function failureText(error: unknown): string {
	if (!(error instanceof Error)) return String(error);
	const { errno, syscall, path, dest }: NodeJS.ErrnoException & { dest?: string } = error;
	const why = errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1];
	if (why === undefined || syscall === undefined) return error.message;
	const what = [path, dest].filter((one) => one !== undefined).join(" to ");
	return `cannot ${verbs[syscall] ?? syscall}${what === "" ? "" : ` ${what}`}: ${why}`;
}

/** Verbs for system calls whose names are not clear. */
const verbs: Readonly<Record<string, string>> = {
	access: "reach",
	lstat: "read",
	mkdir: "create the directory",
	mkdtemp: "create a directory like",
	rmdir: "remove",
	scandir: "list",
	stat: "read",
	statfs: "read",
	unlink: "remove",
	rm: "remove",
};

/** `430 ms`, `1.2 s`, `3 min 5 s` */
export function duration(ms: number): string {
	if (ms < 1000) return `${Math.round(ms)} ms`;
	if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
	return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** Rows in columns as wide as their widest cell, three spaces apart, like kubectl. */
export function table(rows: readonly (readonly string[])[]): string {
	const widths: number[] = [];
	for (const row of rows)
		for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
	return rows
		.map((row) =>
			row
				.map((cell, column) => cell.padEnd(widths[column] ?? 0))
				.join("   ")
				.trimEnd(),
		)
		.join("\n");
}
