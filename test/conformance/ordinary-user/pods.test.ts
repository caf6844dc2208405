/** An ordinary user reaches neither the machine nor pods of others through pods, made directly or by a controller. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { events } from "../../../src/index.ts";
import {
	type Answer,
	type Json,
	merge,
	type People,
	plainPod,
	rbac,
	shop,
	startWithPeople,
	strategic,
	vault,
} from "./people.ts";

let people: People;

beforeAll(async () => {
	people = await startWithPeople();
});
afterAll(() => people?.[Symbol.asyncDispose]());

function expectForbidden({ status, message }: Answer, why: string): void {
	expect([status, message]).toEqual([403, expect.stringContaining(why)]);
}

const dangerous: Record<string, Json> = {
	privileged: plainPod("x", {}, { securityContext: { privileged: true } }),
	hostPath: plainPod("x", { volumes: [{ name: "root", hostPath: { path: "/" } }] }),
	hostPID: plainPod("x", { hostPID: true }),
	hostIPC: plainPod("x", { hostIPC: true }),
	hostNetwork: plainPod("x", { hostNetwork: true }),
	hostPort: plainPod("x", {}, { ports: [{ containerPort: 80, hostPort: 10250 }] }),
	capabilities: plainPod("x", {}, { securityContext: { capabilities: { add: ["SYS_ADMIN"] } } }),
	procMount: plainPod("x", {}, { securityContext: { procMount: "Unmasked" } }),
	unconfined: plainPod("x", { securityContext: { seccompProfile: { type: "Unconfined" } } }),
	sysctl: plainPod("x", { securityContext: { sysctls: [{ name: "kernel.core_pattern", value: "|/x" }] } }),
	"an init container": plainPod("x", {
		initContainers: [{ name: "i", image: "nginx", securityContext: { privileged: true } }],
	}),
	"a probe of another host": plainPod("x", {}, { livenessProbe: { httpGet: { host: "169.254.169.254", port: 80 } } }),
};

describe("a pod", () => {
	test.each(Object.entries(dangerous))("with %s is refused", async (_, pod) => {
		expectForbidden(await people.ann("POST", `${shop}/pods`, pod), 'violates PodSecurity "baseline:latest"');
		expectForbidden(await people.ann("POST", `${shop}/pods?dryRun=All`, pod), "violates PodSecurity");
		const mirror = { ...pod, metadata: { name: "x", annotations: { "kubernetes.io/config.mirror": "x" } } };
		expectForbidden(await people.ann("POST", `${shop}/pods`, mirror), "violates PodSecurity");
	});

	test("is not made by a patch that applies it either", async () => {
		const pod = { apiVersion: "v1", kind: "Pod", ...dangerous["privileged"] };
		const headers = { "content-type": "application/apply-patch+yaml" };
		const answer = await people.ann("PATCH", `${shop}/pods/x?fieldManager=x`, pod, headers);
		expectForbidden(answer, "violates PodSecurity");
	});

	test("gets no privileges by an ephemeral container", async () => {
		const rule = { apiGroups: [""], resources: ["pods/ephemeralcontainers"], verbs: ["patch", "update"] };
		await people.admin("POST", `${rbac}/namespaces/shop/roles`, { metadata: { name: "debugs" }, rules: [rule] });
		await people.admin("POST", `${rbac}/namespaces/shop/rolebindings`, {
			metadata: { name: "debugs" },
			roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "debugs" },
			subjects: [{ kind: "ServiceAccount", namespace: "people", name: "ann" }],
		});
		const container = { name: "debug", image: "nginx", securityContext: { privileged: true } };
		const change = { spec: { ephemeralContainers: [container] } };
		for (const headers of [strategic, merge])
			expectForbidden(
				await people.ann("PATCH", `${shop}/pods/web/ephemeralcontainers`, change, headers),
				'privileged (container "debug" must not set securityContext.privileged=true)',
			);
	});

	test("says nothing about itself but by its agent, and is not bound by hand", async () => {
		const ready = { status: { podIP: "127.0.0.1", phase: "Failed" } };
		expectForbidden(await people.ann("PATCH", `${shop}/pods/web/status`, ready, merge), '"pods/status"');
		const binding = { metadata: { name: "web" }, target: { kind: "Node", name: "node-1" } };
		expectForbidden(await people.ann("POST", `${shop}/pods/web/binding`, binding), '"pods/binding"');
		expectForbidden(await people.ann("POST", `${shop}/bindings`, binding), '"bindings"');
		const sneaked = await people.ann("PATCH", `${shop}/pods/web`, { status: ready.status }, merge);
		expect(sneaked.status).toBe(200);
		expect(sneaked.body.status.phase).toBe("Running");
	});

	test("runs as no account of another namespace", async () => {
		for (const serviceAccountName of ["root", "../vault/root", "vault/root"])
			expect([403, 422]).toContain(
				(await people.ann("POST", `${shop}/pods`, plainPod("x", { serviceAccountName }))).status,
			);
	});
});

describe("workloads", () => {
	const template = (pod: Json) => ({ metadata: { labels: { app: "x" } }, spec: pod.spec });
	const selector = { matchLabels: { app: "x" } };
	const apps = "/apis/apps/v1/namespaces/shop";
	const bad = dangerous["hostPath"];
	const never = { ...bad, spec: { ...bad.spec, restartPolicy: "Never" } };

	test("make no pod that their author may not make", async () => {
		for (const [path, body] of [
			[`${apps}/deployments`, { spec: { selector, template: template(bad) } }],
			[`${apps}/daemonsets`, { spec: { selector, template: template(bad) } }],
			[`${apps}/statefulsets`, { spec: { selector, serviceName: "x", template: template(bad) } }],
			[`${apps}/replicasets`, { spec: { selector, template: template(bad) } }],
			[`${shop}/replicationcontrollers`, { spec: { selector: { app: "x" }, template: template(bad) } }],
			["/apis/batch/v1/namespaces/shop/jobs", { spec: { template: template(never) } }],
		] as const)
			expect([
				path,
				(await people.ann("POST", path, { metadata: { name: `x-${path.split("/").pop()}` }, ...body })).status,
			]).toEqual([path, 201]);
		const kinds = ["DaemonSet", "Job", "ReplicaSet", "ReplicationController", "StatefulSet"];
		await people.cluster.waitForList(events, { namespace: "shop" }, (list) => {
			const failed = list.filter(
				({ reason, message }) => reason === "FailedCreate" && message?.includes("PodSecurity"),
			);
			return kinds.every((kind) => failed.some(({ involvedObject }) => involvedObject.kind === kind));
		});
		const { body } = await people.ann("GET", `${shop}/pods`);
		expect(body.items.map(({ metadata }: Json) => metadata.name)).toEqual(["web"]);
	});

	test("take no pods of other namespaces", async () => {
		const { body: pod } = await people.admin("GET", `${vault}/pods/web`);
		const labels = { metadata: { labels: { app: "taken" } } };
		await people.admin("PATCH", `${vault}/pods/web`, labels, merge);
		const made = { spec: { selector: { matchLabels: { app: "taken" } }, template: template(plainPod("x")) } };
		made.spec.template.metadata.labels.app = "taken";
		expect((await people.ann("POST", `${apps}/replicasets`, { metadata: { name: "taken" }, ...made })).status).toBe(
			201,
		);
		await expect
			.poll(async () => (await people.ann("GET", `${apps}/replicasets/taken`)).body.status.replicas, {
				timeout: 20_000,
			})
			.toBe(1);
		const { body: after } = await people.admin("GET", `${vault}/pods/web`);
		expect([after.metadata.uid, after.metadata.ownerReferences]).toEqual([pod.metadata.uid, undefined]);
	});
});

describe("others' pods and nodes", () => {
	const upgrade = { connection: "Upgrade", upgrade: "SPDY/3.1", "x-stream-protocol-version": "v4.channel.k8s.io" };
	const websocket = {
		connection: "Upgrade",
		upgrade: "websocket",
		"sec-websocket-version": "13",
		"sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
		"sec-websocket-protocol": "v5.channel.k8s.io",
	};
	test.each([
		["POST", `${vault}/pods/web/exec?command=id&stdout=1`, upgrade],
		["GET", `${vault}/pods/web/exec?command=id&stdout=1`, websocket],
		["POST", `${vault}/pods/web/attach?stdout=1`, upgrade],
		["GET", `${vault}/pods/web/portforward?ports=80`, websocket],
		["GET", `${vault}/pods/web/proxy/`, {}],
		["POST", `${vault}/pods/web/proxy/`, {}],
		["GET", `${vault}/services/x/proxy/`, {}],
		["GET", "/api/v1/namespaces/default/services/https:kubernetes:443/proxy/", {}],
		["GET", "/api/v1/nodes/node-1/proxy/pods", {}],
		["GET", "/api/v1/nodes/node-1:10250/proxy/runningpods/", {}],
		["POST", "/api/v1/nodes/node-1/proxy/run/vault/web/c?cmd=id", {}],
		["GET", "/api/v1/nodes/node-1/proxy/exec/vault/web/c?command=id", websocket],
	] as const)("are not reached: %s %s", async (method, path, headers) => {
		const { status, message } = await people.ann(method, path, undefined, headers);
		expect([status, message]).toEqual([403, expect.stringContaining("cannot ")]);
	});

	test.each([
		["POST", `${vault}/pods/web/eviction`, { metadata: { name: "web", namespace: "vault" } }],
		["POST", `${shop}/pods/web/eviction`, { metadata: { name: "web", namespace: "vault" } }],
		["DELETE", `${vault}/pods/web`, undefined],
		["DELETE", `${vault}/pods`, undefined],
		[
			"PATCH",
			`${vault}/pods/web/ephemeralcontainers`,
			{ spec: { ephemeralContainers: [{ name: "d", image: "nginx" }] } },
		],
		["PATCH", `${vault}/pods/web/resize`, { spec: {} }],
	] as const)("are not disturbed: %s %s", async (method, path, body) => {
		const { body: before } = await people.admin("GET", `${vault}/pods/web`);
		const headers = method === "PATCH" ? strategic : {};
		expect([400, 403]).toContain((await people.ann(method, path, body, headers)).status);
		const { body: after } = await people.admin("GET", `${vault}/pods/web`);
		expect([after.metadata.uid, after.metadata.deletionTimestamp, after.spec]).toEqual([
			before.metadata.uid,
			undefined,
			before.spec,
		]);
	});
});
