/** Steps that ask the authorizer, with one that says yes to what a table names. */
import { expect, test } from "vitest";
import type { KubeObject } from "../../core/object.ts";
import { catalog } from "../../kinds/catalog.ts";
import { certificateSigningRequests } from "../../kinds/certificates/certificatesigningrequest.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import { createRegistry } from "../../kinds/engine/registry.ts";
import { notificationPolicies } from "../../kinds/notify/notificationpolicy.ts";
import { pods } from "../../kinds/pod/pod.ts";
import type { Authorizer } from "../request/authorizer.ts";
import type { AdmissionStep } from "../server/admission-step.ts";
import type { AdmissionAttributes, Server } from "../server/server.ts";
import { certificateApproval, certificateSigning } from "./certificates/certificate-signers.ts";
import { notificationRights } from "./notifications/notification-rights.ts";
import { ownerReferencesPermissionEnforcement } from "./owner-references.ts";

/** @param may `VERB GROUP/RESOURCE/SUBRESOURCE NAMESPACE/NAME` of what is allowed */
function authorizer(may: readonly string[], asked: string[]): Authorizer {
	return {
		async authorize({ verb, resource }) {
			const { group = "", plural = "", subresource = "", namespace = "", name = "" } = resource ?? {};
			const text = `${verb} ${group}/${plural}/${subresource} ${namespace}/${name}`;
			asked.push(text);
			return may.includes(text) ? { verdict: "allow", reason: "" } : { verdict: "none", reason: "no role" };
		},
		async rulesFor() {
			return { resourceRules: [], nonResourceRules: [], incomplete: false };
		},
	};
}

interface Asked {
	kind: Kind;
	object: object;
	old?: object;
	subresource?: string;
	may?: string[];
}

async function outcome(step: AdmissionStep, { kind, object, old, subresource, may = [] }: Asked) {
	const asked: string[] = [];
	const complete = (part: object) => ({ apiVersion: "v1", kind: kind.kind, ...part }) as KubeObject;
	const server = { authorizer: authorizer(may, asked), registry: createRegistry(catalog) };
	const request: AdmissionAttributes = {
		// These steps look at nothing else of it.
		server: server as unknown as Server,
		user: { name: "ann", groups: ["system:authenticated"] },
		operation: old === undefined ? "create" : "update",
		kind,
		namespace: kind.namespaced ? "shop" : undefined,
		name: "x",
		subresource,
		object: complete(object),
		old: old && complete(old),
		served: undefined,
		sent: undefined,
		dryRun: false,
		query: new URLSearchParams(),
		signal: () => new AbortController().signal,
		verb: old === undefined ? "create" : "update",
		reinvocation: undefined,
		companions: { claims: [], releases: [] },
		warnings: [],
	};
	try {
		await step.admit(request);
		return { asked };
	} catch (error) {
		return { asked, message: (error as Error).message };
	}
}

const signer = "example.com/serving";
const request = (status: object, signerName = signer) => ({ metadata: { name: "x" }, spec: { signerName }, status });
const approved = { conditions: [{ type: "Approved", status: "True" }] };
const explicit = `certificates.k8s.io/signers/ /${signer}`;
const wildcard = "certificates.k8s.io/signers/ /example.com/*";
const refusal = 'certificatesigningrequests.certificates.k8s.io "x" is forbidden: user not permitted to';

test("a request is approved by those who may approve for its signer, or for the signer's domain", async () => {
	const approve = (may: string[]) =>
		outcome(certificateApproval, {
			kind: certificateSigningRequests as unknown as Kind,
			subresource: "approval",
			old: request({}),
			object: request(approved, "other.com/signer"),
			may,
		});
	expect(await approve([`approve ${explicit}`])).toEqual({ asked: [`approve ${explicit}`] });
	expect(await approve([`approve ${wildcard}`])).toEqual({ asked: [`approve ${explicit}`, `approve ${wildcard}`] });
	expect((await approve([`sign ${explicit}`])).message).toBe(`${refusal} approve requests with signerName "${signer}"`);
});

test("a certificate, and conditions, are written by those who may sign", async () => {
	const sign = (status: object, may: string[] = []) =>
		outcome(certificateSigning, {
			kind: certificateSigningRequests as unknown as Kind,
			subresource: "status",
			old: request(approved),
			object: request(status),
			may,
		});
	expect((await sign({ ...approved, certificate: "x" }, [`sign ${wildcard}`])).message).toBeUndefined();
	expect((await sign({ ...approved, certificate: "x" })).message).toBe(
		`${refusal} sign requests with signerName "${signer}"`,
	);
	expect((await sign({})).message).toBe(`${refusal} sign requests with signerName "${signer}"`);
	expect(await sign({ ...approved })).toEqual({ asked: [] });
});

const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: "1" };
const blocking = { ...owner, blockOwnerDeletion: true };
const owned = (...ownerReferences: object[]) => ({ metadata: { name: "x", ownerReferences } });
const enforce = (asked: Omit<Asked, "kind">) =>
	outcome(ownerReferencesPermissionEnforcement, { kind: pods as unknown as Kind, ...asked });

