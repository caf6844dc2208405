/** Command lines as upstream's programs take them: `--name=value`, `--name value`, `--switch`, repeated or not. */

/** What a flag is for. */
export type FlagUse = "value" | "switch" | "unused";
/** Name → use. `unused`: upstream knows it, and here it has no effect. */
export type FlagTable = Readonly<Record<string, FlagUse>>;

export class Flags {
	readonly #given = new Map<string, string[]>();
	/** Flags without an effect, in the order given. */
	readonly unused: readonly string[];

	/** @throws Error for a flag that is not in the table, as upstream's programs */
	constructor(table: FlagTable, args: readonly string[]) {
		const unused = new Set<string>();
		for (let at = 0; at < args.length; at++) {
			const [, name = "", given] = /^--?([^=]+)(?:=([\s\S]*))?$/.exec(args[at] ?? "") ?? [];
			// Templates of old versions leave empty arguments.
			if (args[at] === "") continue;
			const use = new Map(Object.entries(table)).get(name);
			if (use === undefined)
				throw new Error(name === "" ? `unexpected argument: ${args[at]}` : `unknown flag: --${name}`);
			const value = given ?? (use === "value" ? args[++at] : "true");
			if (value === undefined) throw new Error(`flag needs an argument: --${name}`);
			if (use === "unused") unused.add(name);
			this.#given.set(name, [...(this.#given.get(name) ?? []), value]);
		}
		this.unused = [...unused];
	}

	/** The last one counts. */
	value(name: string): string | undefined {
		return this.#given.get(name)?.at(-1);
	}

	/** Of a flag that may be repeated, or hold several values with commas. */
	list(name: string): string[] {
		return (this.#given.get(name) ?? []).flatMap((text) => text.split(",")).filter((text) => text !== "");
	}

	/** @throws Error if it is neither true nor false */
	isOn(name: string): boolean {
		const text = this.value(name) ?? "false";
		if (text !== "true" && text !== "false") throw new Error(`--${name}: ${text} is neither true nor false`);
		return text === "true";
	}
}

/** The help text. Callers look for a flag at the beginning of a line. */
export function helpText(program: string, what: string, table: FlagTable): string {
	const lines = Object.entries(table).map(([name, use]) => `      --${name}${use === "unused" ? "  (no effect)" : ""}`);
	return `${program} (Coxswain): ${what}\n\nFlags:\n${lines.sort().join("\n")}\n`;
}
