import { expect, test } from "vitest";
import { seededRandom, timestamp } from "../../core/time/clock.ts";
import { testRequest } from "../../kinds/certificates/testing/certificate-requests.ts";
import type { CertificateSigningRequest } from "../../kinds/generated/types.ts";
import { certificateCleanerController, certificateSigningController } from "./controller.ts";

const nowMs = Date.UTC(2026, 0, 1);
const hourMs = 3_600_000;
const context = { nowMs, random: seededRandom(1), waitedMs: 0 };

interface Asked {
	subject?: string;
	names?: Parameters<typeof testRequest>[1];
	signerName?: string;
	usages?: string[];
	expirationSeconds?: number;
	/** Type of a condition → how long ago it was set. */
	conditions?: Record<string, number>;
	certificate?: string;
	ageMs?: number;
}

async function request(asked: Asked): Promise<CertificateSigningRequest> {
	const { pem } = await testRequest(asked.subject ?? "CN=ann", asked.names);
	const conditions = Object.entries(asked.conditions ?? {}).map(([type, agoMs]) => ({
		type,
		status: "True",
		lastUpdateTime: timestamp(nowMs - agoMs),
	}));
	return {
		apiVersion: "certificates.k8s.io/v1",
		kind: "CertificateSigningRequest",
		metadata: {
			name: "ann",
			uid: "u1",
			resourceVersion: "1",
			creationTimestamp: timestamp(nowMs - (asked.ageMs ?? 0)),
		},
		spec: {
			request: Buffer.from(pem).toString("base64"),
			signerName: `kubernetes.io/${asked.signerName ?? "kube-apiserver-client"}`,
			usages: asked.usages ?? ["client auth"],
			...(asked.expirationSeconds === undefined ? {} : { expirationSeconds: asked.expirationSeconds }),
		},
		status: { conditions, ...(asked.certificate === undefined ? {} : { certificate: asked.certificate }) },
	};
}

/** The status that the signing controller writes; the certificate is represented by what was signed. */
async function signing(asked: Asked): Promise<unknown> {
	const controller = certificateSigningController(({ commonName }, { usages, notBeforeMs, notAfterMs }) =>
		JSON.stringify([commonName, usages, (notBeforeMs - nowMs) / 60_000, (notAfterMs - nowMs) / 60_000]),
	);
	const { actions } = controller.plan(await request({ conditions: { Approved: 0 }, ...asked }), context);
	const [action] = actions;
	if (action?.do !== "updateStatus") return undefined;
	const { status } = action.object as CertificateSigningRequest;
	if (status?.certificate !== undefined) return JSON.parse(Buffer.from(status.certificate, "base64").toString());
	const { type, reason, message } = status?.conditions?.at(-1) ?? {};
	return `${type} ${reason}: ${message}`;
}

test("an approved request is signed, for as long as it asks within what the cluster gives", async () => {
	const year = 365 * 24 * 60;
	expect(await signing({})).toEqual(["ann", ["client auth"], -5, year - 5]);
	expect(await signing({ expirationSeconds: 600 })).toEqual(["ann", ["client auth"], -5, 10]);
	expect(await signing({ expirationSeconds: 86_400 })).toEqual(["ann", ["client auth"], -5, 1435]);
	expect(await signing({ expirationSeconds: 2 * year * 60 })).toEqual(["ann", ["client auth"], -5, year - 5]);
});

test("what is not approved, is done, or is for another signer is left alone", async () => {
	expect(await signing({ conditions: {} })).toBeUndefined();
	expect(await signing({ conditions: { Denied: 0 } })).toBeUndefined();
	expect(await signing({ conditions: { Approved: 0, Failed: 0 } })).toBeUndefined();
	expect(await signing({ certificate: "eA==" })).toBeUndefined();
	expect(await signing({ signerName: "legacy-unknown" })).toBeUndefined();
});

test("a request that its signer may not sign fails, and says why", async () => {
	const failed = "Failed SignerValidationFailure: ";
	expect(await signing({ usages: ["server auth"] })).toBe(`${failed}invalid usage for client certificate: server auth`);
	expect(await signing({ usages: ["digital signature"] })).toBe(
		`${failed}missing required usage for client certificate: client auth`,
	);
	const kubelet = {
		signerName: "kube-apiserver-client-kubelet",
		subject: "CN=system:node:n1, O=system:nodes",
		usages: ["key encipherment", "digital signature", "client auth"],
	};
	expect(await signing(kubelet)).toEqual(["system:node:n1", kubelet.usages, expect.anything(), expect.anything()]);
	expect(await signing({ ...kubelet, subject: "CN=system:node:n1" })).toBe(
		`${failed}subject organization is not system:nodes`,
	);
	expect(await signing({ ...kubelet, subject: "CN=n1, O=system:nodes" })).toBe(
		`${failed}subject common name does not begin with system:node: `,
	);
	expect(await signing({ ...kubelet, names: [{ type: "dns", value: "n1" }] })).toBe(
		`${failed}DNS subjectAltNames are not allowed`,
	);
	expect(await signing({ ...kubelet, usages: ["client auth"] })).toContain("usages did not match");
	const serving = { ...kubelet, signerName: "kubelet-serving", usages: ["digital signature", "server auth"] };
	expect(await signing(serving)).toBe(`${failed}at least one DNS or IP subjectAltName is required`);
	const names = [{ type: "ip", value: "10.0.0.1" } as const];
	expect(await signing({ ...serving, names })).toEqual(["system:node:n1", serving.usages, -5, expect.anything()]);
});

/** "gone", or the number of hours after which the cleaner checks again. */
async function cleaning(asked: Asked): Promise<unknown> {
	const { actions, requeueAtMs } = certificateCleanerController.plan(await request(asked), context);
	if (actions.length > 0) return actions[0]?.do === "delete" ? "gone" : actions;
	return requeueAtMs === undefined ? "stays" : (requeueAtMs - nowMs) / hourMs;
}

test("requests go an hour after their answer, and a day after nobody answered", async () => {
	const certificate = "eA==";
	expect(await cleaning({ ageMs: hourMs })).toBe(23);
	expect(await cleaning({ ageMs: 24 * hourMs })).toBe("gone");
	expect(await cleaning({ ageMs: 48 * hourMs, conditions: { Approved: 48 * hourMs } })).toBe("stays");
	expect(await cleaning({ conditions: { Approved: 0 }, certificate })).toBe(1);
	expect(await cleaning({ conditions: { Approved: hourMs }, certificate })).toBe("gone");
	expect(await cleaning({ conditions: { Denied: hourMs / 2 } })).toBe(0.5);
	expect(await cleaning({ conditions: { Denied: hourMs } })).toBe("gone");
	expect(await cleaning({ conditions: { Approved: 2 * hourMs, Failed: hourMs } })).toBe("gone");
});
