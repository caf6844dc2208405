/**
 * Resources of running pods are changed in place (KEP-1287): what the API says, what the status says, what the kernel
 * was told.
 */
import { expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { condition, conformance, isReady, type Json, type Namespace, strategic } from "./harness.ts";
import { images, podOf, shell } from "./objects.ts";

/** CPU and memory as `20m/30m 35Mi/45Mi`: requests and limits; `-` where there is none. */
function resourcesOf(text: string): Json {
	const resources: Json = {};
	for (const [place, part] of text.split(" ").entries())
		for (const [index, quantity] of part.split("/").entries()) {
			if (quantity === "-" || quantity === "") continue;
			const list = index === 0 ? "requests" : "limits";
			resources[list] = { ...resources[list], [place === 0 ? "cpu" : "memory"]: quantity };
		}
	return resources;
}

const sleeper = (resources: string, more: Json = {}): Json => ({
	...shell("grep Cpus_allowed_list /proc/self/status | cut -f2 && sleep 1d", more),
	resources: resourcesOf(resources),
});
const podWith = (all: readonly string[], more: Json = {}): Json => {
	const containers = all.map((resources, index) => ({ name: `c${index + 1}`, ...sleeper(resources, more) }));
	return {
		metadata: { name: "sized" },
		spec: { restartPolicy: "OnFailure", terminationGracePeriodSeconds: 0, containers },
	};
};
const statusOf = (pod: Json, name: string): Json =>
	[...(pod.status.initContainerStatuses ?? []), ...pod.status.containerStatuses].find((each) => each.name === name);

/** What the kernel limits a container to; undefined where it has no control groups. */
async function kernelLimits(space: Namespace, container: string): Promise<Json> {
	const read = async (file: string) => {
		const args = ["--namespace", space.name, "exec", "sized", "-c", container, "--", "head", "-n1", file];
		const output = await space.target.tryKubectl(args);
		return output.code === 0 ? output.stdout.trim() : undefined;
	};
	const at = "/sys/fs/cgroup";
	const quota = await read(`${at}/cpu/cpu.cfs_quota_us`);
	if (quota !== undefined) {
		const memory = Number(await read(`${at}/memory/memory.limit_in_bytes`));
		return { quota: Number(quota), memory: memory > 2 ** 50 ? -1 : memory };
	}
	const [max = "", period] = (await read(`${at}/cpu.max`))?.split(" ") ?? [];
	if (period === undefined) return undefined;
	const memory = await read(`${at}/memory.max`);
	return { quota: max === "max" ? -1 : Number(max), memory: memory === "max" ? -1 : Number(memory) };
}

function expectedLimits({ limits = {} }: Json): Json {
	const quota = limits.cpu === undefined ? -1 : Math.max(1000, Number.parseInt(limits.cpu, 10) * 100);
	return { quota, memory: limits.memory === undefined ? -1 : Number.parseInt(limits.memory, 10) * 2 ** 20 };
}

conformance("in-place resize", 2, (target) => {
	const path = (space: Namespace) => space.core("pods", "sized");
	/** Resizes; `-` for containers that stay. A patch as from one pod to another: what is no longer there is null. */
	const patch = (space: Namespace, all: readonly string[], list = "containers", names?: readonly string[]) =>
		target().send(
			"PATCH",
			`${path(space)}/resize`,
			{
				spec: {
					[list]: all.map((text, index) => ({
						name: names?.[index] ?? `c${index + 1}`,
						resources: { limits: null, requests: null, ...resourcesOf(text) },
					})),
				},
			},
			{ "Content-Type": strategic },
		);
	const isSized = (pod: Json, all: readonly string[]) =>
		isReady(pod) &&
		["PodResizePending", "PodResizeInProgress"].every((type) => condition(pod, type) === undefined) &&
		all.every((text, index) => {
			const status = statusOf(pod, `c${index + 1}`);
			return JSON.stringify(sorted(status.resources)) === JSON.stringify(sorted(resourcesOf(text)));
		});
	const sorted = (resources: Json = {}) =>
		["requests", "limits"].map((list) => Object.entries(resources[list] ?? {}).sort());
	const sized = async (space: Namespace, all: readonly string[]): Promise<Json> => {
		const pod = await space.until(path(space), (pod) => isSized(pod, all));
		for (const [index, text] of all.entries()) {
			const limits = await kernelLimits(space, `c${index + 1}`);
			if (limits !== undefined) expect(limits, `c${index + 1}`).toEqual(expectedLimits(resourcesOf(text)));
		}
		return pod;
	};

	for (const [what, before, after] of [
		[
			"guaranteed, a net increase",
			["20m/20m 35Mi/35Mi", "22m/22m 37Mi/37Mi"],
			["25m/25m 40Mi/40Mi", "17m/17m 32Mi/32Mi"],
		],
		[
			"burstable, also with limits and requests that are new",
			["20m", "-/- 35Mi", "20m/- 35Mi", "20m", "-/- 35Mi"],
			["25m/35m", "-/- 30Mi/50Mi", "20m/- 30Mi", "15m/- 35Mi", "20m/- 40Mi"],
		],
		["equivalents", ["2m/10m"], ["1m/5m"]],
	] as const) {
		test.concurrent(`${what}: up, down and back, without a restart`, async () => {
			await using space = await target().namespace("resize");
			await target().post(space.core("pods"), podWith(before));
			await sized(space, before);
			expect((await patch(space, after)).status).toBe(200);
			await sized(space, after);
			if (what.startsWith("burstable")) return;
			expect((await patch(space, before)).status).toBe(200);
			const pod = await sized(space, before);
			expect(pod.status.containerStatuses.map(({ restartCount }: Json) => restartCount)).toEqual(before.map(() => 0));
		});
	}

	test.concurrent("the replace endpoint, which gives the pod as it is", async () => {
		await using space = await target().namespace("resize-put");
		await space.run(podWith(["20m/- 35Mi"]));
		const pod = await target().get(path(space));
		pod.spec.containers[0].resources = resourcesOf("25m/- 40Mi");
		const put = await target().put(`${path(space)}/resize`, pod);
		expect(put.metadata.generation).toBe(2);
		await sized(space, ["25m/- 40Mi"]);
		await eventually(async () =>
			expect(await target().get(`${path(space)}/resize`)).toEqual(await target().get(path(space))),
		);
	});

	test.concurrent("a policy may ask for a restart, by resource, also of a sidecar", async () => {
		await using space = await target().namespace("resize-restart");
		const resizePolicy = [
			{ resourceName: "cpu", restartPolicy: "NotRequired" },
			{ resourceName: "memory", restartPolicy: "RestartContainer" },
		];
		const pod = podWith(["20m/20m 35Mi/35Mi"], { resizePolicy });
		const side = { name: "side", ...sleeper("20m/20m 35Mi/35Mi", { resizePolicy, restartPolicy: "Always" }) };
		pod.spec.initContainers = [side];
		await space.run(pod);
		await patch(space, ["25m/25m 35Mi/35Mi"]);
		expect(statusOf(await sized(space, ["25m/25m 35Mi/35Mi"]), "c1").restartCount).toBe(0);
		await patch(space, ["25m/25m 40Mi/40Mi"]);
		expect(statusOf(await sized(space, ["25m/25m 40Mi/40Mi"]), "c1").restartCount).toBe(1);
		await patch(space, ["25m/25m 40Mi/40Mi"], "initContainers", ["side"]);
		const done = await space.until(path(space), (now) => statusOf(now, "side").restartCount === 1 && isReady(now));
		expect(statusOf(done, "side").resources).toEqual(resourcesOf("25m/25m 40Mi/40Mi"));
	});

	test.concurrent("resources of the pod as a whole, alone and with its containers'", async () => {
		await using space = await target().namespace("resize-pod");
		const pod = podWith(["20m/20m 35Mi/35Mi", ""]);
		pod.spec.resources = resourcesOf("40m/40m 70Mi/70Mi");
		const volumeMounts = [{ name: "groups", mountPath: "/groups" }];
		Object.assign(pod.spec.containers[0], { volumeMounts });
		pod.spec.volumes = [{ name: "groups", hostPath: { path: "/sys/fs/cgroup" } }];
		const { status, metadata } = await space.run(pod);
		expect(status.qosClass).toBe("Guaranteed");
		expect(status.allocatedResources).toEqual({ cpu: "40m", memory: "70Mi" });
		expect(status.resources).toEqual(pod.spec.resources);
		const limits = await kernelLimits(space, "c1");
		// Where the node's groups are to be seen by their pods' UIDs.
		const groupLimits = async () => {
			const find = `for f in $(find /groups -name '*${metadata.uid}*'); do cat $f/cpu.cfs_quota_us $f/memory.limit_in_bytes $f/cpu.max $f/memory.max 2>/dev/null; done; true`;
			const args = ["--namespace", space.name, "exec", "sized", "-c", "c1", "--", "sh", "-c", find];
			return (await target().kubectl(...args)).trim().split(/\s+/);
		};
		if (limits !== undefined)
			expect(await groupLimits()).toEqual(expect.arrayContaining(["4000", String(70 * 2 ** 20)]));
		const resize = (whole: string, first: string) =>
			target().patch(`${path(space)}/resize`, strategic, {
				spec: { resources: resourcesOf(whole), containers: [{ name: "c1", resources: resourcesOf(first) }] },
			});
		for (const [whole, first] of [
			["60m/60m 60Mi/60Mi", "20m/20m 35Mi/35Mi"],
			["90m/90m 90Mi/90Mi", "80m/80m 40Mi/40Mi"],
			["40m/40m 70Mi/70Mi", "20m/20m 35Mi/35Mi"],
		] as const) {
			await resize(whole, first);
			await sized(space, [first]);
			const now = await space.until(
				path(space),
				(pod) => JSON.stringify(sorted(pod.status.resources)) === JSON.stringify(sorted(resourcesOf(whole))),
			);
			expect(now.status.allocatedResources).toEqual(resourcesOf(whole).requests);
			if (limits === undefined) continue;
			const memory = String(Number.parseInt(resourcesOf(whole).limits.memory, 10) * 2 ** 20);
			expect(await groupLimits()).toEqual(expect.arrayContaining([`${Number.parseInt(whole, 10)}00`, memory]));
		}
		const gone = { spec: { resources: { limits: { cpu: null } } } };
		await expect(target().patch(`${path(space)}/resize`, strategic, gone)).rejects.toThrow(
			"resource limits cannot be removed",
		);
	}, 60_000);

	test.concurrent("a pod's memory limit below what it uses is refused, and may be taken back", async () => {
		await using space = await target().namespace("resize-pod-memory");
		const pod = podWith([""]);
		pod.spec.resources = resourcesOf("-/- 35Mi/35Mi");
		await space.run(pod);
		if ((await kernelLimits(space, "c1")) === undefined) return;
		const resize = (whole: string) =>
			target().patch(`${path(space)}/resize`, strategic, { spec: { resources: resourcesOf(whole) } });
		await resize("-/- 10Ki/10Ki");
		const failed = await space.until(path(space), (now) => condition(now, "PodResizeInProgress")?.reason === "Error");
		expect(condition(failed, "PodResizeInProgress").message).toMatch(/memory limit \(\d+\) below current usage/);
		expect(failed.status.resources).toEqual(resourcesOf("-/- 35Mi/35Mi"));
		await resize("-/- 40Mi/40Mi");
		await space.until(
			path(space),
			(now) => condition(now, "PodResizeInProgress") === undefined && now.status.resources.limits.memory === "40Mi",
		);
	});

	test.concurrent("what may not be changed is refused, with the reason", async () => {
		const kept = "spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize, ";
		const guaranteed = "20m/20m 35Mi/35Mi";
		const refused: [before: string[], after: string[], message: string, names?: string[]][] = [
			[["-"], ["-/- 35Mi"], "Pod QOS Class may not change as a result of resizing"],
			[["-"], ["20m"], "Pod QOS Class may not change as a result of resizing"],
			[["20m/35m 35Mi/50Mi"], ["35m/35m 50Mi/50Mi"], "Pod QOS Class may not change as a result of resizing"],
			[[guaranteed], ["20m/- 35Mi/-"], "resource limits cannot be removed"],
			[["20m/35m 35Mi/50Mi"], ["25m/- 40Mi/-"], "resource limits cannot be removed"],
			[["-/- 35Mi"], ["-"], "resource requests cannot be removed"],
			[["20m"], ["-"], "resource requests cannot be removed"],
		];
		for (const [before, after, message] of refused) {
			await using space = await target().namespace("resize-refused");
			await target().post(space.core("pods"), podWith(before));
			const answer = await patch(space, after);
			expect(answer.status).toBe(422);
			expect(answer.body.message).toContain(message);
		}
		await using space = await target().namespace("resize-names");
		const pod = await target().post(space.core("pods"), podWith(["20m", "20m"]));
		for (const names of [
			["c2", "c1"],
			["new-1", "new-2"],
		]) {
			const containers = pod.spec.containers.map((each: Json, index: number) => ({ ...each, name: names[index] }));
			const changed = { ...pod, spec: { ...pod.spec, containers } };
			delete changed.metadata.resourceVersion;
			const answer = await target().send("PUT", `${path(space)}/resize`, changed);
			expect(answer.body.message).toContain(kept + kept.replace("[0]", "[1]").slice(0, -2));
		}
	}, 60_000);

	test.concurrent("a memory limit below what is used is refused by the runtime, and may be taken back", async () => {
		await using space = await target().namespace("resize-memory");
		await space.run(podWith(["-/- 35Mi/35Mi"]));
		if ((await kernelLimits(space, "c1")) === undefined) return;
		await patch(space, ["-/- 10Ki/10Ki"]);
		const pod = await space.until(path(space), (now) => condition(now, "PodResizeInProgress")?.reason === "Error");
		expect(condition(pod, "PodResizeInProgress").message).toMatch(/memory limit \(\d+\) below current usage/);
		expect(statusOf(pod, "c1").resources).toEqual(resourcesOf("-/- 35Mi/35Mi"));
		await patch(space, ["-/- 40Mi/40Mi"]);
		await sized(space, ["-/- 40Mi/40Mi"]);
	});

	test.concurrent("what a node never has is infeasible; what others have is waited for", async () => {
		await using space = await target().namespace("resize-waits");
		const [node] = (await target().get("/api/v1/nodes")).items;
		const cores = Number.parseFloat(node.status.allocatable.cpu);
		const most = Math.floor(cores * 1000);
		const pod = podWith(["20m"]);
		pod.spec.nodeName = node.metadata.name;
		await space.run(pod);
		const other = podOf("other", sleeper(`${Math.floor(most / 2)}m`), { nodeName: node.metadata.name });
		await space.run(other);
		await patch(space, [`${most + 1000}m`]);
		const pending = (reason: string) =>
			space.until(path(space), (now) => condition(now, "PodResizePending")?.reason === reason);
		expect(condition(await pending("Infeasible"), "PodResizePending")).toMatchObject({ status: "True" });
		const half = `${Math.floor(most / 2) + 100}m`;
		await patch(space, [half]);
		expect(condition(await pending("Deferred"), "PodResizePending").message).toContain(
			"Node didn't have enough resource: cpu",
		);
		expect(statusOf(await target().get(path(space)), "c1").resources).toEqual(resourcesOf("20m"));
		await target().delete(space.core("pods", "other"));
		await sized(space, [half]);
	});

	const millis = (quantity = "0") => Number.parseFloat(quantity) * (quantity.endsWith("m") ? 1 : 1000);
	/** A node's CPU in thousandths of a core: all, and what pods have not asked for. */
	const cpuOf = async (name: string) => {
		const node = await target().get(`/api/v1/nodes/${name}`);
		const selector = `spec.nodeName=${name},status.phase!=Succeeded,status.phase!=Failed`;
		const { items } = await target().get(`/api/v1/pods?fieldSelector=${encodeURIComponent(selector)}`);
		const requests = items.flatMap(({ spec }: Json) =>
			spec.containers.map((each: Json) => each.resources?.requests?.cpu),
		);
		const taken = requests.reduce((sum: number, cpu: string | undefined) => sum + millis(cpu), 0);
		const all = millis(node.status.allocatable.cpu);
		return { all, free: Math.floor(all - taken) };
	};
	const cpuPod = (name: string, cpu: number, spec: Json = {}): Json => {
		const resources = resourcesOf(`${Math.floor(cpu)}m/${Math.floor(cpu)}m`);
		return podOf(name, { image: images.pause, resources }, spec);
	};
	const resize = (space: Namespace, name: string, cpu: number) => {
		const resources = resourcesOf(`${Math.floor(cpu)}m/${Math.floor(cpu)}m`);
		return target().patch(`${space.core("pods", name)}/resize`, strategic, {
			spec: { containers: [{ name: "main", resources }] },
		});
	};
	const has = (space: Namespace, name: string, cpu: number) =>
		space.until(space.core("pods", name), (pod) => {
			const { resources } = pod.status.containerStatuses[0];
			return millis(resources?.requests?.cpu) === Math.floor(cpu) && condition(pod, "PodResizePending") === undefined;
		});
	const waits = (space: Namespace, name: string, reason = "Deferred") =>
		space.until(space.core("pods", name), (pod) => condition(pod, "PodResizePending")?.reason === reason);

	// One after the other: they share out all that a node has.
	test("the scheduler and the node agree about who has what", async () => {
		await using space = await target().namespace("resize-scheduled");
		const at = { nodeSelector: { "kubernetes.io/hostname": "node-2" } };
		const { all, free } = await cpuOf("node-2");
		const half = free / 2;
		const pending = (name: string) =>
			space.until(space.core("pods", name), (pod) => condition(pod, "PodScheduled")?.reason === "Unschedulable");
		await space.run(cpuPod("first", half, at));
		await target().post(space.core("pods"), cpuPod("second", free, at));
		await pending("second");
		await resize(space, "second", half / 2);
		expect((await space.running("second")).metadata.generation).toBe(2);
		const left = free - half - half / 2;
		await target().post(space.core("pods"), cpuPod("third", left + half / 4, at));
		await pending("third");
		await resize(space, "first", half / 3);
		await space.running("third");
		await resize(space, "first", half);
		await waits(space, "first");
		for (const name of ["second", "third"]) await target().delete(space.core("pods", name));
		await has(space, "first", half);
		await resize(space, "first", all * 2);
		await waits(space, "first", "Infeasible");
		// What can never be had is not kept free.
		await space.run(cpuPod("fourth", half - 10, at));
	}, 60_000);

	test("room goes to the most important, then the guaranteed, then who waited longest; what it frees goes on", async () => {
		await using space = await target().namespace("resize-order");
		const at = { nodeSelector: { "kubernetes.io/hostname": "node-2" } };
		await target().post("/apis/scheduling.k8s.io/v1/priorityclasses", { metadata: { name: space.name }, value: 1000 });
		const { free } = await cpuOf("node-2");
		const [most, little] = [(free * 2) / 3, free / 16];
		await space.run(cpuPod("first", most, at));
		await space.run(cpuPod("important", little, { ...at, priorityClassName: space.name }));
		const guaranteed = cpuPod("guaranteed", little, at);
		for (const list of Object.values<Json>(guaranteed.spec.containers[0].resources)) list.memory = "100Mi";
		await space.run(guaranteed);
		for (const name of ["longest", "last"]) await space.run(cpuPod(name, little, at));
		for (const name of ["longest", "guaranteed", "important", "last"]) {
			await resize(space, name, most);
			await waits(space, name);
		}
		const order = ["first", "important", "guaranteed", "longest", "last"];
		for (const [index, name] of order.entries()) {
			await target().delete(space.core("pods", name));
			await space.gone(space.core("pods", name));
			const next = order[index + 1];
			if (next === undefined) break;
			await has(space, next, most);
			for (const other of order.slice(index + 2)) await waits(space, other);
		}
		for (const name of ["one", "two", "three"]) await space.run(cpuPod(name, free / 4, at));
		await resize(space, "two", free / 2 + little);
		await waits(space, "two");
		await resize(space, "three", little);
		await has(space, "two", free / 2 + little);
	}, 60_000);
});
