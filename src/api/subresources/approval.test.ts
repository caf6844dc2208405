import { expect, test } from "vitest";
import { testRequest } from "../../kinds/certificates/testing/certificate-requests.ts";
import { type Json, type TestApi, testApi } from "../testing/test-api.ts";

const path = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
const ann = { name: "ann", uid: "7", groups: ["dev", "system:authenticated"], extra: { "example.com/x": ["1", "2"] } };

async function withRequest(spec: object = {}, subject = "CN=ann"): Promise<{ api: TestApi; created: Json }> {
	const api = await testApi();
	const { pem } = await testRequest(subject);
	const created = await api.ask(
		"POST",
		path,
		{
			metadata: { name: "r" },
			spec: {
				request: Buffer.from(pem).toString("base64"),
				signerName: "example.com/signer",
				usages: ["client auth"],
				username: "eve",
				groups: ["system:masters"],
				...spec,
			},
			status: { conditions: [{ type: "Approved", status: "True" }] },
		},
		{ user: ann },
	);
	return { api, created: created.object };
}

const approved = { type: "Approved", status: "True", reason: "Fine" };
const put = async (api: TestApi, subresource: string, status: object) =>
	(await api.ask("PATCH", `${path}/r${subresource}`, { status }, { type: "application/merge-patch+json" })).object;

test("a request has the user who sent it, whatever its spec says, and starts without conditions", async () => {
	const { api, created } = await withRequest();
	expect(created.spec).toMatchObject({ username: "ann", uid: "7", groups: ann.groups, extra: ann.extra });
	expect(created.status).toEqual({});
	const changed = await api.ask("PUT", `${path}/r`, {
		metadata: { name: "r", labels: { a: "b" } },
		spec: { request: "eA==", signerName: "other.com/signer" },
	});
	expect([changed.object.metadata.labels, changed.object.spec]).toEqual([{ a: "b" }, created.spec]);
});

test("errors of a request are reported", async () => {
	const causes = async (spec: object) => {
		const { created } = await withRequest(spec);
		return created.details.causes.map(({ field, message }: Json) => `${field}: ${message}`);
	};
	expect(await causes({ request: "eA==", usages: [] })).toEqual([
		'spec.request: Invalid value: "eA==": PEM block type must be CERTIFICATE REQUEST',
		"spec.usages: Required value: usages must be provided",
	]);
	expect(await causes({ usages: ["any", "any", "mischief"], expirationSeconds: 599 })).toEqual([
		'spec.usages[1]: Duplicate value: "any"',
		expect.stringContaining('spec.usages[2]: Unsupported value: "mischief": supported values: "any", "cert sign"'),
		"spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)",
	]);
	const signer = async (signerName: string) => (await causes({ signerName })).join();
	expect(await signer("")).toBe("spec.signerName: Required value: signerName must be provided");
	expect(await signer("example.com")).toContain("must be a fully qualified domain and path");
	expect(await signer("example/x")).toContain("should be a domain with at least two segments separated by dots");
	expect(await signer("Example.com/x")).toContain('validating label "Example"');
	expect(await signer("kubernetes.io/legacy-unknown")).toContain("the legacy signerName is not allowed");
});

test("nobody can request a certificate of an administrator", async () => {
	const { created } = await withRequest(
		{ signerName: "kubernetes.io/kube-apiserver-client" },
		"CN=eve, O=system:masters",
	);
	expect(created).toMatchObject({
		code: 403,
		message:
			'certificatesigningrequests.certificates.k8s.io "r" is forbidden: use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
	});
});

test("approval sets an answer with its time, once, and no certificate", async () => {
	const { api } = await withRequest();
	const answered = await put(api, "/approval", { certificate: "eA==", conditions: [approved] });
	expect(answered.status).toEqual({
		conditions: [{ ...approved, lastUpdateTime: expect.any(String), lastTransitionTime: expect.any(String) }],
	});
	const both = await put(api, "/approval", { conditions: [approved, { type: "Denied", status: "True" }] });
	expect(both.message).toContain("Approved and Denied conditions are mutually exclusive");
	expect((await put(api, "/approval", { conditions: [] })).message).toContain(
		'updates may not remove a condition of type "Approved"',
	);
	expect((await put(api, "/approval", { conditions: [{ ...approved, status: "False" }] })).message).toContain(
		'status.conditions[0].status: Unsupported value: "False": supported values: "True"',
	);
	expect((await api.ask("GET", `${path}/r/approval`)).object.status).toEqual(answered.status);
});

test("status takes a certificate, once, and no answer", async () => {
	const { api } = await withRequest();
	expect((await put(api, "/status", { conditions: [approved] })).message).toContain(
		'updates may not add a condition of type "Approved"',
	);
	const base64 = (text: string) => Buffer.from(text).toString("base64");
	expect((await put(api, "/status", { certificate: base64("x") })).message).toContain(
		"must contain at least one CERTIFICATE PEM block",
	);
	const empty = base64("-----BEGIN CERTIFICATE REQUEST-----\neA==\n-----END CERTIFICATE REQUEST-----\n");
	expect((await put(api, "/status", { certificate: empty })).message).toContain("only CERTIFICATE PEM blocks");
	const failed = await put(api, "/status", { conditions: [{ type: "Failed", status: "True" }] });
	expect(failed.status.conditions).toHaveLength(1);
});

test("discovery and tables know requests", async () => {
	const { api } = await withRequest({ expirationSeconds: 3600 });
	const { object } = await api.ask("GET", "/apis/certificates.k8s.io/v1");
	expect(object.resources.map(({ name, verbs }: Json) => [name, verbs.length])).toEqual([
		["certificatesigningrequests", 8],
		["certificatesigningrequests/approval", 3],
		["certificatesigningrequests/status", 3],
	]);
	await put(api, "/approval", { conditions: [approved] });
	const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
	const table = await api.ask("GET", `${path}?fieldSelector=spec.signerName%3Dexample.com%2Fsigner`, undefined, {
		headers: { accept },
	});
	expect(table.object.rows.map(({ cells }: Json) => cells)).toEqual([
		["r", expect.any(String), "example.com/signer", "ann", "60m", "Approved"],
	]);
});
