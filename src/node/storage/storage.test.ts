import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import type { Pod, PodSpec } from "../../kinds/generated/types.ts";
import type { Verdict } from "../pod/pod-state.ts";
import { volumeDirectory } from "../volumes/layout.ts";
import { diskUsage } from "./disk-usage.ts";
import { hasStorageLimits, storageExcess } from "./storage-limits.ts";
import { watchStorage } from "./storage-monitor.ts";

const pod = (spec: Partial<PodSpec>): Pod => ({
	apiVersion: "v1",
	kind: "Pod",
	metadata: {
		name: "p",
		namespace: "default",
		uid: "u",
		resourceVersion: "1",
		creationTimestamp: "2026-01-01T00:00:00Z",
	},
	spec: { containers: [], ...spec },
});
const container = (name: string, limit?: string) => ({
	name,
	...(limit === undefined ? {} : { resources: { limits: { "ephemeral-storage": limit } } }),
});
const mebi = 1024 ** 2;

describe("bounds of local storage", () => {
	const excess = (spec: Partial<PodSpec>, emptyDirs: Record<string, number>, containers: Record<string, number> = {}) =>
		storageExcess(pod(spec), {
			emptyDirs: new Map(Object.entries(emptyDirs)),
			containers: new Map(Object.entries(containers)),
		});
	const volumes = [{ name: "lim", emptyDir: { sizeLimit: "10Mi" } }];

	test("an emptyDir may be as large as its limit", () => {
		expect(excess({ volumes }, { lim: 10 * mebi })).toBeUndefined();
		expect(excess({ volumes }, { lim: 10 * mebi + 1 })).toBe(
			'Usage of EmptyDir volume "lim" exceeds the limit "10Mi". ',
		);
		const free = [
			{ name: "lim", emptyDir: {} },
			{ name: "zero", emptyDir: { sizeLimit: "0" } },
		];
		expect(excess({ volumes: free }, { lim: 1e12, zero: 1e12 })).toBeUndefined();
		const memory = [{ name: "lim", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } }];
		expect(hasStorageLimits(pod({ volumes: memory }))).toBe(false);
	});

	test("a container may write as much as its limit, its logs among it", () => {
		const containers = [container("c", "2Mi"), container("free")];
		expect(excess({ containers }, {}, { c: 2 * mebi })).toBeUndefined();
		const both = { containers: [container("c", "2Mi"), container("d", "100Mi")] };
		expect(excess(both, {}, { c: 3 * mebi, d: 0 })).toBe(
			'Container c exceeded its local ephemeral storage limit "2Mi". ',
		);
	});

	test("a pod may use as much as its containers together, its emptyDirs among it", () => {
		const spec = { containers: [container("c", "2Mi"), container("d", "1Gi")], volumes: [{ name: "v", emptyDir: {} }] };
		expect(excess(spec, { v: 1025 * mebi }, { c: mebi })).toBeUndefined();
		expect(excess(spec, { v: 1026 * mebi }, { c: mebi })).toBe(
			"Pod ephemeral local storage usage exceeds the total limit of containers 1026Mi. ",
		);
	});
});

describe("measured on disk", () => {
	let folder: string;
	beforeEach(() => {
		folder = mkdtempSync(`${tmpdir()}/cox-storage-`);
	});
	afterEach(() => rmSync(folder, { recursive: true, force: true }));

	test("usage is what is there, without what links lead to and without holes", async () => {
		mkdirSync(`${folder}/v/sub`, { recursive: true });
		writeFileSync(`${folder}/v/sub/file`, Buffer.alloc(mebi, 1));
		linkSync(`${folder}/v/sub/file`, `${folder}/v/same`);
		writeFileSync(`${folder}/outside`, Buffer.alloc(4 * mebi, 1));
		symlinkSync(`${folder}/outside`, `${folder}/v/link`);
		execFileSync("truncate", ["-s", "1G", `${folder}/v/sparse`]);
		const bytes = await diskUsage(`${folder}/v`);
		expect(bytes).toBeGreaterThanOrEqual(mebi);
		expect(bytes).toBeLessThan(2 * mebi);
		expect(await diskUsage(`${folder}/none`)).toBe(0);
		symlinkSync(`${folder}/v`, `${folder}/swapped`);
		expect(await diskUsage(`${folder}/swapped`)).toBe(0);
	});

	test("pods that exceed a bound are evicted, and nothing is measured where none is set", async () => {
		const directories = { root: `${folder}/kubelet`, logs: `${folder}/logs`, view: "" };
		const clock = new VirtualClock({ startMs: 0 });
		const timers = vi.spyOn(clock, "after");
		const verdicts: Verdict[] = [];
		const volume = { name: "lim", emptyDir: { sizeLimit: "1Mi" } };
		const limited = {
			pod: pod({ volumes: [volume] }),
			active: true,
			end: (verdict: Verdict) => void verdicts.push(verdict),
		};
		const pods: (typeof limited)[] = [];
		const monitor = watchStorage({
			clock,
			runtime: {},
			view: { of: () => ({ sandboxes: [], containers: [] }) },
			directories,
			pods: () => pods,
		});
		monitor.added(pod({}));
		expect(timers).not.toHaveBeenCalled();
		pods.push(limited);
		monitor.added(limited.pod);
		expect(timers).toHaveBeenCalledOnce();
		await monitor.look();
		expect(verdicts).toEqual([]);
		const path = volumeDirectory(directories, "u", volume);
		mkdirSync(path, { recursive: true });
		writeFileSync(`${path}/file`, Buffer.alloc(2 * mebi, 1));
		await monitor.look();
		expect(verdicts).toEqual([
			{ reason: "Evicted", message: 'Usage of EmptyDir volume "lim" exceeds the limit "1Mi". ', graceSeconds: 1 },
		]);
		monitor.stop();
	});
});
