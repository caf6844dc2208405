/** `kubectl rollout` and its kin against the workload controllers. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Listener, listen } from "../../src/api/listen.ts";
import { daemonSetController } from "../../src/controllers/daemonset/controller.ts";
import { deploymentController } from "../../src/controllers/deployment/controller.ts";
import { replicaSetController } from "../../src/controllers/replicaset/controller.ts";
import { statefulSetController } from "../../src/controllers/statefulset/controller.ts";
import { describeWith, kubectlPath } from "../../src/core/testing/programs.ts";
import { daemonSets } from "../../src/kinds/apps/daemonset.ts";
import { deployments } from "../../src/kinds/apps/deployment.ts";
import { statefulSets } from "../../src/kinds/apps/statefulset.ts";
import { createWorld, type World } from "./harness.ts";

describeWith(["kubectl"], "kubectl", () => {
	let world: World;
	let listener: Listener;
	let home: string;
	let over = false;
	let running: Promise<void>;

	beforeAll(async () => {
		home = mkdtempSync(join(tmpdir(), "cox-rollout-"));
		world = await createWorld([deploymentController, replicaSetController, statefulSetController, daemonSetController]);
		listener = await listen(world.api, { user: { name: "ann", groups: ["system:masters"] } });
		// The cluster's time passes while kubectl waits.
		running = (async () => {
			while (!over) {
				await world.clock.advance(20);
				await new Promise((resolve) => setTimeout(resolve, 1));
			}
		})();
		const spec = (name: string) => ({
			selector: { matchLabels: { app: name } },
			template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "main", image: "a:1" }] } },
		});
		const metadata = { namespace: "default", name: "web" };
		await world.client.create(deployments, { metadata, spec: { replicas: 3, ...spec("deployment") } });
		await world.client.create(statefulSets, { metadata, spec: { replicas: 3, ...spec("set") } });
		await world.client.create(daemonSets, { metadata, spec: spec("daemon") });
	});

	afterAll(async () => {
		over = true;
		await running;
		await listener.close();
		await world.close();
		rmSync(home, { recursive: true });
	});

	function kubectl(...args: string[]): Promise<string> {
		const env = { ...process.env, HOME: home, KUBECONFIG: join(home, "none") };
		const all = ["--server", `http://127.0.0.1:${listener.port}`, ...args];
		return new Promise((resolve, reject) => {
			execFile(kubectlPath, all, { env, timeout: 25_000 }, (error, out, err) =>
				error === null ? resolve(out) : reject(new Error(`kubectl ${args.join(" ")}: ${err}${out}`)),
			);
		});
	}

	const imageOf = (object: string) =>
		kubectl("get", object, "--output", "jsonpath={.spec.template.spec.containers[0].image}");
	const revisionsIn = (history: string) => [...history.matchAll(/^(\d+) /gm)].map((match) => Number(match[1]));

	for (const object of ["deployment/web", "statefulset/web", "daemonset/web"]) {
		test(`rollout status, history, undo and restart of ${object}`, async () => {
			await kubectl("rollout", "status", object);
			await kubectl("set", "image", object, "main=a:2");
			await kubectl("rollout", "status", object);
			expect(revisionsIn(await kubectl("rollout", "history", object))).toEqual([1, 2]);
			expect(await kubectl("rollout", "history", object, "--revision=1")).toContain("a:1");
			await kubectl("rollout", "undo", object);
			await kubectl("rollout", "status", object);
			expect(await imageOf(object)).toBe("a:1");
			expect(revisionsIn(await kubectl("rollout", "history", object))).toEqual([2, 3]);
			await kubectl("rollout", "restart", object);
			await kubectl("rollout", "status", object);
			await kubectl("rollout", "undo", object, "--to-revision=2");
			await kubectl("rollout", "status", object);
			expect(await imageOf(object)).toBe("a:2");
			expect(revisionsIn(await kubectl("rollout", "history", object))).toEqual([3, 4, 5]);
		});
	}

	test("a paused deployment takes changes and rolls them out when resumed", async () => {
		await kubectl("rollout", "pause", "deployment/web");
		await kubectl("set", "image", "deployment/web", "main=a:3");
		await kubectl("scale", "deployment/web", "--replicas=4");
		await kubectl("wait", "deployment/web", "--for=jsonpath={.status.readyReplicas}=4");
		expect(await kubectl("describe", "deployment/web")).toMatch(/Progressing +Unknown +DeploymentPaused/);
		await kubectl("rollout", "resume", "deployment/web");
		await kubectl("rollout", "status", "deployment/web");
		expect(await kubectl("describe", "deployment/web")).toMatch(/Progressing +True +NewReplicaSetAvailable/);
	});
});
