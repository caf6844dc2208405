/**
 * Bundles dist/ for Node: the command, the server and agent processes, the manual page, and the embedding API with its
 * type declarations. It is replaced when it is complete, so that the command works while another is built.
 */
import { execFileSync } from "node:child_process";
import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { commands as coxCommands } from "../src/cli/commands/all.ts";
import { manualPage } from "../src/cli/man/page.ts";
import { emptyProgram } from "../src/cli/program.ts";
import { sourceInfo } from "../src/cluster/control-plane/build-info.ts";
import { version } from "../src/cluster/files/version.ts";
import { buildDashboard } from "./build-dashboard.ts";
import { bundling, programs, root } from "./bundling.ts";

const dist = join(root, "dist");
/** Beside dist/, because source maps contain relative paths. */
const next = `${dist}.${process.pid}`;
process.on("exit", () => rmSync(next, { recursive: true, force: true }));

const define = { COXSWAIN_BUILD: JSON.stringify({ ...sourceInfo(root), buildDate: buildDate() }) };
const sourcesOfPrograms = {
	cli: "src/cli/main.ts",
	server: "src/cluster/server/server-main.ts",
	agent: "src/cluster/nodes/agent-main.ts",
	gateway: "src/cluster/gateway/gateway-main.ts",
	puller: "src/cluster/nodes/puller-main.ts",
	ingress: "src/cluster/ingress/ingress-main.ts",
	envtest: "src/cluster/envtest/envtest-main.ts",
};
await Promise.all([
	buildDashboard(join(next, "dashboard")),
	build({
		...bundling,
		entryPoints: { index: "src/index.ts", testing: "src/testing.ts" },
		outdir: next,
		splitting: true,
		chunkNames: "index-[hash]",
		sourcemap: true,
		define,
	}),
	build({ ...bundling, format: "cjs", entryPoints: ["src/cluster/programs/run.ts"], outfile: join(next, "run.cjs") }),
	...Object.entries(sourcesOfPrograms).map(([name, source]) =>
		build({
			...programs,
			entryPoints: [source],
			outfile: join(next, `${name}.program.cjs`),
			sourcemap: true,
			define: { ...programs.define, ...define },
		}),
	),
]);
/** Programs of which each command uses other functions; the others have one. */
const commands = ["cli", "envtest"];
for (const name of Object.keys(sourcesOfPrograms)) {
	const variant = commands.includes(name) ? ", process.argv[2]" : "";
	const text = `require("./run.cjs").runProgram(require, __dirname, ${JSON.stringify(name)}${variant});\n`;
	writeFileSync(join(next, `${name}.cjs`), text);
}

const program = emptyProgram();
for (const load of Object.values(coxCommands)) program.addCommand(await load());
writeFileSync(join(next, "cox.1"), manualPage(program, version));

if (process.argv.includes("--types"))
	execFileSync("npx", ["tsc", "-p", "tsconfig.build.json", "--outDir", join(next, "types")], {
		cwd: root,
		stdio: "inherit",
	});

const last = `${next}.last`;
if (existsSync(dist)) renameSync(dist, last);
renameSync(next, dist);
rmSync(last, { recursive: true, force: true });

/** RFC 3339, whole seconds; reproducible builds say when (reproducible-builds.org, SOURCE_DATE_EPOCH). */
function buildDate(): string {
	const { SOURCE_DATE_EPOCH: seconds } = process.env;
	const date = seconds === undefined ? new Date() : new Date(Number(seconds) * 1000);
	return date.toISOString().replace(/\.\d+Z$/, "Z");
}