test("owners change by those who may delete the object", async () => {
	const change = { old: owned(), object: owned(owner) };
	expect((await enforce(change)).message).toBe(
		`pods "x" is forbidden: cannot set an ownerRef on a resource you can't delete: no role, <nil>`,
	);
	expect(await enforce({ ...change, may: ["delete /pods/ shop/x"] })).toEqual({ asked: ["delete /pods/ shop/x"] });
	expect((await enforce({ old: owned(owner), object: owned() })).message).toContain("cannot set an ownerRef");
	expect(await enforce({ old: owned(owner), object: owned(owner) })).toEqual({ asked: [] });
	expect(await enforce({ object: owned(owner) })).toEqual({ asked: [] });
});

test("an owner's deletion is blocked by those who may set the owner's finalizers", async () => {
	const finalizers = "update apps/replicasets/finalizers shop/web";
	expect(await enforce({ object: owned(blocking), may: [finalizers] })).toEqual({ asked: [finalizers] });
	expect((await enforce({ object: owned(blocking) })).message).toBe(
		`pods "x" is forbidden: cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: no role, <nil>`,
	);
	const may = ["delete /pods/ shop/x"];
	expect((await enforce({ old: owned(owner), object: owned(blocking), may })).message).toContain("set finalizers on");
	expect(await enforce({ old: owned(blocking), object: owned(blocking, owner), may })).toEqual({ asked: may });
	const unknown = { apiVersion: "example.com/v1", kind: "Toy", name: "t", uid: "2", blockOwnerDeletion: true };
	expect((await enforce({ object: owned(unknown) })).message).toBe(
		`pods "x" is forbidden: cannot set blockOwnerDeletion in this case because cannot find RESTMapping for ` +
			`APIVersion example.com/v1 Kind Toy: no matches for kind "Toy" in version "example.com/v1"`,
	);
});

test("a notification policy sends logs only where its writer may read them", async () => {
	const kind = notificationPolicies as unknown as Kind;
	const policy = (logLines: number, labels = {}) => ({ metadata: { name: "x", labels }, spec: { logLines } });
	const refused = await outcome(notificationRights, { kind, object: policy(10) });
	expect(refused).toMatchObject({
		asked: ["get /pods/log shop/"],
		message: expect.stringMatching(/set spec.logLines to 0$/),
	});
	expect(
		await outcome(notificationRights, { kind, object: policy(10), may: ["get /pods/log shop/"] }),
	).not.toHaveProperty("message");
	expect(await outcome(notificationRights, { kind, object: policy(0) })).toEqual({ asked: [] });
	expect(await outcome(notificationRights, { kind, object: policy(5, { a: "b" }), old: policy(5) })).toEqual({
		asked: [],
	});
	expect(await outcome(notificationRights, { kind, object: policy(6), old: policy(5) })).toHaveProperty("message");
});

test("a notification policy uses only Secrets that its writer may read, whatever of the policy is changed", async () => {
	const kind = notificationPolicies as unknown as Kind;
	const source = (name: string) => ({ secretKeyRef: { name, key: "k" } });
	const policy = (url: string, key: string, more: object = {}) => ({
		metadata: { name: "x" },
		spec: { logLines: 0, sinks: [{ name: "s", webhook: { urlFrom: source(url), keyFrom: source(key) } }], ...more },
	});
	const get = (name: string) => `get /secrets/ shop/${name}`;
	const may = [get("own")];
	expect(await outcome(notificationRights, { kind, object: policy("own", "own"), may })).toEqual({ asked: may });
	const oracle = await outcome(notificationRights, { kind, object: policy("own", "db"), may });
	expect(oracle).toMatchObject({
		asked: [get("own"), get("db")],
		message: expect.stringMatching(/user not permitted to get secret "db" in namespace "shop", which the policy uses$/),
	});
	// Of one that somebody else wrote, too: its key would sign for another URL, or another text.
	const old = policy("team", "db");
	expect(await outcome(notificationRights, { kind, old, object: policy("own", "db"), may })).toHaveProperty("message");
	const text = policy("team", "db", { template: { title: "mine" } });
	expect(await outcome(notificationRights, { kind, old, object: text, may })).toHaveProperty("message");
	expect(
		await outcome(notificationRights, { kind, old, object: { ...old, metadata: { name: "x", labels: {} } } }),
	).toEqual({ asked: [] });
	const others = {
		metadata: { name: "x" },
		spec: {
			logLines: 0,
			sinks: [
				{ name: "a", slack: { urlFrom: source("slack") } },
				{ name: "b", googleChat: { urlFrom: source("chat") } },
				{ name: "c", teams: { urlFrom: source("teams") } },
				{ name: "d", email: { serverFrom: source("smtp") } },
				{ name: "e", webhook: {} },
			],
		},
	};
	const all = ["slack", "chat", "teams", "smtp"].map(get);
	expect(await outcome(notificationRights, { kind, object: others, may: all })).toEqual({ asked: all });
});
