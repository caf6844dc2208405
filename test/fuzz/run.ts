/**
 * `npm run fuzz -- --requests N [--seed S] [--seeds COUNT] [--socket]`: asks an API server N requests for each seed,
 * and a twentieth as many times for a connection to become something else. Ends with exit code 1 when something
 * happened that must not. The same seed makes the same requests.
 */
import { parseArgs } from "node:util";
import { fuzz } from "./fuzz.ts";
import { openSocket } from "./socket.ts";
import { fuzzUpgrades } from "./upgrades.ts";

const { values } = parseArgs({
	options: {
		requests: { type: "string", default: "2000" },
		seed: { type: "string", default: "1" },
		seeds: { type: "string", default: "1" },
		/** Through a real listener with TLS, by HTTP/1.1 and HTTP/2. */
		socket: { type: "boolean", default: false },
	},
});

let failed = false;
for (let index = 0; index < Number(values.seeds); index++) {
	const seed = Number(values.seed) + index;
	const socket = values.socket ? await openSocket() : undefined;
	const report = await fuzz({ requests: Number(values.requests), seed, ...(socket && { send: socket.send }) });
	await socket?.close();
	const answers = [...report.answers].sort(([one], [other]) => one - other).map(([code, count]) => `${code}: ${count}`);
	console.log(`seed ${seed}: ${answers.join(", ")}; ${report.storedCount} objects stored and written back`);
	console.log(
		`heap +${(report.heapGrowthBytes / 2 ** 20).toFixed(1)} MiB; slowest ${report.slowest.durationMs.toFixed(0)} ms: ${report.slowest.request.slice(0, 300)}`,
	);
	const upgrades = await fuzzUpgrades({ count: Math.ceil(Number(values.requests) / 20), seed });
	console.log(`upgrades: ${[...upgrades.answers].map(([code, count]) => `${code}: ${count}`).join(", ")}`);
	const problems = [...report.problems, ...upgrades.problems];
	for (const problem of problems) console.log(`\n${problem}`);
	failed ||= problems.length > 0;
}
process.exitCode = failed ? 1 : 0;
