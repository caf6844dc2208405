/**
 * The commands of a README as its reader types them: its bash blocks, taken apart at empty lines, by the comment that
 * heads each.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root, run, succeeded, type TestCluster } from "./cluster.ts";

export class Readme {
	readonly #steps = new Map<string, string>();
	readonly #done = new Set<string>();
	readonly #cluster: () => TestCluster;

	/**
	 * @param path from the project's folder
	 * @param section the text between this heading and the next of its level; all of it without
	 */
	constructor(path: string, cluster: () => TestCluster, section?: string) {
		this.#cluster = cluster;
		const text = readFileSync(join(root, path), "utf8");
		const start = section === undefined ? 0 : text.indexOf(`\n${section}\n`) + 1;
		if (section !== undefined && start === 0) throw new Error(`${path} has no section "${section}"`);
		// Comments of commands look like headings of the first level.
		const end = section === undefined ? -1 : text.indexOf(`\n${section.split(" ")[0]} `, start + 1);
		const blocks = text.slice(start, end < 0 ? undefined : end).matchAll(/^```bash\n([\s\S]*?)^```/gm);
		for (const [, commands = ""] of blocks) {
			for (const step of commands.trimEnd().split("\n\n")) this.#steps.set(/^# (.*)/.exec(step)?.[1] ?? "set up", step);
		}
	}

	/** Runs a step in a shell, in the project's folder. @returns its output @throws when a command fails */
	async step(title: string): Promise<string> {
		const text = this.#steps.get(title);
		if (text === undefined) throw new Error(`there is no step "${title}", only ${[...this.#steps.keys()].join(", ")}`);
		this.#done.add(title);
		const { environment, data } = this.#cluster();
		// `npx coxswain` is the `cox` of this checkout.
		const script = `npx() { shift; "${process.execPath}" bin/cox.js "$@"; }\n${text}`;
		const env = { ...environment, COX_DATA: data };
		return succeeded(title, await run("bash", ["-euo", "pipefail", "-c", script], { env }));
	}

	/** Steps that have not run. */
	get leftOut(): string[] {
		return [...this.#steps.keys()].filter((title) => !this.#done.has(title));
	}
}
