/**
 * Role-based access control: what roles allow and what they do not, asked as those who hold them, and kubectl's
 * commands about it.
 */
import { expect, test } from "vitest";
import { kubectls, run, succeeded } from "../e2e/cluster.ts";
import { conformance, type Json, merge, type Target } from "./harness.ts";
import { images, podOf } from "./objects.ts";
import { type Attempt, attemptsOf, isAllowed } from "./role-attempts.ts";

const rbac = "/apis/rbac.authorization.k8s.io/v1";
const rbacGroup = "rbac.authorization.k8s.io";

conformance("roles", "shared", (target) => {
	test("holders of a role can do what it says and nothing else, whatever the role", { timeout: 300_000 }, async () => {
		await using inside = await target().namespace("roles-inside");
		await using outside = await target().namespace("roles-outside");
		const resources = await servedResources(target());
		const custom = await customRoles(target());
		const { items } = await target().get(`${rbac}/clusterroles`);
		const everyone = ["system:basic-user", "system:discovery", "system:public-info-viewer"];
		const basic = items
			.filter((role: Json) => everyone.includes(role.metadata.name))
			.flatMap((role: Json) => role.rules);
		const outcome = { allowed: 0, refused: 0, wrong: [] as string[] };
		const roles = items.filter(
			({ metadata: { name, labels = {} } }: Json) =>
				labels["kubernetes.io/bootstrapping"] === "rbac-defaults" || custom.includes(name),
		);
		for (const role of roles) {
			const { name } = role.metadata;
			const user = `holder-of-${name}`;
			const isLocal = ["view", "edit", "admin"].includes(name);
			const path = isLocal ? `${rbac}/namespaces/${inside.name}/rolebindings` : `${rbac}/clusterrolebindings`;
			const binding = `test:${inside.name}:${name}`;
			await target().post(path, {
				metadata: { name: binding },
				roleRef: { apiGroup: rbacGroup, kind: "ClusterRole", name },
				subjects: [{ kind: "User", apiGroup: rbacGroup, name: user }],
			});
			const rules = role.rules ?? [];
			const attempts = attemptsOf(rules, [inside.name, outside.name]);
			// All of small roles, and some of each rule of large ones.
			const step = Math.max(1, Math.ceil(attempts.length / 40));
			await Promise.all(
				attempts
					.filter((_, index) => index % step === 0)
					.map(async (attempt) => {
						const holds = !isLocal || isIn(resources, attempt, inside.name);
						const expected = isAllowed([...basic, ...(holds ? rules : [])], attempt);
						const allowed = await may(target(), resources, user, attempt);
						outcome[allowed ? "allowed" : "refused"]++;
						if (allowed !== expected) outcome.wrong.push(`${name}: ${JSON.stringify(attempt)} allowed: ${allowed}`);
					}),
			);
			await target().delete(`${path}/${binding}`);
		}
		for (const name of custom) await target().delete(`${rbac}/clusterroles/${name}`);
		expect(outcome.wrong).toEqual([]);
		expect(outcome.allowed).toBeGreaterThan(200);
		expect(outcome.refused).toBeGreaterThan(200);
	});

	test("kubectl says what one may, and lists it", async () => {
		await using space = await target().namespace("roles-can-i");
		await space.kubectl("create", "rolebinding", "bea", "--clusterrole=edit", "--user=bea");
		await space.kubectl("create", "rolebinding", "bot", "--clusterrole=view", `--serviceaccount=${space.name}:default`);
		for (const kubectl of kubectls) {
			const canI = async (...args: string[]) => {
				const env = { KUBECONFIG: target().kubeconfig };
				const { stdout } = await run(kubectl.path, ["--namespace", space.name, "auth", "can-i", ...args], { env });
				return stdout.trim();
			};
			expect(await canI("delete", "nodes")).toBe("yes");
			expect(await canI("create", "deployments.apps", "--as=bea")).toBe("yes");
			expect(await canI("create", "roles.rbac.authorization.k8s.io", "--as=bea")).toBe("no");
			expect(await canI("get", "pods", "--subresource=log", "--as=bea")).toBe("yes");
			expect(await canI("get", "pods", "--subresource=binding", "--as=bea")).toBe("no");
			expect(await canI("get", "/version", "--as=bea")).toBe("yes");
			expect(await canI("get", "/metrics", "--as=bea")).toBe("no");
			const bot = `--as=system:serviceaccount:${space.name}:default`;
			expect(await canI("list", "pods", bot)).toBe("yes");
			expect(await canI("get", "secrets", bot)).toBe("no");
			expect(await canI("list", "pods", bot, "--all-namespaces")).toBe("no");
			const listed = await canI("--list", bot);
			expect(listed).toMatch(/^pods\/log +\[\] +\[\] +\[get list watch\]$/m);
			expect(listed).toMatch(/\[\/healthz\] +\[\] +\[get\]/);
			expect(listed).not.toMatch(/^secrets /m);
		}
	});

	test("kubectl says who one is", async () => {
		expect(
			await target().kubectl("auth", "whoami", "--as=ann", "--as-group=dev", "--as-group=,,,x", "-o=yaml"),
		).toContain(
			[
				"  userInfo:",
				"    groups:",
				"    - dev",
				"    - ',,,x'",
				"    - system:authenticated",
				"    username: ann",
			].join("\n"),
		);
	});

	test("kubectl reconciles roles and bindings", async () => {
		await using space = await target().namespace("roles-reconcile");
		const apiVersion = `${rbacGroup}/v1`;
		const manifest = (verb: string, user: string) =>
			JSON.stringify({
				apiVersion: "v1",
				kind: "List",
				items: [
					{
						apiVersion,
						kind: "Role",
						metadata: { name: "r", namespace: space.name },
						rules: [{ apiGroups: [""], resources: ["pods"], verbs: [verb] }],
					},
					{
						apiVersion,
						kind: "RoleBinding",
						metadata: { name: "b", namespace: space.name },
						roleRef: { apiGroup: rbacGroup, kind: "Role", name: "r" },
						subjects: [{ kind: "User", apiGroup: rbacGroup, name: user }],
					},
				],
			});
		for (const [index, kubectl] of kubectls.entries()) {
			const reconcile = async (text: string) => {
				const args = ["--namespace", space.name, "auth", "reconcile", "-f", "-"];
				const options = { env: { KUBECONFIG: target().kubeconfig }, input: text };
				return succeeded(kubectl.name, await run(kubectl.path, args, options));
			};
			await reconcile(manifest("get", `first-${index}`));
			await reconcile(manifest("list", `second-${index}`));
		}
		const role = await target().get(space.group(`${rbacGroup}/v1`, "roles", "r"));
		expect(role.rules.flatMap(({ verbs }: Json) => verbs).sort()).toEqual(["get", "list"]);
		const binding = await target().get(space.group(`${rbacGroup}/v1`, "rolebindings", "b"));
		expect(binding.subjects).toHaveLength(2 * kubectls.length);
	});

	test("a refusal says in full what was refused, and exec takes the right to create whatever the protocol", async () => {
		await using space = await target().namespace("roles-refused");
		const as = async (...args: string[]) => {
			const { code, stderr } = await target().tryKubectl(["--namespace", space.name, "--as=ann", ...args]);
			return code === 0 ? "ok" : stderr;
		};
		expect(await as("get", "pods")).toBe(
			`Error from server (Forbidden): pods is forbidden: User "ann" cannot list resource "pods" in API group "" in the namespace "${space.name}"\n`,
		);
		await space.run(podOf("a", { image: images.busybox, command: ["sleep", "100000"] }));
		await space.kubectl("create", "role", "reader", "--verb=get,list", "--resource=pods,pods/exec,pods/log");
		await space.kubectl("create", "rolebinding", "reader", "--role=reader", "--user=ann");
		expect(await as("get", "pods")).toBe("ok");
		expect(await as("logs", "a")).toBe("ok");
		expect(await as("exec", "a", "--", "true")).toContain(
			`pods "a" is forbidden: User "ann" cannot create resource "pods/exec" in API group "" in the namespace "${space.name}"`,
		);
		await space.kubectl("create", "role", "exec", "--verb=create", "--resource=pods/exec");
		await space.kubectl("create", "rolebinding", "exec", "--role=exec", "--user=ann");
		expect(await as("exec", "a", "--", "true")).toBe("ok");
		await space.kubectl("delete", "rolebinding", "reader", "exec");
		expect(await as("get", "pods")).toContain("Forbidden");
	});

	test("reviews say what requests then get, and who one is to the server", async () => {
		await using space = await target().namespace("roles-reviews");
		const { metadata } = await target().post(space.core("serviceaccounts"), { metadata: { name: "e2e" } });
		const user = `system:serviceaccount:${space.name}:e2e`;
		const groups = ["system:authenticated", "system:serviceaccounts", `system:serviceaccounts:${space.name}`];
		const resourceAttributes = { verb: "list", resource: "configmaps", namespace: space.name, version: "v1" };
		const spec = { user, groups, uid: metadata.uid, resourceAttributes };
		const reviews = "/apis/authorization.k8s.io/v1";
		// Node's client sends a line for each of a list's values.
		const headers: Json = { "Impersonate-User": user, "Impersonate-Uid": metadata.uid, "Impersonate-Group": groups };
		const agree = async (expected: boolean) => {
			const place = `${reviews}/namespaces/${space.name}/localsubjectaccessreviews`;
			const body = { metadata: { namespace: space.name }, spec };
			for (const review of [
				await target().post(`${reviews}/subjectaccessreviews`, { spec }),
				await target().post(place, body),
			])
				expect(review.status.allowed).toBe(expected);
			const { status } = await target().send("GET", space.core("configmaps"), undefined, headers);
			expect(status).toBe(expected ? 200 : 403);
		};
		await agree(false);
		await space.kubectl("create", "rolebinding", "view", "--clusterrole=view", `--serviceaccount=${space.name}:e2e`);
		await agree(true);
		const { body } = await target().send("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, {
			"Impersonate-User": "jane-doe",
			"Impersonate-Uid": "uniq-id",
			"Impersonate-Group": ["system:authenticated", "developers"],
			"Impersonate-Extra-known-languages": ["python", "javascript"],
		} as Json);
		expect(body.status.userInfo).toEqual({
			username: "jane-doe",
			uid: "uniq-id",
			groups: ["system:authenticated", "developers"],
			extra: { "known-languages": ["python", "javascript"] },
		});
	});

	test("aggregated roles follow what bears their label", async () => {
		const name = "test:aggregate-widgets";
		const rule = { apiGroups: ["example.com"], resources: ["widgets"], verbs: ["get"] };
		const labels = { "rbac.authorization.k8s.io/aggregate-to-view": "true" };
		await target().post(`${rbac}/clusterroles`, { metadata: { name, labels }, rules: [rule] });
		await using space = await target().namespace("roles-aggregate");
		for (const role of ["view", "edit", "admin"])
			await space.until(`${rbac}/clusterroles/${role}`, ({ rules }) =>
				rules.some(({ resources }: Json) => resources?.includes("widgets")),
			);
		await target().patch(`${rbac}/clusterroles/view`, merge, { rules: [] });
		await space.until(`${rbac}/clusterroles/view`, ({ rules }) => (rules ?? []).length > 5);
		await target().delete(`${rbac}/clusterroles/${name}`);
		for (const role of ["view", "edit", "admin"])
			await space.until(
				`${rbac}/clusterroles/${role}`,
				({ rules }) => !rules.some(({ resources }: Json) => resources?.includes("widgets")),
			);
	});
});

