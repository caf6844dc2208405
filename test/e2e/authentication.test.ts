/** Who may come in by which token, and what is recorded of it, with kubectl. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestIssuer, type TestIssuer } from "../../src/api/testing/oidc-issuer.ts";
import { systemClock } from "../../src/core/time/clock.ts";
import { eventually, kubectlPath, run, TestCluster } from "./cluster.ts";

const policy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: [kubernetes-admin]
- level: Request
  resources: [{ group: "", resources: [configmaps] }]
- level: Metadata
  userGroups: ["dex:dev"]
- level: Metadata
  nonResourceURLs: ["/api*"]
`;

let folder: string;
let issuer: TestIssuer;
let cluster: TestCluster;

beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), "cox-authentication-"));
	issuer = await startTestIssuer(systemClock().now());
	writeFileSync(join(folder, "ca.pem"), issuer.ca);
	writeFileSync(join(folder, "policy.yaml"), policy);
	cluster = await TestCluster.start(
		"--runtime=simulated",
		`--audit-policy=${join(folder, "policy.yaml")}`,
		`--oidc-issuer-url=${issuer.url}`,
		"--oidc-client-id=cox",
		"--oidc-groups-claim=groups",
		"--oidc-groups-prefix=dex:",
		`--oidc-ca-file=${join(folder, "ca.pem")}`,
	);
}, 120_000);

afterAll(async () => {
	await cluster?.[Symbol.asyncDispose]();
	await issuer?.close();
	rmSync(folder, { recursive: true, force: true });
});

/** kubectl with nothing of the administrator's but the cluster's address and authority. */
async function asToken(token: string, ...args: string[]) {
	const config = [
		"config",
		"view",
		"--raw",
		"-o",
		"jsonpath={.clusters[0].cluster['server','certificate-authority-data']}",
	];
	const [server = "", authority = ""] = (await cluster.kubectl(...config)).split(" ");
	const file = join(folder, "ca.crt");
	writeFileSync(file, Buffer.from(authority, "base64"));
	const options = [
		"--kubeconfig=/dev/null",
		`--server=${server}`,
		`--certificate-authority=${file}`,
		`--token=${token}`,
	];
	return run(kubectlPath, [...options, ...args], { env: { KUBECONFIG: "/dev/null" } });
}

const whoAmI = ["auth", "whoami", "-o", "jsonpath={.status.userInfo.username} {.status.userInfo.groups}"];

test("kubectl comes in with a token of the issuer, and with none that is not good for this cluster", async () => {
	const found = await asToken(issuer.token({ sub: "ann", groups: ["dev"] }), ...whoAmI);
	expect(found.stdout).toBe(`${issuer.url}#ann ["dex:dev","system:authenticated"]`);
	for (const token of [issuer.token({ sub: "ann", aud: "other" }), "rubbish"])
		expect((await asToken(token, ...whoAmI)).stderr).toContain("You must be logged in to the server");
});

test("kubectl makes tokens, and those for other programs open nothing here", async () => {
	const made = (...args: string[]) =>
		cluster.kubectl("create", "token", "default", ...args).then((text) => text.trim());
	expect((await asToken(await made(), ...whoAmI)).stdout).toContain("system:serviceaccount:default:default ");
	for (const audience of ["vault.example.com", "https://kubernetes.default.svc"])
		expect((await asToken(await made(`--audience=${audience}`), ...whoAmI)).stderr).toContain("must be logged in");
	await cluster.kubectl("create", "secret", "generic", "bound");
	const bound = await made("--bound-object-kind=Secret", "--bound-object-name=bound");
	expect((await asToken(bound, ...whoAmI)).code).toBe(0);
	await cluster.kubectl("delete", "secret", "bound");
	expect((await asToken(bound, ...whoAmI)).stderr).toContain("must be logged in");
	const short = await run(kubectlPath, ["create", "token", "default", "--duration=9m"], {
		env: { KUBECONFIG: cluster.kubeconfig },
	});
	expect(short.stderr).toContain("may not specify a duration less than 10 minutes");
});

