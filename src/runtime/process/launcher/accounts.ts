/** Users and groups, of the machine or of an image, by the lines of passwd(5) and group(5). */
import { readFileSync, statSync } from "node:fs";

export interface Account {
	name: string;
	user: number;
	/** Its primary group. */
	group: number;
	home: string;
}

export interface Accounts {
	/** Undefined for a number without an account. */
	withNumber(user: number): Account | undefined;
	named(name: string): Account | undefined;
	/** The number of a group; undefined if there is none with this name. */
	group(name: string): number | undefined;
	/** The groups that list the user. */
	groupsOf(user: number): readonly number[];
}

export function parseAccounts(passwd: string, group: string): Accounts {
	const byNumber = new Map<number, Account>();
	const byName = new Map<string, Account>();
	for (const [name = "", , user, primary, , home] of linesOf(passwd)) {
		if (!isNumber(user)) continue;
		const account = { name, user: Number(user), group: Number(primary ?? 0) || 0, home: home || "/" };
		// The first entry counts.
		if (!byNumber.has(account.user)) byNumber.set(account.user, account);
		if (!byName.has(name)) byName.set(name, account);
	}
	const groups = new Map<string, number>();
	const members = new Map<string, number[]>();
	for (const [name = "", , number, names = ""] of linesOf(group)) {
		if (!isNumber(number)) continue;
		if (!groups.has(name)) groups.set(name, Number(number));
		for (const member of names.split(",").filter(Boolean))
			members.set(member, [...(members.get(member) ?? []), Number(number)]);
	}
	return {
		withNumber: (user) => byNumber.get(user),
		named: (name) => byName.get(name),
		group: (name) => groups.get(name),
		groupsOf: (user) => members.get(byNumber.get(user)?.name ?? "") ?? [],
	};
}

let known: { changed: string; accounts: Accounts } | undefined;

/** Those of the machine, read again when its files have changed. */
export function machineAccounts(): Accounts {
	const changed = ["/etc/passwd", "/etc/group"].map((path) => {
		const { mtimeMs, ino } = statSync(path);
		return `${ino} ${mtimeMs}`;
	});
	if (known?.changed !== changed.join())
		known = {
			changed: changed.join(),
			accounts: parseAccounts(readFileSync("/etc/passwd", "utf8"), readFileSync("/etc/group", "utf8")),
		};
	return known.accounts;
}

function linesOf(text: string): string[][] {
	return text
		.split("\n")
		.filter(Boolean)
		.map((line) => line.split(":"));
}

function isNumber(text: string | undefined): text is string {
	return text !== undefined && /^\d+$/.test(text);
}
