/** Code in the documentation: every ```ts block type-checks and runs. Commands are run by commands.test.ts. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { transform } from "esbuild";
import { afterAll, expect, test } from "vitest";
import { typesModule } from "../../src/cli/types/generate.ts";
import { ships } from "../../src/cli/types/testing/ships.ts";

const root = join(import.meta.dirname, "../..");
const execute = promisify(execFile);

interface Example {
	/** `embedding.md:12` */
	place: string;
	code: string;
	runs: boolean;
}

const pages = ["README.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)].filter((name) =>
	name.endsWith(".md"),
);
const examples = pages.flatMap((page) => examplesOf(page, readFileSync(join(root, page), "utf8")));

function examplesOf(page: string, text: string): Example[] {
	return [...text.matchAll(/^```ts( run)?\n([\s\S]*?)^```$/gm)].map(([all, run, code = ""]) => ({
		place: `${page}:${text.slice(0, text.indexOf(all)).split("\n").length}`,
		code,
		runs: run !== undefined,
	}));
}

const useOfTypes = `
import type { Client } from "coxswain";
import { type Ship, ships, ships2, shipsV1beta1 } from "./ships.ts";
export async function use(client: Client) {
	const ship: Ship = await client.create(ships, {
		metadata: { name: "a", namespace: "b" },
		spec: { port: "http", mode: "sail", note: null, cargo: { tea: 3 }, open: { known: 1, other: [] } },
	});
	const phase: string | undefined = ship.status?.phase;
	// @ts-expect-error: not a mode
	const mode: "row" = ship.spec.mode;
	// @ts-expect-error: lacks port
	await client.create(ships2, { metadata: { name: "a" }, spec: { mode: "sail" } });
	return [phase, mode, await client.get(shipsV1beta1, { name: "a" })];
}
`;

// Inside the package, where its own name leads to its build.
mkdirSync(join(root, ".cache"), { recursive: true });
const folder = mkdtempSync(join(root, ".cache/docs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("every TypeScript example of the documentation passes the type checker", async () => {
	const compilerOptions = {
		paths: {
			coxswain: [join(root, "src/index.ts")],
			"coxswain/testing": [join(root, "src/testing.ts")],
		},
	};
	writeFileSync(
		join(folder, "tsconfig.json"),
		JSON.stringify({ extends: join(root, "tsconfig.json"), compilerOptions, include: ["*.ts"] }),
	);
	for (const [index, { code }] of examples.entries()) writeFileSync(join(folder, `example-${index}.ts`), code);
	// What `cox types` writes must pass as well.
	writeFileSync(join(folder, "ships.ts"), typesModule(ships));
	writeFileSync(join(folder, "example-ships.ts"), useOfTypes);
	const compiler = join(root, "node_modules/typescript/bin/tsc");
	const { code, text } = await execute(process.execPath, [compiler, "-p", folder], { cwd: root }).then(
		({ stdout }) => ({ code: 0, text: stdout }),
		// What execFile rejects with; a compiler that cannot start has said why on stderr.
		(error: { code: number | string; stdout: string; stderr: string }) => ({
			code: error.code,
			text: error.stdout + error.stderr,
		}),
	);
	const named = text.replace(/\S*example-(\d+)\.ts/g, (file, index) => examples[Number(index)]?.place ?? file);
	expect({ code, named }).toEqual({ code: 0, named: "" });
}, 120_000);

test("every example is one that runs", () => {
	expect(examples.filter(({ runs }) => !runs).map(({ place }) => place)).toEqual([]);
});

for (const [index, { place, code }] of examples.filter(({ runs }) => runs).entries()) {
	test(`the example at ${place} runs`, async () => {
		const file = join(folder, `run-${index}.mjs`);
		// Node 20 knows neither types nor `using`.
		writeFileSync(file, (await transform(code, { loader: "ts", format: "esm", target: "node20" })).code);
		const { stdout, stderr } = await execute(process.execPath, [file], { timeout: 60_000 });
		expect(stderr).toBe("");
		const shown = [...code.matchAll(/console\.log\(.*\); \/\/ (\S+)$/gm)].map(([, value = ""]) => value);
		for (const value of shown) if (/^\d+$/.test(value)) expect(stdout.split(/\s+/)).toContain(value);
	}, 90_000);
}