/** Roles for what the usual ones do not have: names, subresources of everything, wildcards. */
async function customRoles(target: Target): Promise<string[]> {
	const roles: Record<string, Json[]> = {
		"test:names": [
			{ apiGroups: [""], resources: ["configmaps"], resourceNames: ["one"], verbs: ["get", "update", "list"] },
		],
		"test:scales": [{ apiGroups: ["apps"], resources: ["*/scale"], verbs: ["get", "update", "patch"] }],
		"test:group": [{ apiGroups: ["apps"], resources: ["*"], verbs: ["*"] }],
		"test:paths": [{ nonResourceURLs: ["/logs", "/debug/*"], verbs: ["get"] }],
		"test:mixed": [
			{ apiGroups: ["", "apps"], resources: ["pods", "replicasets"], verbs: ["delete"] },
			{ apiGroups: [rbacGroup], resources: ["clusterroles"], resourceNames: ["view"], verbs: ["bind", "escalate"] },
		],
	};
	for (const [name, rules] of Object.entries(roles))
		await target.post(`${rbac}/clusterroles`, { metadata: { name }, rules });
	return Object.keys(roles);
}

type Resources = Map<string, { version: string; isNamespaced: boolean }>;

/** What is served, by `group/resource/subresource`. */
async function servedResources(target: Target): Promise<Resources> {
	const resources: Resources = new Map();
	const { groups } = await target.get("/apis");
	const versions = ["v1", ...groups.map((group: Json) => group.preferredVersion.groupVersion)];
	for (const version of versions) {
		const list = await target.get(version === "v1" ? "/api/v1" : `/apis/${version}`);
		const group = version === "v1" ? "" : version.split("/")[0];
		for (const { name, namespaced } of list.resources)
			resources.set(`${group}/${name}`, { version, isNamespaced: namespaced });
	}
	return resources;
}

