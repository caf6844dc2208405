/**
 * `npm run simulate -- --seeds N [--first SEED] [--trouble SECONDS] [--calm] [--without DEED]… [--verbose] [--trace
 * FILE]`: simulates N lives of a cluster, or with `--seed SEED` one, twice, to see that it replays. Ends with exit code
 * 1 when an invariant was broken.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { simulate } from "./simulate.ts";
import type { Observe } from "./truth.ts";

const { values } = parseArgs({
	options: {
		seeds: { type: "string", default: "20" },
		first: { type: "string", default: "1" },
		seed: { type: "string" },
		trouble: { type: "string", default: "120" },
		calm: { type: "boolean", default: false },
		without: { type: "string", multiple: true, default: [] },
		trace: { type: "string" },
		verbose: { type: "boolean", default: false },
	},
});

const options = {
	troubleMs: Number(values.trouble) * 1000,
	faults: !values.calm,
	without: values.without,
	...(values.verbose ? { onError: (what: string, error: unknown) => console.error(what, String(error)) } : {}),
};
const firstSeed = Number(values.seed ?? values.first);
const count = values.seed === undefined ? Number(values.seeds) : 2;
let failures = 0;
let commits = 0;
let hash: string | undefined;
for (let index = 0; index < count; index++) {
	const seed = values.seed === undefined ? firstSeed + index : firstSeed;
	const trace: string[] = [];
	const onChange: Observe = (current, old, { clock }) => {
		const { kind, metadata } = current ?? old ?? { kind: "", metadata: { name: "" } };
		trace.push(
			`${clock.now()} ${kind} ${metadata.name} ${current === undefined ? "is gone" : JSON.stringify(current)}`,
		);
	};
	const result = await simulate({ ...options, seed, ...(values.trace === undefined ? {} : { onChange }) });
	// One file for each life, to be compared.
	if (values.trace !== undefined) writeFileSync(`${values.trace}.${index + 1}`, trace.join("\n"));
	commits += result.commitCount;
	if (result.violations.length > 0) {
		failures++;
		console.log(`seed ${seed} (${result.commitCount} commits, ${result.hash}):`);
		for (const violation of result.violations) console.log(`  ${violation}`);
	}
	if (values.seed === undefined) continue;
	console.log(`seed ${seed}: ${result.commitCount} commits, ${result.hash}`);
	if (hash !== undefined && hash !== result.hash) {
		failures++;
		console.log("  the second life differs from the first");
	}
	hash = result.hash;
}
console.log(`${count} lives, ${commits} commits, ${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;
