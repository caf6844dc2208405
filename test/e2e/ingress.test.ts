/** Ingresses on the machine's own ports, with real clients. */
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testCertificates } from "../../src/api/testing/certificates.ts";
import { systemClock } from "../../src/core/time/clock.ts";
import { eventually, run, TestCluster } from "./cluster.ts";

const program = `
require("http").createServer((request, response) => {
	response.end(process.env.NAME + " " + request.url + " for " + request.headers["x-forwarded-host"]);
}).listen(8080);`;
const app = (name: string) => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: ${name} } }
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: web
      image: node
      command: [node, -e, ${JSON.stringify(program)}]
      env: [{ name: NAME, value: ${name} }]
      ports: [{ name: web, containerPort: 8080 }]
---
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec:
  selector: { app: ${name} }
  ports: [{ name: http, port: 80, targetPort: web }]
`;
const manifest = [
	app("front"),
	app("api"),
	`
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata:
  name: coxswain
  annotations: { ingressclass.kubernetes.io/is-default-class: "true" }
spec: { controller: coxswain.io/ingress-controller }
`,
].join("---\n");
const ingress = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: shop }
spec:
  tls: [{ hosts: [localhost], secretName: shop-tls }]
  rules:
    - host: localhost
      http:
        paths:
          - { path: /, pathType: Prefix, backend: { service: { name: front, port: { number: 80 } } } }
          - { path: /api, pathType: Prefix, backend: { service: { name: api, port: { name: http } } } }
          - { path: /gone, pathType: Exact, backend: { service: { name: gone, port: { number: 80 } } } }
`;

/** Free ports. */
async function freePorts(count: number): Promise<number[]> {
	const servers = await Promise.all(
		Array.from({ length: count }, () => {
			const server = createServer();
			return new Promise<typeof server>((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
		}),
	);
	return servers.map((server) => {
		const address = server.address();
		server.close();
		return typeof address === "object" && address !== null ? address.port : 0;
	});
}

describe("Ingresses", { timeout: 60_000 }, () => {
	let cluster: TestCluster;
	let http: string;
	let https: string;

	const status = async () => JSON.parse((await cluster.cox("status", "--json")).stdout);
	const addresses = () => cluster.kubectl("get", "ingress", "shop", "-o", "jsonpath={.status.loadBalancer.ingress}");
	const curl = async (...args: string[]) => (await run("curl", ["--silent", "--max-time", "5", ...args])).stdout;
	const answers = (text: string, ...args: string[]) => eventually(async () => expect(await curl(...args)).toBe(text));

	beforeAll(async () => {
		const [first = 0, second = 0] = await freePorts(2);
		[http, https] = [`localhost:${first}`, `localhost:${second}`];
		cluster = await TestCluster.start("--ingress-ports", `${first},${second}`);
		expect((await status()).ingressUrls).toEqual([]);
		await cluster.kubectlInput(manifest, "apply", "-f", "-");
		await cluster.kubectlInput(ingress, "apply", "-f", "-");
		await cluster.kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=30s");
	}, 60_000);
	afterAll(() => cluster?.[Symbol.asyncDispose]());

	test("route to Services by host and path, also with a changed path", async () => {
		await answers(`front /x for ${http}`, `http://${http}/x`);
		await answers(`api /api/1?a=b for ${http}`, `http://${http}/api/1?a=b`);
		expect(await curl(`http://${http}/gone`)).toBe("503 Service Unavailable: Service default/gone does not exist\n");
		expect(await curl("-H", "Host: other.test", `http://${http}/`)).toMatch(/^404 Not Found: no Ingress is for host/);
		const port = http.split(":")[1];
		await eventually(async () =>
			expect(JSON.parse(await addresses())).toMatchObject([{ ip: "127.0.0.1", ports: [{ port: Number(port) }, {}] }]),
		);
		const path = [{ op: "replace", path: "/spec/rules/0/http/paths/1/path", value: "/v2" }];
		await cluster.kubectl("patch", "ingress", "shop", "--type=json", "-p", JSON.stringify(path));
		await answers(`api /v2 for ${http}`, `http://${http}/v2`);
		await answers(`front /api for ${http}`, `http://${http}/api`);
	});

	test("terminate TLS once their Secret exists", async () => {
		await eventually(async () =>
			expect(await cluster.kubectl("get", "events")).toContain(
				"Secret shop-tls of type kubernetes.io/tls does not exist",
			),
		);
		const { server } = await testCertificates(systemClock().now());
		const data = Object.entries({ "tls.crt": server.cert, "tls.key": server.key });
		const secret = {
			apiVersion: "v1",
			kind: "Secret",
			metadata: { name: "shop-tls" },
			type: "kubernetes.io/tls",
			stringData: Object.fromEntries(data),
		};
		await cluster.kubectlInput(JSON.stringify(secret), "apply", "-f", "-");
		await answers(`front /s for ${https}`, "--insecure", `https://${https}/s`);
	});

	test("are no longer served when their class is deleted", async () => {
		await answers(`front / for ${http}`, `http://${http}/`);
		await cluster.kubectl("delete", "ingressclass", "coxswain");
		await eventually(async () => expect((await run("curl", ["--silent", `http://${http}/`])).code).toBe(7));
		expect((await status()).ingressUrls).toEqual([]);
		expect(await addresses()).toBe("");
	});
});
