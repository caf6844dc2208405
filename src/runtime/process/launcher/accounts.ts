/** Users and groups of the machine, which serves as the image. */
import { readFileSync, statSync } from "node:fs";

export interface Account {
	name: string;
	/** Its primary group. */
	group: number;
	home: string;
}

const passwd = cached("/etc/passwd", (lines) => {
	const accounts = new Map<number, Account>();
	for (const [name = "", , user, group, , home] of lines) {
		// The first entry with a number counts.
		if (user !== undefined && !accounts.has(Number(user)))
			accounts.set(Number(user), { name, group: Number(group ?? 0), home: home || "/" });
	}
	return accounts;
});

const members = cached("/etc/group", (lines) => {
	const groups = new Map<string, number[]>();
	for (const [, , group, names = ""] of lines) {
		for (const name of names.split(",").filter(Boolean)) groups.set(name, [...(groups.get(name) ?? []), Number(group)]);
	}
	return groups;
});

/** Undefined for a number without an account. */
export function accountOf(user: number): Account | undefined {
	return passwd().get(user);
}

/** The groups that list the user. */
export function groupsOf(user: number): readonly number[] {
	const account = accountOf(user);
	return account === undefined ? [] : (members().get(account.name) ?? []);
}

/** The contents of a table, read again when it has changed. */
function cached<T>(path: string, parse: (lines: string[][]) => T): () => T {
	let known: { changed: string; value: T } | undefined;
	return () => {
		const { mtimeMs, ino } = statSync(path);
		const changed = `${ino} ${mtimeMs}`;
		if (known?.changed !== changed) {
			const lines = readFileSync(path, "utf8").split("\n");
			known = { changed, value: parse(lines.filter(Boolean).map((line) => line.split(":"))) };
		}
		return known.value;
	};
}
