/** What pods cost on one node of a cluster as users have it: while it fills, and when its agent is killed. */
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { packageDirectory } from "../../src/cluster/files/package-files.ts";
import { systemClock } from "../../src/core/time/clock.ts";
import { busyboxImage } from "../../src/images/testing/image-builder.ts";
import { writeLayout } from "../../src/images/testing/layout.ts";
import { type Client, type Pod, pods, waitFor, waitForList } from "../../src/index.ts";
import { allPids } from "../../src/linux/processes.ts";
import { connect, readKubeconfig } from "../kubeconfig.ts";
import { median } from "../measure.ts";
import { cpuMs, memoryMb, running } from "./processes.ts";
import { report } from "./report.ts";

export interface NodeOptions {
	/** An empty directory. */
	directory: string;
	runtime: string;
	/** How many pods. */
	count: number;
	/** After how many pods the agent is killed. */
	restartAt: number;
}

const clock = systemClock();
const command = ["sleep", "86400"];
const step = 50;
const namespace = "default";

export async function fillNode({ directory, runtime, count, restartAt }: NodeOptions): Promise<void> {
	const data = `${directory}/data`;
	const cox = (...args: string[]) =>
		execFileSync(process.execPath, [`${packageDirectory}/bin/cox.js`, ...args], {
			env: { ...process.env, COX_DATA: data },
			stdio: ["ignore", "pipe", "inherit"],
			encoding: "utf8",
		});
	// Upstream's default is 110.
	const settings = { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration", maxPods: count + 10 };
	writeFileSync(`${directory}/kubelet.yaml`, JSON.stringify(settings));
	writeLayout(busyboxImage(), `${directory}/layout`);
	const options = ["--runtime", runtime, "--images", "registry", "--kubelet-config", `${directory}/kubelet.yaml`];
	cox("up", "--publish", "none", "--no-history", ...options);
	try {
		cox("images", "import", `${directory}/layout`, "--name", "busybox");
		const client = connect(readKubeconfig(`${data}/kubeconfig`), "bench");
		const status = (): { pid: number; nodes: { agentPid?: number }[] } => JSON.parse(cox("status", "--json"));
		const program = () => [status().pid, status().nodes[0]?.agentPid ?? 0] as const;
		await startPod(client, "first");
		const [server, firstAgent] = program();
		let agent = firstAgent;
		const before = usage(data, [server, agent]);
		for (let first = 0; first < count; first += step) {
			const last = Math.min(first + step, count);
			const times: number[] = [];
			const cpu = { all: cpuMs(), server: cpuMs([server]), agent: cpuMs([agent]) };
			for (let index = first; index < last; index++) times.push(await startPod(client, `pod-${index}`));
			const each = (total: number) => `${(total / (last - first)).toFixed(0)} ms`;
			report(
				`${runtime}: a pod from its creation to Ready, pods ${first + 1} to ${last}`,
				`${median(times).toFixed(0)} ms`,
				`least ${Math.min(...times).toFixed(0)} ms; CPU ${each(cpuMs() - cpu.all)}, of that server ` +
					`${each(cpuMs([server]) - cpu.server)}, agent ${each(cpuMs([agent]) - cpu.agent)}`,
			);
			if (last === restartAt) agent = await restartAgent(client, runtime, agent, () => program()[1]);
		}
		const after = usage(data, [server, agent]);
		const each = (total: number) => ((total * 1024) / count).toFixed(0);
		report(`${runtime}: memory of a pod besides its program`, `${each(after.podsMb - before.podsMb)} KiB`);
		report(`${runtime}: memory of the agent with ${count} pods`, `${memoryMb([agent]).toFixed(0)} MiB`);
		report(`${runtime}: files of a pod`, `${each(after.filesMb - before.filesMb)} KiB`);
	} finally {
		cox("down");
		rmSync(data, { recursive: true, force: true });
	}
}

const signal = () => AbortSignal.timeout(300_000);
const isReady = (pod: Pod | undefined) =>
	pod?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;

/** @returns milliseconds until it was Ready */
async function startPod(client: Client, name: string): Promise<number> {
	const startedMs = performance.now();
	const containers = [{ name: "main", image: "busybox", imagePullPolicy: "IfNotPresent", command }];
	await client.create(pods, { metadata: { name, namespace }, spec: { terminationGracePeriodSeconds: 0, containers } });
	await waitFor(client, pods, { name, namespace }, isReady, { signal: signal() });
	return performance.now() - startedMs;
}

/** Kills it, and a pod right after it: the node works again when that runs. @returns the new agent's PID */
async function restartAgent(client: Client, runtime: string, agent: number, current: () => number): Promise<number> {
	const containers = async () => {
		const { items } = await client.list(pods, { namespace });
		return items
			.map(({ metadata, status }) => {
				const { containerID, restartCount, state } = status?.containerStatuses?.[0] ?? {};
				return `${metadata.name} ${containerID} ${restartCount} ${state?.running?.startedAt}`;
			})
			.sort();
	};
	const [before, processes] = [await containers(), running(...command)];
	process.kill(agent, "SIGKILL");
	const tookMs = await startPod(client, "after-restart");
	await waitForList(client, pods, { namespace }, (list) => list.every(isReady), { signal: signal() });
	// What an agent would do to containers that it does not know, it would do at once.
	await clock.sleep(2000);
	const [now, left] = [new Set(await containers()), new Set(running(...command))];
	const same = before.filter((line) => now.has(line)).length;
	const alive = processes.filter((pid) => left.has(pid)).length;
	report(
		`${runtime}: from kill -9 of the agent with ${before.length} pods until another one is Ready`,
		`${tookMs.toFixed(0)} ms`,
		`${same} containers and ${alive} of ${processes.length} processes are the same`,
	);
	return current();
}

/** @param apart processes that do not belong to pods */
function usage(data: string, apart: readonly number[]): { podsMb: number; filesMb: number } {
	const programs = new Set([...apart, process.pid, ...running(...command)]);
	const podsMb = memoryMb(allPids().filter((pid) => !programs.has(pid)));
	const listed = execFileSync("du", ["-xsk", `${data}/nodes`], { encoding: "utf8" });
	return { podsMb, filesMb: Number.parseInt(listed, 10) / 1024 };
}
