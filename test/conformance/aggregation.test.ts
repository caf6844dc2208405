/** An extension API server in a pod, behind an APIService: what Kubernetes' sample does in its conformance tests. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { makeAuthority, makeLeaf } from "../../src/cluster/pki/make-certificates.ts";
import { eventually } from "../e2e/cluster.ts";
import { conformance, type Json, merge, type Namespace, strategic } from "./harness.ts";

const group = "wardle.example.com";
const apiServices = "/apis/apiregistration.k8s.io/v1/apiservices";
const wardle = `${apiServices}/v1alpha1.${group}`;
const rbac = "/apis/rbac.authorization.k8s.io/v1";
const base64 = (text: string) => Buffer.from(text).toString("base64");
const asJson = { Accept: "application/json" };

/** Certificates for the service `sample-api`. */
function certificates(namespace: string) {
	const nowMs = Date.now();
	const validity = { notBeforeMs: nowMs - 60_000, notAfterMs: nowMs + 3_600_000 };
	const authority = makeAuthority({ commonName: "e2e-sampleapiserver-ca" }, validity);
	const name = `sample-api.${namespace}.svc`;
	const leaf = makeLeaf(new X509Certificate(authority.cert), createPrivateKey(authority.key), {
		name: { commonName: name },
		server: { dnsNames: [name], addresses: [] },
		validity,
	});
	return { ca: authority.cert, ...leaf };
}

function deployment(): Json {
	const certificate = { name: "certs", readOnly: true, mountPath: "/certificates" };
	const containers = [
		{
			name: "sample-apiserver",
			image: "registry.k8s.io/e2e-test-images/sample-apiserver:1.29.2",
			args: [
				"--etcd-servers=http://127.0.0.1:2379",
				"--tls-cert-file=/certificates/tls.crt",
				"--tls-private-key-file=/certificates/tls.key",
				"--audit-log-path=-",
			],
			volumeMounts: [certificate],
			readinessProbe: { httpGet: { scheme: "HTTPS", port: 443, path: "/readyz" }, periodSeconds: 1 },
		},
		{ name: "etcd", image: "registry.k8s.io/etcd:3.6.4-0", command: ["/usr/local/bin/etcd"] },
	];
	const volumes = [{ name: "certs", secret: { secretName: "sample-apiserver-secret" } }];
	const labels = { app: "sample-apiserver", apiserver: "true" };
	const template = { metadata: { labels }, spec: { containers, volumes, terminationGracePeriodSeconds: 0 } };
	return { metadata: { name: "sample-apiserver" }, spec: { selector: { matchLabels: labels }, template } };
}

