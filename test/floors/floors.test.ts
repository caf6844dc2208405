import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";
import { keyRoot } from "../../src/api/cache/keys.ts";
import { historyRoot } from "../../src/history/records/keys.ts";
import { notifyRoot } from "../../src/notify/outbox/outbox.ts";

const root = join(import.meta.dirname, "../..");
const source = join(root, "src");

/** Folder → the folders it may import besides itself. ARCHITECTURE.md says why. */
const floors: Record<string, readonly string[]> = {
	core: [],
	linux: ["core"],
	kinds: ["core"],
	store: ["linux", "core"],
	images: ["linux", "core"],
	runtime: ["images", "linux", "core"],
	network: ["linux", "core"],
	client: ["kinds", "core"],
	why: ["client", "kinds", "core"],
	api: ["store", "kinds", "core"],
	dashboard: ["api", "why", "store", "client", "kinds", "core"],
	history: ["api", "client", "store", "kinds", "core"],
	notify: ["client", "store", "kinds", "core"],
	controllers: ["client", "kinds", "core"],
	scheduler: ["client", "kinds", "core"],
	proxy: ["network", "client", "kinds", "core"],
	node: ["runtime", "images", "network", "client", "kinds", "linux", "core"],
	cluster: [
		"dashboard",
		"node",
		"proxy",
		"scheduler",
		"controllers",
		"notify",
		"history",
		"api",
		"client",
		"network",
		"runtime",
		"images",
		"store",
		"kinds",
		"linux",
		"core",
	],
	fixtures: ["cluster", "client", "kinds", "core"],
	cli: ["cluster", "why", "images", "client", "kinds", "linux", "core"],
};

function files(folder: string): string[] {
	return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => /\.tsx?$/.test(name));
}

/** Modules that a file imports by a relative path, as paths below src/. */
function relativeImports(file: string, text: string): string[] {
	const found = text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g);
	return [...found].map((match) => relative(source, join(source, dirname(file), match[1] ?? "")));
}

function importersOf(module: string): string[] {
	return production.filter((file) => relativeImports(file, readFileSync(join(source, file), "utf8")).includes(module));
}

const production = files(source).filter((file) => !file.endsWith(".test.ts") && !file.includes("/testing/"));

test("the table of floors only points downward", () => {
	const below: string[] = [];
	for (const [folder, lower] of Object.entries(floors)) {
		for (const target of lower) expect(below, `${folder} → ${target}`).toContain(target);
		below.push(folder);
	}
});

test("every folder imports only the floors below it", () => {
	const problems: string[] = [];
	for (const file of production) {
		const folder = file.split("/")[0] ?? "";
		if (!file.includes("/")) continue; // src/index.ts, the package's entry, may name anything
		for (const target of relativeImports(file, readFileSync(join(source, file), "utf8"))) {
			// Manifests, which the build puts into the page of the dashboard.
			if (target.startsWith("../examples/") && target.endsWith(".yaml")) continue;
			const other = target.split("/")[0] ?? "";
			if (other !== folder && !floors[folder]?.includes(other)) problems.push(`${file} imports ${target}`);
		}
	}
	expect(problems).toEqual([]);
});

test("a folder imports its parent, or its parent imports the folder, but not both", () => {
	const problems = new Set<string>();
	const imports = new Map<string, Set<string>>();
	for (const file of production) {
		const folder = dirname(file);
		for (const target of relativeImports(file, readFileSync(join(source, file), "utf8")))
			imports.set(folder, (imports.get(folder) ?? new Set()).add(dirname(target)));
	}
	/** Whether one leads to the other, in whatever number of steps. */
	const leads = (from: string, to: string, seen = new Set<string>()): boolean => {
		for (const next of imports.get(from) ?? []) {
			if (next === to) return true;
			if (next === from || seen.has(next)) continue;
			seen.add(next);
			if (leads(next, to, seen)) return true;
		}
		return false;
	};
	for (const [folder, targets] of imports)
		for (const target of targets)
			if (target !== folder && leads(target, folder)) problems.add([folder, target].sort().join(" ↔ "));
	expect([...problems]).toEqual([]);
});

test("no files import each other in a circle", () => {
	const imports = new Map(
		production.map((file) => [file, relativeImports(file, readFileSync(join(source, file), "utf8"))]),
	);
	const finished = new Set<string>();
	const circles: string[] = [];
	const follow = (file: string, trail: readonly string[]) => {
		if (finished.has(file)) return;
		const at = trail.indexOf(file);
		if (at >= 0) {
			circles.push(trail.slice(at).join(" → "));
			return;
		}
		for (const next of imports.get(file) ?? []) follow(next, [...trail, file]);
		finished.add(file);
	};
	for (const file of production) follow(file, []);
	expect(circles).toEqual([]);
});

