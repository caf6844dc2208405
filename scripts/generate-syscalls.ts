/**
 * Writes src/runtime/process/seccomp/syscall-numbers.ts: `tsx scripts/generate-syscalls.ts DIRECTORY`, where DIRECTORY
 * is `usr/lib/linux/uapi` of Debian 13's package linux-libc-dev (`dpkg -x linux-libc-dev_*.deb .`), which has the
 * kernel's headers for all architectures. Calls that are newer than those headers are in the table below.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error("say where the headers are: tsx scripts/generate-syscalls.ts DIRECTORY");

/** Since Linux 5.1 a new call has one number on all architectures. */
const newer: Record<string, number> = {
	setxattrat: 463,
	getxattrat: 464,
	listxattrat: 465,
	removexattrat: 466,
	open_tree_attr: 467,
	file_getattr: 468,
	file_setattr: 469,
};

const armPrivate = 0x0f0000;
const headers: Record<string, string> = {
	x86_64: "x86/asm/unistd_64.h",
	x86: "x86/asm/unistd_32.h",
	x32: "x86/asm/unistd_x32.h",
	aarch64: "arm64/asm/unistd_64.h",
	arm: "arm/asm/unistd-eabi.h",
};

const tables = Object.entries(headers).map(([architecture, file]) => {
	const text = readFileSync(join(directory, file), "utf8");
	const numbers = new Map(
		[...text.matchAll(/^#define __NR_(\w+) \(?(?:\w+ ?\+ ?)?(\d+)\)?$/gm)].map((match) => [
			match[1] ?? "",
			Number(match[2]),
		]),
	);
	for (const [name, number] of Object.entries(newer)) numbers.set(name, number);
	if (architecture === "arm") {
		const privates = ["breakpoint", "cacheflush", "usr26", "usr32", "set_tls", "get_tls"];
		for (const [index, name] of privates.entries()) numbers.set(name, armPrivate + 1 + index);
	}
	return `\t${architecture}: \`\n${wrapped(words(numbers))}\n\`,`;
});

writeFileSync(
	join(import.meta.dirname, "../src/runtime/process/seccomp/syscall-numbers.ts"),
	`/**
 * System calls of each architecture, from the kernel's headers; written by scripts/generate-syscalls.ts. Names in the
 * order of their numbers; \`@N\` says that the next one is N. Those of x32 lack the bit that marks its calls.
 */
export const syscallTables = {
${tables.join("\n")}
} as const;
`,
);

function words(numbers: ReadonlyMap<string, number>): string[] {
	let next = -1;
	return [...numbers]
		.sort(([, one], [, other]) => one - other)
		.flatMap(([name, number]) => {
			const jump = number === next ? [] : [`@${number}`];
			next = number + 1;
			return [...jump, name];
		});
}

function wrapped(list: readonly string[]): string {
	const lines: string[] = [];
	let line = "";
	for (const word of list) {
		if (line.length + word.length > 120) {
			lines.push(line);
			line = "";
		}
		line += line === "" ? word : ` ${word}`;
	}
	return [...lines, line].join("\n");
}
