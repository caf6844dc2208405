/** What a container does after its start and before its end, sidecars included, and what it is called. */
import { expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { conformance, type Json, type Namespace } from "./harness.ts";
import { images, podOf, shell } from "./objects.ts";

conformance("hooks and host names", "shared", (target) => {
	/** Milliseconds until a deleted pod is gone. */
	const goneAfter = async (space: Namespace, name: string, options?: Json): Promise<number> => {
		const begunMs = Date.now();
		await target().delete(space.core("pods", name), options);
		await space.gone(space.core("pods", name));
		return Date.now() - begunMs;
	};
	const sleeping = (seconds: number, container: Json = { image: images.pause }) =>
		podOf(
			"sleeps",
			{ ...container, lifecycle: { preStop: { sleep: { seconds } } } },
			{ terminationGracePeriodSeconds: 30 },
		);

	test.concurrent("a sleep before the stop takes its time, and no more than there is", async () => {
		await using space = await target().namespace("sleep");
		await space.run(sleeping(3));
		const whole = await goneAfter(space, "sleeps");
		expect(whole).toBeGreaterThanOrEqual(3000);
		expect(whole).toBeLessThan(30_000);
		await space.run(sleeping(15));
		const cut = await goneAfter(space, "sleeps", { gracePeriodSeconds: 2 });
		expect(cut).toBeGreaterThanOrEqual(2000);
		expect(cut).toBeLessThan(15_000);
		await target().post(space.core("pods"), sleeping(20, shell("exit 0")));
		await space.ended("sleeps");
		expect(await goneAfter(space, "sleeps")).toBeLessThan(15_000);
		await space.run(sleeping(0));
		expect(await goneAfter(space, "sleeps")).toBeLessThan(15_000);
		const refused = await target().send("POST", space.core("pods"), sleeping(-1));
		expect(refused.body.message).toContain("lifecycle.preStop.sleep: Invalid value: -1");
	}, 60_000);

	test.concurrent("a sidecar's hooks are carried out as any container's", async () => {
		await using space = await target().namespace("sidecar-hooks");
		const server = await space.run(podOf("server", { args: ["netexec"] }));
		const { podIP } = server.status;
		const log = async () =>
			(await target().send("GET", `${space.core("pods", "server")}/log`, undefined, { Accept: "*/*" })).body;
		const by = {
			exec: (message: string) => ({ exec: { command: ["sh", "-c", `curl http://${podIP}:8080/echo?msg=${message}`] } }),
			http: (message: string) => ({ httpGet: { path: `/echo?msg=${message}`, host: podIP, port: 8080 } }),
		};
		for (const how of ["exec", "http"] as const) {
			const lifecycle = { postStart: by[how](`start-${how}`), preStop: by[how](`stop-${how}`) };
			const sidecar = { name: "side", image: images.agnhost, restartPolicy: "Always", lifecycle };
			const spec = { terminationGracePeriodSeconds: 15, initContainers: [sidecar] };
			await space.run(podOf(how, { image: images.pause }, spec));
			await eventually(async () => expect(await log()).toContain(`GET /echo?msg=start-${how}`));
			expect(await log()).not.toContain(`GET /echo?msg=stop-${how}`);
			await goneAfter(space, how);
			await eventually(async () => expect(await log()).toContain(`GET /echo?msg=stop-${how}`));
		}
	}, 60_000);

	test.concurrent("a host name may be overridden, whatever else names the pod", async () => {
		await using space = await target().namespace("hostname");
		const says = shell("echo $(hostname)';'$(hostname -f)';'", { image: images.agnhost });
		const names: [hostnameOverride: string, more: Json][] = [
			["override.example.host", {}],
			["override-host", { hostname: "custom-host" }],
			["override-host", {}],
			["override-host", { subdomain: "t" }],
		];
		for (const [place, [hostnameOverride, more]] of names.entries()) {
			const output = await space.output(podOf(`named-${place}`, says, { hostnameOverride, ...more }));
			expect(output).toBe(`${hostnameOverride};${hostnameOverride};\n`);
		}
		for (const spec of [
			{ hostnameOverride: "override-host", setHostnameAsFQDN: true },
			{ hostnameOverride: "override-host", hostNetwork: true },
			{ hostnameOverride: "Not-RFC1123" },
		]) {
			const answer = await target().send("POST", space.core("pods"), podOf("refused", says, spec));
			expect(answer.status, JSON.stringify(spec)).toBe(422);
		}
	});
});
