/** Tokens of service accounts: their user, their audiences, and who may read them. */
import { expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { conformance, type Json, type Namespace } from "./harness.ts";
import { images, podOf } from "./objects.ts";

const folder = "/var/run/secrets/kubernetes.io/serviceaccount";
const claim = "authentication.kubernetes.io";
const projected = (token: Json): Json => ({ name: "token", projected: { sources: [{ serviceAccountToken: token }] } });
const mounted = { volumeMounts: [{ name: "token", mountPath: "/test-volume", readOnly: true }] };

conformance("service accounts", "shared", (target) => {
	const account = (space: Namespace, name: string) =>
		target().post(space.core("serviceaccounts"), { metadata: { name } });
	const review = async (token: string, audiences?: string[]): Promise<Json> => {
		const path = "/apis/authentication.k8s.io/v1/tokenreviews";
		return (await target().post(path, { spec: { token, audiences } })).status;
	};

	test.concurrent("a pod's token names the account, the pod and its node", async () => {
		await using space = await target().namespace("accounts-mount");
		await account(space, "mount-test");
		const container = { image: images.busybox, command: ["sleep", "100000"] };
		const pod = await space.run(podOf("mounted", container, { serviceAccountName: "mount-test" }));
		const node = await target().get(`/api/v1/nodes/${pod.spec.nodeName}`);
		const map = await target().get(space.core("configmaps", "kube-root-ca.crt"));
		expect(await space.exec("mounted", `cat ${folder}/ca.crt`)).toBe(map.data["ca.crt"]);
		expect(await space.exec("mounted", `cat ${folder}/namespace`)).toBe(space.name);
		const { authenticated, error, user } = await review(await space.exec("mounted", `cat ${folder}/token`));
		expect({ authenticated, error }).toEqual({ authenticated: true });
		expect(user.username).toBe(`system:serviceaccount:${space.name}:mount-test`);
		expect(user.groups).toEqual(
			expect.arrayContaining([
				"system:authenticated",
				"system:serviceaccounts",
				`system:serviceaccounts:${space.name}`,
			]),
		);
		expect(user.extra).toMatchObject({
			[`${claim}/pod-name`]: ["mounted"],
			[`${claim}/pod-uid`]: [pod.metadata.uid],
			[`${claim}/node-name`]: [node.metadata.name],
			[`${claim}/node-uid`]: [node.metadata.uid],
			[`${claim}/credential-id`]: [expect.stringMatching(/^JTI=/)],
		});
	});

	test.concurrent("the file belongs to those who are to read it", async () => {
		await using space = await target().namespace("accounts-mode");
		const file = "/test-volume/token";
		const args = ["mounttest", `--file_perm=${file}`, `--file_owner=${file}`, `--file_content=${file}`];
		const cases: [Json, string, number, number][] = [
			[{ runAsUser: 1000 }, "-rw-------", 1000, 0],
			[{ fsGroup: 10000 }, "-rw-r-----", 0, 10000],
			[{ runAsUser: 1000, fsGroup: 10000 }, "-rw-r-----", 1000, 10000],
			[{}, "-rw-r--r--", 0, 0],
		];
		for (const [index, [securityContext, mode, uid, gid]] of cases.entries()) {
			const volumes = [projected({ path: "token", expirationSeconds: 3600 })];
			const output = await space.output(podOf(`reader-${index}`, { args, ...mounted }, { securityContext, volumes }));
			expect(output).toContain(`perms of file "${file}": ${mode}`);
			expect(output).toMatch(/content of file "\/test-volume\/token": [\w-]+\.[\w-]+\.[\w-]+/);
			expect(output).toContain(`owner UID of "${file}": ${uid}`);
			expect(output).toContain(`owner GID of "${file}": ${gid}`);
		}
	}, 90_000);

	test.concurrent("a pod finds out who issues its tokens", async () => {
		await using space = await target().namespace("accounts-issuer");
		const audience = "oidc-discovery-test";
		const args = ["test-service-account-issuer-discovery", "--token-path", "/test-volume/sa", "--audience", audience];
		const volumes = [projected({ path: "sa", expirationSeconds: 600, audience })];
		await space.output(podOf("validator", { args, ...mounted }, { volumes }));
	});

	test.concurrent("a token is made on request, and known again", async () => {
		await using space = await target().namespace("accounts-request");
		await account(space, "requested");
		const answer = await target().post(`${space.core("serviceaccounts", "requested")}/token`, {
			apiVersion: "authentication.k8s.io/v1",
			kind: "TokenRequest",
			spec: { audiences: null },
		});
		expect(answer.status.token).toMatch(/^ey/);
		expect(Date.parse(answer.status.expirationTimestamp)).toBeGreaterThan(0);
		expect(await review(answer.status.token)).toMatchObject({
			authenticated: true,
			user: { username: `system:serviceaccount:${space.name}:requested` },
		});
	});

	test.concurrent("a token for another program is good for that program and not for the API", async () => {
		await using space = await target().namespace("accounts-audience");
		await account(space, "caller");
		const made = async (audiences?: string[]): Promise<string> =>
			(await target().post(`${space.core("serviceaccounts", "caller")}/token`, { spec: { audiences } })).status.token;
		const forVault = await made(["vault.example.com"]);
		const refused = await review(forVault);
		expect(refused.authenticated ?? false).toBe(false);
		expect(refused.error).toMatch(/token audiences \["vault.example.com"\] is invalid for the target audiences \[/);
		expect(await review(forVault, ["other", "vault.example.com"])).toMatchObject({
			authenticated: true,
			audiences: ["vault.example.com"],
			user: { username: `system:serviceaccount:${space.name}:caller` },
		});
		expect((await review(await made(), ["vault.example.com"])).authenticated ?? false).toBe(false);
	});

	test.concurrent("a Secret of the type for it is given a token, and goes with the account", async () => {
		await using space = await target().namespace("accounts-secret");
		await account(space, "robot");
		const path = space.core("secrets", "robot-token");
		await target().post(space.core("secrets"), {
			metadata: { name: "robot-token", annotations: { "kubernetes.io/service-account.name": "robot" } },
			type: "kubernetes.io/service-account-token",
		});
		const { data } = await space.until(path, (secret) => secret.data?.token !== undefined);
		const plain = (key: string) => Buffer.from(data[key], "base64").toString();
		const map = await target().get(space.core("configmaps", "kube-root-ca.crt"));
		expect([plain("namespace"), plain("ca.crt")]).toEqual([space.name, map.data["ca.crt"]]);
		const { authenticated, user } = await review(plain("token"));
		expect([authenticated, user.username]).toEqual([true, `system:serviceaccount:${space.name}:robot`]);
		expect(await space.kubectl("describe", "secret", "robot-token")).toContain("kubernetes.io/service-account.uid:");
		await target().delete(space.core("serviceaccounts", "robot"));
		await space.gone(path);
		expect((await review(plain("token"))).authenticated ?? false).toBe(false);
	});

	test.concurrent("a program in a pod reaches the API with its token", async () => {
		await using space = await target().namespace("accounts-client");
		const container = { args: ["inclusterclient", "--poll-interval=1"] };
		await space.run(podOf("inclusterclient", container));
		await eventually(async () => {
			const log = await space.kubectl("logs", "inclusterclient");
			expect(log).toContain("calling /healthz");
			expect(log).toContain("authz_header=");
			expect(log).not.toMatch(/status=failed/);
		});
	});
});
