/** Commands that the documentation mentions between its lines; commands.test.ts runs those of its ```bash blocks. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { expect, test } from "vitest";
import { commands } from "../../src/cli/commands/all.ts";

const root = join(import.meta.dirname, "../..");
const markdown = (folder: string) =>
	readdirSync(join(root, folder))
		.filter((name) => name.endsWith(".md"))
		.map((name) => join(folder, name));
const pages = ["", "docs", "docs/decisions"].flatMap(markdown);

const loaded: Command[] = await Promise.all(Object.values(commands).map((load) => load()));
const commandOf = (name: string | undefined, among: readonly Command[]) => among.find((one) => one.name() === name);

/** What a mention such as `cox clock show\|stop` names that there is not. */
function unknownIn(mention: string): string[] {
	const [word = "", ...rest] = mention.split(/[\s[\]]+/).filter((part) => part !== "");
	const command = commandOf(word, loaded);
	if (command === undefined) return [word];
	const [second = ""] = rest;
	const named = command.commands.length === 0 || !/^[a-z]/.test(second) ? [] : second.split(/\\?\|/);
	const unknown = named.filter((name) => /^[a-z]/.test(name) && commandOf(name, command.commands) === undefined);
	const own = rest.includes("--") ? rest.slice(0, rest.indexOf("--")) : rest;
	const options = [command, ...command.commands].flatMap((one) => one.options.map(({ long }) => long));
	return [...unknown, ...own.filter((part) => part.startsWith("--") && !options.includes(part))];
}

test("every command and option of cox that the documentation mentions exists", () => {
	const wrong = pages.flatMap((page) => {
		const text = readFileSync(join(root, page), "utf8");
		return [...text.matchAll(/`(?:npx )?(?:cox|coxswain)\s+([a-z][^`]*)`/g)].flatMap(([, mention = ""]) =>
			unknownIn(mention).map((part) => `${page}: cox ${mention}: ${part}`),
		);
	});
	expect(wrong).toEqual([]);
});

test("the README lists every command", () => {
	const readme = readFileSync(join(root, "README.md"), "utf8");
	expect(Object.keys(commands).filter((name) => !readme.includes(`\`cox ${name}`))).toEqual([]);
});
