/**
 * The tutorials "Apply Pod Security Standards at the Cluster Level" and "… at the Namespace Level" of the Kubernetes
 * documentation, with kubectl.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cluster, startCluster } from "../../src/index.ts";
import { kubectlPath, type Output, run } from "../e2e/cluster.ts";

let cluster: Cluster;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
	cluster = await startCluster();
	env = { KUBECONFIG: await cluster.kubeconfigPath() };
});
afterAll(() => cluster?.stop());

function kubectl(...args: string[]): Promise<Output> {
	return run(kubectlPath, args, { env });
}

const lines = (text: string) => text.trimEnd().split("\n");
const control = "allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile";

test("kubectl shows which namespaces have pods that a level would refuse", async () => {
	await kubectl("run", "plain", "--image=nginx");
	await kubectl("run", "ipc", "--image=nginx", '--overrides={"spec":{"hostIPC":true}}');
	const label = (level: string) =>
		kubectl(
			...["label", "--dry-run=server", "--overwrite", "ns", "--all"],
			`pod-security.kubernetes.io/enforce=${level}`,
		);
	const privileged = await label("privileged");
	expect([privileged.code, privileged.stderr]).toEqual([0, ""]);
	expect(lines((await label("baseline")).stderr)).toEqual([
		'Warning: existing pods in namespace "default" violate the new PodSecurity enforce level "baseline:latest"',
		"Warning: ipc: host namespaces",
	]);
	expect(lines((await label("restricted")).stderr)).toEqual([
		'Warning: existing pods in namespace "default" violate the new PodSecurity enforce level "restricted:latest"',
		`Warning: ipc: host namespaces, ${control}`,
		`Warning: plain: ${control}`,
	]);
});

test("a namespace warns by one level and enforces another", async () => {
	await kubectl("create", "namespace", "example");
	const label = (...labels: string[]) =>
		kubectl("label", "--overwrite", "ns", "example", ...labels.map((text) => `pod-security.kubernetes.io/${text}`));
	const labelled = await label("enforce=baseline", "enforce-version=latest", "warn=restricted", "warn-version=latest");
	expect(labelled.stdout).toBe("namespace/example labeled\n");
	const create = (name: string, ...more: string[]) =>
		kubectl("--namespace", "example", "run", name, "--image=nginx", ...more);
	const warned = await create("nginx");
	expect(warned.stdout).toBe("pod/nginx created\n");
	expect(warned.stderr).toBe(
		'Warning: would violate PodSecurity "restricted:latest": ' +
			'allowPrivilegeEscalation != false (container "nginx" must set securityContext.allowPrivilegeEscalation=false), ' +
			'unrestricted capabilities (container "nginx" must set securityContext.capabilities.drop=["ALL"]), ' +
			'runAsNonRoot != true (pod or container "nginx" must set securityContext.runAsNonRoot=true), ' +
			'seccompProfile (pod or container "nginx" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")\n',
	);
	const refused = await create("box", "--privileged");
	expect([refused.code, refused.stderr]).toEqual([
		1,
		'Error from server (Forbidden): pods "box" is forbidden: violates PodSecurity "baseline:latest": ' +
			'privileged (container "box" must not set securityContext.privileged=true)\n',
	]);
	const debug = await kubectl("-n", "example", "debug", "nginx", "--image=busybox", "--profile=sysadmin", "-c", "d");
	expect(debug.stderr).toContain('privileged (container "d" must not set securityContext.privileged=true)');
	expect((await label("enforce=strict")).stderr).toBe(
		'The Namespace "example" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": ' +
			"must be one of privileged, baseline, restricted\n",
	);
});