test("a bootstrap token opens the cluster until it expires, and then goes", async () => {
	const secret = (id: string, more: object = {}) =>
		JSON.stringify({
			apiVersion: "v1",
			kind: "Secret",
			metadata: { name: `bootstrap-token-${id}`, namespace: "kube-system" },
			type: "bootstrap.kubernetes.io/token",
			stringData: {
				"token-id": id,
				"token-secret": "0123456789abcdef",
				"usage-bootstrap-authentication": "true",
				...more,
			},
		});
	const file = join(folder, "bootstrap.json");
	writeFileSync(file, secret("abcdef", { "auth-extra-groups": "system:bootstrappers:workers" }));
	await cluster.kubectl("create", "-f", file);
	expect((await asToken("abcdef.0123456789abcdef", ...whoAmI)).stdout).toBe(
		'system:bootstrap:abcdef ["system:bootstrappers","system:bootstrappers:workers","system:authenticated"]',
	);
	writeFileSync(file, secret("abcde1", { expiration: new Date(systemClock().now() + 2000).toISOString() }));
	await cluster.kubectl("create", "-f", file);
	await eventually(async () => {
		const listed = await cluster.kubectl("get", "secrets", "-n", "kube-system", "-o", "name");
		expect(listed).toContain("bootstrap-token-abcdef");
		expect(listed).not.toContain("bootstrap-token-abcde1");
	});
});

test("the audit log has each request with its user and result", async () => {
	const token = issuer.token({ sub: "bea", groups: ["dev"] });
	await cluster.kubectl("create", "clusterrolebinding", "devs", "--clusterrole=cluster-admin", "--group=dex:dev");
	await eventually(async () => {
		expect((await asToken(token, "create", "configmap", "seen", "--from-literal=x=1")).stderr).toMatch(/^$|exists/);
	});
	await asToken("rubbish", "get", "configmaps");
	const file = join(cluster.data, "audit.log");
	await eventually(async () => {
		const lines = readFileSync(file, "utf8").trim().split("\n");
		const events = lines.map((line) => JSON.parse(line));
		const made = events.find(
			({ verb, objectRef, responseStatus }) =>
				verb === "create" && objectRef?.name === "seen" && responseStatus.code === 201,
		);
		expect(made).toMatchObject({
			level: "Request",
			stage: "ResponseComplete",
			user: { username: `${issuer.url}#bea`, groups: ["dex:dev", "system:authenticated"] },
			sourceIPs: ["127.0.0.1"],
			userAgent: expect.stringContaining("kubectl"),
			requestObject: { data: { x: "1" } },
			annotations: { "authorization.k8s.io/decision": "allow" },
		});
		expect(made.responseObject).toBeUndefined();
		expect(events).toContainEqual(expect.objectContaining({ responseStatus: expect.objectContaining({ code: 401 }) }));
		expect(events.filter(({ user }) => user.username === "kubernetes-admin")).toEqual([]);
	});
	expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("wrong files are refused with the paths of their fields before anything starts", async () => {
	const file = join(folder, "wrong.yaml");
	writeFileSync(file, "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{ level: Everything }]\n");
	const up = (...args: string[]) => cluster.cox("up", ...args);
	expect((await up(`--audit-policy=${file}`)).stderr).toContain(
		`--audit-policy ${file}: rules[0].level: Unsupported value: "Everything"`,
	);
	expect((await up(`--oidc=${file}`)).stderr).toContain('kind: Unsupported value: "Policy"');
	expect((await up("--oidc-issuer-url=http://x", "--oidc-client-id=x")).stderr).toContain("URL scheme must be https");
	expect((await up("--audit-log=/x")).stderr).toContain("require --audit-policy");
	expect((await up("--audit-policy=none")).stderr).toContain("'cox down' first");
});
