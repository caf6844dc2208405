/** The real kubectl against real sockets. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith, kubectlPath } from "../core/testing/programs.ts";
import { systemClock } from "../core/time/clock.ts";
import { type Listener, listen } from "./listen.ts";
import { testCertificates } from "./testing/certificates.ts";
import { type TestApi, testApi } from "./testing/test-api.ts";

describeWith(["kubectl"], "kubectl", () => {
	let api: TestApi;
	let listener: Listener;
	let folder: string;

	beforeAll(async () => {
		folder = mkdtempSync(join(tmpdir(), "cox-kubectl-"));
		const certificates = await testCertificates(systemClock().now());
		const client = await certificates.client("CN=ann, O=system:masters");
		api = await testApi();
		listener = await listen(api, { tls: { ...certificates.server, clientCa: certificates.ca } });
		const encode = (text: string) => Buffer.from(text).toString("base64");
		const config = {
			apiVersion: "v1",
			kind: "Config",
			clusters: [
				{
					name: "test",
					cluster: {
						server: `https://127.0.0.1:${listener.port}`,
						"certificate-authority-data": encode(certificates.ca),
					},
				},
			],
			users: [
				{
					name: "ann",
					user: { "client-certificate-data": encode(client.cert), "client-key-data": encode(client.key) },
				},
			],
			contexts: [{ name: "test", context: { cluster: "test", user: "ann" } }],
			"current-context": "test",
		};
		writeFileSync(join(folder, "config"), JSON.stringify(config));
	});

	afterAll(async () => {
		await listener.close();
		await api.close();
		rmSync(folder, { recursive: true });
	});

	function kubectl(args: string[], input?: string): Promise<{ code: number; out: string; err: string }> {
		const env = { ...process.env, KUBECONFIG: join(folder, "config"), HOME: folder };
		return new Promise((resolve) => {
			const child = execFile(kubectlPath, args, { env, timeout: 30_000 }, (error, out, err) =>
				resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err }),
			);
			child.stdin?.end(input ?? "");
		});
	}

	test("applies, reads, patches and deletes", async () => {
		const manifest = JSON.stringify({
			apiVersion: "v1",
			kind: "ConfigMap",
			metadata: { name: "settings" },
			data: { colour: "green" },
		});
		expect(await kubectl(["apply", "-f", "-"], manifest)).toMatchObject({
			code: 0,
			out: "configmap/settings created\n",
		});
		expect((await kubectl(["apply", "-f", "-"], manifest)).out).toBe("configmap/settings unchanged\n");
		const changed = manifest.replace("green", "blue");
		expect((await kubectl(["apply", "-f", "-"], changed)).out).toBe("configmap/settings configured\n");
		expect((await kubectl(["get", "configmap", "settings", "-o", "jsonpath={.data.colour}"])).out).toBe("blue");
		const patched = await kubectl(["patch", "cm", "settings", "-p", '{"data":{"size":"3"}}']);
		expect(patched).toMatchObject({ code: 0, out: "configmap/settings patched\n" });
		expect((await kubectl(["get", "cm"])).out).toMatch(/NAME +DATA +AGE\nsettings +2 +\d+s\n/);
		expect((await kubectl(["delete", "cm", "settings"])).out).toBe(
			'configmap "settings" deleted from default namespace\n',
		);
		expect((await kubectl(["get", "cm", "settings"])).err).toContain(
			'Error from server (NotFound): configmaps "settings" not found',
		);
	});

	test("refuses unknown fields and values of the wrong type in upstream's words", async () => {
		const manifest = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"dta":{"x":"1"}}';
		expect((await kubectl(["create", "-f", "-"], manifest)).err).toContain(
			'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dta"',
		);
	});

	test("makes objects of its own, scales and applies on the server's side", async () => {
		expect((await kubectl(["create", "deployment", "web", "--image=nginx", "--replicas=0"])).err).toBe("");
		expect((await kubectl(["scale", "deployment", "web", "--replicas=3"])).out).toBe("deployment.apps/web scaled\n");
		expect((await kubectl(["get", "deploy", "web"])).out).toMatch(/web +0\/3 +0 +0 /);
		const expose = await kubectl(["expose", "deployment", "web", "--port=80"]);
		expect(expose).toMatchObject({ code: 0, out: "service/web exposed\n" });
		const manifest = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"ssa"},"data":{"x":"1"}}';
		expect((await kubectl(["apply", "--server-side", "-f", "-"], manifest)).out).toBe(
			"configmap/ssa serverside-applied\n",
		);
		const other = await kubectl(
			["apply", "--server-side", "--field-manager=other", "-f", "-"],
			manifest.replace('"1"', '"2"'),
		);
		expect(other.err).toContain('conflict with "kubectl"');
		expect((await kubectl(["explain", "deployment.spec.replicas"])).out).toContain("replicas <integer>");
	});

	test("apply --server-side leaves to others what they have set since a plain apply", async () => {
		const manifest = (replicas: string) =>
			`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"moved"},"spec":{${replicas}"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"nginx"}]}}}}`;
		const serverSide = ["apply", "--server-side", "-f", "-"];
		expect((await kubectl(["apply", "-f", "-"], manifest('"replicas":2,'))).err).toBe("");
		await kubectl(["scale", "deployment", "moved", "--replicas=5"]);
		await kubectl(["label", "deployment", "moved", "team=web"]);
		const refused = await kubectl(serverSide, manifest('"replicas":2,'));
		expect(refused.err).toContain('conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas');
		expect((await kubectl(serverSide, manifest(""))).out).toBe("deployment.apps/moved serverside-applied\n");
		const path = "jsonpath={.spec.replicas} {.metadata.labels.team} {.metadata.managedFields[*].manager}";
		const kept = await kubectl(["get", "deployment", "moved", "--show-managed-fields", "-o", path]);
		const [replicas, team, ...managers] = kept.out.split(" ");
		expect([replicas, team]).toEqual(["5", "web"]);
		// Old ones do not say what they had applied before.
		const known = managers.filter((manager) => manager !== "kubectl-last-applied");
		expect(known.toSorted()).toEqual(["kubectl", "kubectl", "kubectl-label"]);
		const yaml = ["get", "deployment", "moved", "-o", "yaml"];
		expect((await kubectl(yaml)).out).not.toContain("managedFields");
		expect((await kubectl([...yaml, "--show-managed-fields"])).out).toContain("manager: kubectl-label");
	});

	test("waits, labels and says who one is", async () => {
		await kubectl(["create", "configmap", "b", "--from-literal=x=1"]);
		expect((await kubectl(["label", "cm", "b", "app=web"])).out).toBe("configmap/b labeled\n");
		expect((await kubectl(["get", "cm", "-l", "app=web", "-o", "name"])).out).toBe("configmap/b\n");
		const waiting = kubectl(["wait", "--for=delete", "cm/b", "--timeout=20s"]);
		await kubectl(["delete", "cm", "b"]);
		expect((await waiting).code).toBe(0);
		expect((await kubectl(["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"])).out).toBe("ann");
		expect((await kubectl(["version"])).out).toContain("Server Version: v1.36.0+coxswain");
	});

	test("creates reviews, which are kinds that take no patches", async () => {
		const { code, out, err } = await kubectl(
			["create", "-f", "-", "-o", "jsonpath={.status.allowed}"],
			JSON.stringify({
				apiVersion: "authorization.k8s.io/v1",
				kind: "SelfSubjectAccessReview",
				spec: { resourceAttributes: { resource: "pods", verb: "list" } },
			}),
		);
		expect({ code, out, err }).toEqual({ code: 0, out: "true", err: "" });
	});
});
