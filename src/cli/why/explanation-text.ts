/** Findings as text for a terminal. */
import type { Finding, LogRef } from "../../why/findings/finding.ts";
import { phraseOf } from "../../why/text/sentences.ts";

export interface TextOptions {
	language: string;
	/** Characters a line. */
	width: number;
}

/**
 * @param name `pod/web-0`
 * @param logs the last lines of each log that a finding refers to
 */
export function explanationText(
	name: string,
	findings: readonly Finding[],
	logs: ReadonlyMap<LogRef, readonly string[]>,
	{ language, width }: TextOptions,
): string {
	const lines: string[] = [name];
	const shown = new Set<string>();
	let about = name;
	for (const found of findings) {
		const { says, helps } = phraseOf(found, language);
		const now = `${found.about.type}/${found.about.name}`;
		if (now !== about) lines.push("", now);
		about = now;
		lines.push(...wrapped(says, "  ", width));
		if (helps !== undefined) lines.push(...wrapped(helps, "  → ", width));
		const tail = found.log === undefined ? undefined : logs.get(found.log);
		for (const line of tail ?? []) lines.push(`  | ${line}`);
		for (const command of found.commands) if (!shown.has(command)) lines.push(`  $ ${command}`);
		for (const command of found.commands) shown.add(command);
	}
	return lines.map(printable).join("\n");
}

/** Names, messages and logs come from others, and must not control the terminal. */
export function printable(line: string): string {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is removed.
	return line.replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g, "\ufffd");
}

/** Broken between words; later lines are indented like the first. */
function wrapped(text: string, indent: string, width: number): string[] {
	const lines: string[] = [];
	let line = "";
	for (const word of text.split(/\s+/)) {
		if (line !== "" && indent.length + line.length + 1 + word.length > width) {
			lines.push(line);
			line = word;
		} else line = line === "" ? word : `${line} ${word}`;
	}
	lines.push(line);
	return lines.map((one, index) => `${index === 0 ? indent : " ".repeat(indent.length)}${one}`);
}