conformance("aggregation", 1, (target) => {
	async function deploy(space: Namespace): Promise<{ ca: string }> {
		const { ca, cert, key } = certificates(space.name);
		const secret = { "tls.crt": base64(cert), "tls.key": base64(key) };
		await target().post(space.core("secrets"), { metadata: { name: "sample-apiserver-secret" }, data: secret });
		await target().post(space.core("services"), {
			metadata: { name: "sample-api" },
			spec: { selector: { apiserver: "true" }, ports: [{ port: 7443, targetPort: 443 }] },
		});
		const subjects = [{ kind: "ServiceAccount", name: "default", namespace: space.name }];
		const roleRef = (kind: string, name: string) => ({ apiGroup: "rbac.authorization.k8s.io", kind, name });
		await target().post(`${rbac}/clusterrolebindings`, {
			metadata: { name: `${space.name}:auth-delegator` },
			roleRef: roleRef("ClusterRole", "system:auth-delegator"),
			subjects,
		});
		await target().post(`${rbac}/namespaces/kube-system/rolebindings`, {
			metadata: { name: `${space.name}-auth-reader` },
			roleRef: roleRef("Role", "extension-apiserver-authentication-reader"),
			subjects,
		});
		await target().post(space.apps("deployments"), deployment());
		await eventually(async () =>
			expect((await target().get(space.apps("deployments", "sample-apiserver"))).status.readyReplicas).toBe(1),
		);
		return { ca };
	}

	test("a server in a pod serves its resources like any other, with the rights of the cluster", async () => {
		await using space = await target().namespace("aggregator");
		const { ca } = await deploy(space);
		await target().post(apiServices, {
			metadata: { name: `v1alpha1.${group}` },
			spec: {
				service: { namespace: space.name, name: "sample-api", port: 7443 },
				group,
				version: "v1alpha1",
				caBundle: base64(ca),
				groupPriorityMinimum: 2000,
				versionPriority: 200,
			},
		});
		const flunders = `/apis/${group}/v1alpha1/namespaces/default/flunders`;
		await eventually(async () => expect((await target().send("GET", flunders, undefined, asJson)).status).toBe(200));
		const flunder = (name: string) => ({
			apiVersion: `${group}/v1alpha1`,
			kind: "Flunder",
			metadata: { name, labels: { "sample-label": "true" } },
		});
		const created = await target().send("POST", flunders, flunder("rest-flunder"), asJson);
		expect([created.status, created.body]).toMatchObject([
			201,
			{ kind: "Flunder", metadata: { name: "rest-flunder" } },
		]);
		const { metadata } = await target().get(flunders);
		const next = target().watch(flunders, metadata.resourceVersion, ({ type }) => type === "DELETED");
		expect((await target().get(flunders)).items).toHaveLength(1);
		await target().delete(`${flunders}/rest-flunder`);
		expect((await next).object.metadata.name).toBe("rest-flunder");
		expect((await target().get(flunders)).items).toHaveLength(0);

		// kubectl finds it, shows it and explains it.
		await target().kubectlInput(JSON.stringify(flunder("one")), "create", "-f", "-", "-n", space.name);
		expect(await target().kubectl("get", "fl", "-n", space.name)).toMatch(/^NAME +CREATED AT\none +\d{4}-/);
		expect(await target().kubectl("api-resources", "--api-group", group)).toMatch(
			/flunders +fl +wardle.example.com\/v1alpha1 +true +Flunder/,
		);
		expect(await target().kubectl("api-versions")).toContain(`${group}/v1alpha1\n`);
		expect(await target().kubectl("explain", "flunder.spec")).toContain("Name of another flunder.");
		expect(await target().kubectl("get", "apiservices")).toMatch(
			new RegExp(`v1.apps +Local +True .*v1alpha1.${group} +${space.name}/sample-api +True `, "s"),
		);
		expect(await target().kubectl("get", "apiservice", "v1beta1.metrics.k8s.io")).toMatch(/Local +True/);

		// It asks the cluster whether the user may; the cluster asks first, and lets through who may.
		const eve = ["--as=eve", "-n", space.name];
		expect((await target().tryKubectl(["get", "flunders", ...eve])).stderr).toContain(
			'User "eve" cannot list resource "flunders"',
		);
		await target().kubectl(
			"create",
			"role",
			"flunders",
			"--verb=list",
			`--resource=flunders.${group}`,
			"-n",
			space.name,
		);
		await target().kubectl("create", "rolebinding", "eve", "--role=flunders", "--user=eve", "-n", space.name);
		await eventually(async () => expect(await target().kubectl("get", "flunders", ...eve)).toContain("one"));

		// A namespace goes with what is in it.
		const lab = await target().namespace("aggregator-lab");
		const inLab = `/apis/${group}/v1alpha1/namespaces/${lab.name}/flunders`;
		await target().post(inLab, flunder("two"));
		await target().delete(`/api/v1/namespaces/${lab.name}`);
		await eventually(async () =>
			expect((await target().send("GET", `/api/v1/namespaces/${lab.name}`)).status).toBe(404),
		);
		expect((await target().get(inLab)).items).toEqual([]);

		// The life of the APIService itself.
		expect((await target().get(`${wardle}/status`)).status.conditions[0]).toMatchObject({
			status: "True",
			reason: "Passed",
			message: "all checks passed",
		});
		expect((await target().patch(wardle, merge, { spec: { versionPriority: 400 } })).spec.versionPriority).toBe(400);
		await target().patch(wardle, strategic, { metadata: { labels: { "e2e-apiservice": "patched" } } });
		const said = (type: string) => ({ type, status: "True", reason: "E2E", message: "Set from e2e test" });
		await target().update(wardle, ({ status }) => status.conditions.push(said("StatusUpdated")), "/status");
		const { status } = await target().get(wardle);
		const patch = { status: { conditions: [...status.conditions, said("StatusPatched")] } };
		await target().patch(`${wardle}/status`, merge, patch);
		const types = (await target().get(`${wardle}/status`)).status.conditions.map(({ type }: Json) => type);
		expect(types).toEqual(["Available", "StatusUpdated", "StatusPatched"]);
		await target().update(wardle, (object) => {
			object.metadata.labels = { [`v1alpha1.${group}`]: "updated" };
		});
		const selected = `${apiServices}?labelSelector=${encodeURIComponent(`v1alpha1.${group}=updated`)}`;
		expect((await target().get(selected)).items).toHaveLength(1);
		await target().delete(selected);
		expect((await target().get(selected)).items).toHaveLength(0);
		expect((await target().send("GET", flunders)).status).toBe(404);
		await target().delete(`${rbac}/clusterrolebindings/${space.name}:auth-delegator`);
		await target().delete(`${rbac}/namespaces/kube-system/rolebindings/${space.name}-auth-reader`);
	});
});
