/**
 * What pods cost: `npm run bench:pods [-- OPTIONS]`, as root. It runs in mount and PID namespaces of its own, so that
 * nothing is left behind and processor time is counted for all processes.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { median } from "../measure.ts";
import { fillNode } from "./node.ts";
import { cpuMs } from "./processes.ts";
import { report } from "./report.ts";
import { cleanUp, contenders } from "./runtimes.ts";

const { values } = parseArgs({
	options: {
		rounds: { type: "string", default: "50" },
		pods: { type: "string", default: "250" },
		runtime: { type: "string", default: "process" },
	},
});

const inside = "COX_BENCH_INSIDE";
if (process.env[inside] === undefined) {
	const namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"];
	// The shell is what reaps processes whose parents have ended.
	const shell = ["sh", "-c", '"$@"; exit $?', "bench"];
	const args = [...namespaces, ...shell, process.execPath, ...process.execArgv, ...process.argv.slice(1)];
	const { status, error } = spawnSync("unshare", args, { stdio: "inherit", env: { ...process.env, [inside]: "yes" } });
	if (error !== undefined) throw error;
	process.exitCode = status ?? 1;
} else {
	const directory = mkdtempSync(`${tmpdir()}/cox-bench-`);
	try {
		if (Number(values.rounds) > 0) await starts(directory, Number(values.rounds));
		if (Number(values.pods) > 0) {
			mkdirSync(`${directory}/node`);
			await fillNode({
				directory: `${directory}/node`,
				runtime: values.runtime,
				count: Number(values.pods),
				restartAt: 50,
			});
		}
	} finally {
		cleanUp(directory);
	}
	// Connections to runtimes are open.
	process.exit();
}

/** All in turns, so that whatever else the machine does meets all of them. */
async function starts(directory: string, rounds: number): Promise<void> {
	const all = await contenders(directory);
	const figures = all.map(() => ({ ms: [] as number[], cpuMs: 0 }));
	for (let round = 0; round < rounds; round++) {
		for (const [index, { start }] of all.entries()) {
			const figure = figures[index] ?? { ms: [], cpuMs: 0 };
			const [startedMs, cpu] = [performance.now(), cpuMs()];
			const remove = await start(`r${round}-${index}`);
			figure.ms.push(performance.now() - startedMs);
			figure.cpuMs += cpuMs() - cpu;
			await remove();
		}
	}
	for (const [index, { name }] of all.entries()) {
		const { ms, cpuMs: cpu } = figures[index] ?? { ms: [], cpuMs: 0 };
		const note = `least ${Math.min(...ms).toFixed(1)} ms; CPU ${(cpu / rounds).toFixed(1)} ms`;
		report(`start from an image: ${name}`, `${median(ms).toFixed(1)} ms`, note);
	}
}