/** Whether a binding in the namespace speaks of what is attempted. */
function isIn(resources: Resources, { group, resource, namespace, path }: Attempt, inside: string): boolean {
	if (path !== undefined) return false;
	const served = resources.get(`${group}/${resource}`);
	return namespace === inside && (served === undefined || served.isNamespaced);
}

/** By the request itself where there is one, else by a review. Nothing is changed. */
async function may(target: Target, resources: Resources, user: string, attempt: Attempt): Promise<boolean> {
	const headers = { "Impersonate-User": user, Accept: "application/json" };
	if (attempt.path !== undefined) {
		const { status } = await target.send(attempt.verb.toUpperCase(), attempt.path, undefined, headers);
		return status !== 403;
	}
	const served = resources.get(`${attempt.group}/${attempt.resource}`);
	const method = methods[attempt.verb];
	const [plural = "", subresource] = attempt.resource.split("/");
	const isOfMany = ["list", "watch", "deletecollection"].includes(attempt.verb);
	if (served === undefined || method === undefined || (isOfMany && subresource !== undefined)) {
		const withoutName = isOfMany || (attempt.verb === "create" && subresource === undefined);
		const { group, verb, namespace } = attempt;
		const place = served?.isNamespaced === false ? "" : namespace;
		const name = withoutName ? "" : attempt.name;
		const resourceAttributes = { group, verb, resource: plural, subresource, namespace: place, name };
		const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
		const { body } = await target.send("POST", path, { spec: { resourceAttributes } }, headers);
		return body.status.allowed;
	}
	const root = served.version === "v1" ? "/api/v1" : `/apis/${served.version}`;
	const place = served.isNamespaced ? `/namespaces/${attempt.namespace}` : "";
	const isNamed = !isOfMany && (attempt.verb !== "create" || subresource !== undefined);
	const name = isNamed ? `/${encodeURIComponent(attempt.name)}` : "";
	const rest = subresource === undefined ? "" : `/${subresource}`;
	const query = attempt.verb === "watch" ? "?watch=1&resourceVersion=none" : `?dryRun=All&labelSelector=no%3Dsuch`;
	const isWrite = method !== "GET" && method !== "DELETE";
	const type = { "Content-Type": attempt.verb === "patch" ? merge : "application/json" };
	const path = `${root}${place}/${plural}${name}${rest}${query}`;
	const { status, body } = await target.send(method, path, isWrite ? {} : undefined, { ...headers, ...type });
	// Admission refuses with the same status, in other words.
	return !(status === 403 && String(body.message).includes(` cannot ${attempt.verb} `));
}

const methods: Readonly<Record<string, string>> = {
	get: "GET",
	list: "GET",
	watch: "GET",
	create: "POST",
	update: "PUT",
	patch: "PATCH",
	delete: "DELETE",
	deletecollection: "DELETE",
};
