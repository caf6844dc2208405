/** Kubeconfigs of other users than the administrator, for trying roles out. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Client } from "../../client/client.ts";
import { waitFor } from "../../client/wait.ts";
import { timestamp } from "../../core/time/clock.ts";
import { certificateSigningRequests } from "../../kinds/certificates/certificatesigningrequest.ts";
import type { CertificateSigningRequest } from "../../kinds/generated/types.ts";
import type { Layout } from "../files/layout.ts";
import type { KeyPair } from "./key-pair.ts";
import { makeRequest } from "./make-certificates.ts";

const signerName = "kubernetes.io/kube-apiserver-client";
const signLimitMs = 30_000;

/** Path of a user's kubeconfig, next to the administrator's. */
export function userKubeconfigFile(layout: Layout, user: string): string {
	return join(layout.data, `kubeconfig-${encodeURIComponent(user)}`);
}

/**
 * A certificate for the user, requested, approved and signed through the API (Kubernetes documentation, "Certificate
 * Signing Requests"). The request is deleted afterwards.
 * @param client may create, approve and delete requests
 * @throws ApiError if it is rejected, for example for the group system:masters; Error if the request is not signed
 */
export async function certificateFor(
	client: Client,
	user: { name: string; groups: readonly string[] },
	nowMs: number,
): Promise<KeyPair> {
	const { key, request } = makeRequest({ organizations: user.groups, commonName: user.name });
	const ref = { name: `kubeconfig-${randomBytes(6).toString("hex")}` };
	await client.create(certificateSigningRequests, {
		metadata: ref,
		spec: { request: Buffer.from(request).toString("base64"), signerName, usages: ["client auth"] },
	});
	try {
		const now = timestamp(nowMs);
		const condition = { type: "Approved", status: "True", reason: "CoxKubeconfig", message: "cox kubeconfig --user" };
		const times = { lastUpdateTime: now, lastTransitionTime: now };
		const patch = { status: { conditions: [{ ...condition, ...times }] } };
		await client.patch(certificateSigningRequests, ref, { type: "merge", patch }, "approval");
		const signal = AbortSignal.timeout(signLimitMs);
		const signed = await waitFor(client, certificateSigningRequests, ref, isDecided, { signal });
		const { certificate, conditions = [] } = signed?.status ?? {};
		if (certificate === undefined)
			throw new Error(
				`the certificate was not signed: ${conditions.find(isFailure)?.message ?? "the request is gone"}`,
			);
		return { key, cert: Buffer.from(certificate, "base64").toString() };
	} finally {
		await client.delete(certificateSigningRequests, ref).catch(() => {});
	}
}

function isDecided(request: CertificateSigningRequest | undefined): boolean {
	return (
		request === undefined ||
		request.status?.certificate !== undefined ||
		request.status?.conditions?.some(isFailure) === true
	);
}

function isFailure({ type }: { type: string }): boolean {
	return type === "Failed" || type === "Denied";
}
