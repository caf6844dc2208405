/** Limits with control groups of version 1. */
import { existsSync, mkdtempSync, readFileSync, rmdirSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { collect, containerConfig, sandboxConfig } from "../contract/contract.ts";
import type { ContainerConfig } from "../runtime.ts";
import { type ProcessFixture, processFixture, rootless } from "./testing.ts";

const cgroupMemory = "/sys/fs/cgroup/memory";

describe.skipIf(process.getuid?.() !== 0 || rootless || !existsSync(cgroupMemory))(
	"limits of processes (as root, control groups version 1)",
	() => {
		let fixture: ProcessFixture;
		let cgroup: string;
		beforeEach(async () => {
			cgroup = mkdtempSync(`${cgroupMemory}/cox-test-`).slice(cgroupMemory.length + 1);
			fixture = await processFixture({ cgroup });
		});
		afterEach(async () => {
			await fixture.dispose();
			for (const controller of ["memory", "cpu", "pids"]) rmdirSync(`/sys/fs/cgroup/${controller}/${cgroup}`);
		});

		it("kills what takes more memory than it may, and says OOMKilled", async () => {
			expect((await fixture.runtime.limitations()).join()).not.toContain("limits");
			const container = await fixture.start({
				command: [process.execPath, "-e", "const kept = []; for (;;) kept.push(Buffer.alloc(1 << 24, 1));"],
				limits: { memoryLimitBytes: 200 * 2 ** 20 },
			});
			expect(await fixture.exited(container.id)).toMatchObject({ exitCode: 137, reason: "OOMKilled" });
		});

		it("charges a container for what it writes to /dev/shm", async () => {
			const container = await fixture.start({
				command: ["sh", "-c", "exec head -c 60000000 /dev/zero >/dev/shm/big"],
				limits: { memoryLimitBytes: 2 ** 25 },
			});
			expect(await fixture.exited(container.id)).toMatchObject({ exitCode: 137, reason: "OOMKilled" });
		});

		it("limits the containers of a pod together, also those without limits of their own", async () => {
			const pod = await fixture.runtime.createSandbox(
				sandboxConfig("pod-limits", { cgroup: { memoryLimitBytes: 2 ** 26, cpuLimitMillis: 500 } }),
			);
			const create = async (name: string, config: Partial<ContainerConfig>) => {
				const made = await fixture.runtime.createContainer(pod.id, containerConfig(fixture.directory, name, config));
				await fixture.runtime.startContainer(made.id);
				return made.id;
			};
			const script = "const kept = []; for (;;) kept.push(Buffer.alloc(1 << 24, 1));";
			const neighbour = await create("neighbour", { command: ["sleep", "1000"], limits: { cpuLimitMillis: 100 } });
			const hungry = await create("hungry", { command: [process.execPath, "-e", script] });
			expect(await fixture.exited(hungry)).toMatchObject({ exitCode: 137, reason: "OOMKilled" });
			const quota = (path: string) =>
				readFileSync(`/sys/fs/cgroup/cpu/${cgroup}/${path}/cpu.cfs_quota_us`, "utf8").trim();
			const group = `pod${pod.config.podUid}`;
			expect([quota(group), quota(`${group}/${neighbour}`)]).toEqual(["50000", "10000"]);
		});

		it("bounds the processes of a pod, those of exec among them, whether its containers have limits or not", async () => {
			// A bounded fork bomb, in case nothing limits it.
			const bomb = [
				"sh",
				"-c",
				"trap '' TERM; for i in 1 2 3 4 5 6; do for j in 1 2 3 4 5 6; do sleep 1000 >/dev/null 2>&1 & done; done",
			];
			const pod = await fixture.runtime.createSandbox(sandboxConfig("pod-bomb", { pidsLimit: 30 }));
			const start = async (name: string, limits: ContainerConfig["limits"]) => {
				const config = containerConfig(fixture.directory, name, { command: ["sleep", "1000"], limits });
				const made = await fixture.runtime.createContainer(pod.id, config);
				await fixture.runtime.startContainer(made.id);
				return made.id;
			};
			const ids = [await start("plain", {}), await start("limited", { memoryLimitBytes: 2 ** 28 })];
			const count = () => Number(readFileSync(`/sys/fs/cgroup/pids/${cgroup}/pod${pod.config.podUid}/pids.current`));
			expect(count()).toBe(2);
			for (const id of ids) {
				const signal = new AbortController().signal;
				const session = await fixture.runtime.exec(id, { command: bomb, tty: false, stdin: false, signal });
				await collect(session);
				expect(count()).toBeLessThanOrEqual(30);
			}
			expect(count()).toBeGreaterThan(20);
			await fixture.runtime.removeSandbox(pod.id);
			expect(existsSync(`/sys/fs/cgroup/pids/${cgroup}/pod${pod.config.podUid}`)).toBe(false);
		});

		it("limits processes and CPU, and changes limits while it runs", async () => {
			const limits = { pidsLimit: 5, cpuLimitMillis: 250, cpuRequestMillis: 100 };
			const script = "for i in 1 2 3 4 5 6 7 8; do sleep 1000 & done; echo started; wait";
			const container = await fixture.start({ command: ["sh", "-c", script], limits });
			await fixture.exited(container.id);
			expect(fixture.log("main")).toMatch(/fork|retry/i);
			const second = await fixture.start({ name: "second", command: ["sleep", "1000"], limits });
			const quota = () => readFileSync(`/sys/fs/cgroup/cpu/${cgroup}/${second.id}/cpu.cfs_quota_us`, "utf8").trim();
			expect(quota()).toBe("25000");
			await fixture.runtime.updateLimits(second.id, { cpuLimitMillis: 500 });
			expect(quota()).toBe("50000");
		});
	},
);