test("core and kinds are pure: they reach neither files nor processes nor the network", () => {
	const reaches = /from "node:(fs|fs\/promises|child_process|http|https|net|tls|dgram|dns)"/;
	const calculations = ["import { isIP }", "import type"];
	const problems = production
		.filter((file) => /^(core|kinds)\//.test(file))
		.flatMap((file) =>
			readFileSync(join(source, file), "utf8")
				.split("\n")
				.map((line) => [file, line] as const),
		)
		.filter(([, line]) => reaches.test(line) && !calculations.some((start) => line.startsWith(start)));
	expect(problems).toEqual([]);
});

test("objects are written by api/mutate alone", () => {
	/** Others that commit: rooms and files with key ranges, or a time, of their own. ARCHITECTURE.md says which. */
	const others =
		/^(store|history|notify)\/|^api\/mutate\/(commit|first-contents)\.ts$|^cluster\/encryption\/rewrite\.ts$/;
	/** Hands on the commits of others. */
	const wrappers = ["cluster/data/held-store.ts"];
	const problems = production.filter((file) => {
		if (others.test(file) || wrappers.includes(file)) return false;
		return /\.commit\(/.test(withoutComments(readFileSync(join(source, file), "utf8")));
	});
	expect(problems).toEqual([]);
	expect(importersOf("api/mutate/commit.ts").filter((file) => !file.startsWith("api/mutate/"))).toEqual([]);
	// What the API server keeps, and its watches tell, begins with its root.
	for (const root of [historyRoot, notifyRoot]) expect(root.startsWith(keyRoot)).toBe(false);
});

test("nobody but the list of the pipeline decides who asks, and whether they may", () => {
	const deciders = ["api/access/authenticate.ts", "api/access/authorize.ts", "api/access/impersonate.ts"];
	const decides =
		/import \{[^}]*\b(authenticate|authorize|actingUser)\b[^}]*\} from "[^"]*access\/(authenticate|authorize|impersonate)\.ts"/;
	const problems = deciders
		.flatMap(importersOf)
		.filter((file) => decides.test(readFileSync(join(source, file), "utf8")) && file !== "api/pipeline/steps.ts");
	expect(problems).toEqual([]);
	expect(importersOf("api/pipeline/steps.ts")).toEqual(["api/handle.ts"]);
});

function withoutComments(text: string): string {
	return text.replace(/\/\*[\s\S]*?\*\/|(^|[^:])\/\/[^\n]*/g, "$1");
}

test("the library for certificates is loaded when it is needed, not at start", () => {
	const eager = /^(import|export)\s+(?!type\b)([^;"]*\bfrom\s+)?"@peculiar\//m;
	const problems = production.filter(
		(file) => !file.endsWith("/testing.ts") && eager.test(readFileSync(join(source, file), "utf8")),
	);
	expect(problems).toEqual([]);
});

test("messages of errors and equality of JSON have one place each", () => {
	const byHand: readonly [RegExp, string][] = [
		[/instanceof Error \? (\w+)\.message : String\(\1\)/, "core/errors.ts"],
		[/instanceof Error \? (\w+) : new Error\(/, "core/errors.ts"],
		[/JSON\.stringify\([^()]*\) [!=]== JSON\.stringify\(/, "core/equal.ts"],
	];
	const problems = production.flatMap((file) => {
		const text = withoutComments(readFileSync(join(source, file), "utf8"));
		return byHand.filter(([rule, place]) => file !== place && rule.test(text)).map(([, place]) => `${file}: ${place}`);
	});
	expect(problems).toEqual([]);
});

test("no folder is named after nothing", () => {
	const names = /^(utils?|helpers?|common|shared|misc)$/;
	const folders = readdirSync(source, { recursive: true, withFileTypes: true }).filter((entry) => entry.isDirectory());
	expect(folders.map((entry) => entry.name).filter((name) => names.test(name))).toEqual([]);
});

/** Pages for people who read the code. */
const pages = [
	...["", "docs", "docs/decisions"].flatMap((folder) =>
		readdirSync(join(root, folder)).map((name) => join(root, folder, name)),
	),
	...readdirSync(source, { recursive: true, encoding: "utf8" }).map((name) => join(source, name)),
].filter((file) => file.endsWith(".md"));

test("the files that pages link to exist, and contain what they are linked for", () => {
	const wrong = pages.flatMap((page) => {
		const links = readFileSync(page, "utf8").matchAll(/\]\((?!\w+:|#)([^)\s#]+)[^)]*\)(?:\s+`([#\w]+)`)?/g);
		return [...links].flatMap(([, target = "", name]) => {
			const file = join(dirname(page), target);
			if (!existsSync(file)) return [`${relative(root, page)}: ${target}`];
			if (name === undefined || !target.endsWith(".ts") || !page.endsWith("life-of-a-pod.md")) return [];
			return new RegExp(`(^|[^\\w#])${name}\\b`).test(readFileSync(file, "utf8")) ? [] : [`${target}: ${name}`];
		});
	});
	expect(wrong).toEqual([]);
});

test("every room has a README, and the source files that it names exist", () => {
	const rooms = Object.keys(floors).map((room) => join(source, room));
	expect(rooms.filter((room) => !existsSync(join(room, "README.md")))).toEqual([]);
	const existing = ["src", "scripts"].flatMap((folder) =>
		files(join(root, folder)).map((file) => `/${folder}/${file}`),
	);
	const wrong = pages
		.filter((page) => page.startsWith(source))
		.flatMap((page) => {
			const named = readFileSync(page, "utf8").matchAll(/`([\w/.-]+\.ts)`/g);
			return [...named]
				.filter(([, name = ""]) => !existing.some((file) => file.endsWith(`/${name}`)))
				.map(([, name]) => `${relative(root, page)}: ${name}`);
		});
	expect(wrong).toEqual([]);
});
