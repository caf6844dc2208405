import { X509Certificate } from "node:crypto";
import { conditionOf } from "../../core/conditions.ts";
import { messageOf } from "../../core/errors.ts";
import { parseTimestamp, timestamp } from "../../core/time/clock.ts";
import { parseCertificateRequest } from "../../kinds/certificates/certificate-request.ts";
import { certificateSigningRequests } from "../../kinds/certificates/certificatesigningrequest.ts";
import type { CertificateSigningRequest } from "../../kinds/generated/types.ts";
import { remove, updateStatus } from "../runtime/actions.ts";
import { type Controller, watchRule } from "../runtime/controller.ts";
import { type SignCertificate, signers, validity } from "./signing.ts";

const hourMs = 3_600_000;

/** Signs approved requests for the cluster's own signers. */
export function certificateSigningController(sign: SignCertificate): Controller<CertificateSigningRequest> {
	return {
		name: "certificatesigningrequest-signing",
		component: "certificate-controller",
		watches: [
			watchRule(certificateSigningRequests, (current) =>
				current !== undefined && isToBeSigned(current) ? [current.metadata.name] : [],
			),
		],
		gather: (key, informers) => informers.of(certificateSigningRequests).get(undefined, key),
		plan(request, { nowMs }) {
			const check = signers.get(request.spec.signerName);
			if (check === undefined || !isToBeSigned(request)) return { actions: [] };
			const { spec, status } = request;
			const usages = spec.usages ?? [];
			let problem: string | undefined;
			try {
				const parsed = parseCertificateRequest(Buffer.from(spec.request, "base64").toString());
				problem = check(parsed, usages);
				if (problem === undefined) {
					const certificate = Buffer.from(sign(parsed, { usages, ...validity(spec, nowMs) })).toString("base64");
					const signed = { ...request, status: { ...status, certificate } };
					return { actions: [updateStatus(certificateSigningRequests, signed)] };
				}
			} catch (error) {
				// A request that cannot be signed now never can: for example, one that an older version accepted.
				problem = messageOf(error);
			}
			const time = timestamp(nowMs);
			const failed = {
				type: "Failed",
				status: "True",
				reason: "SignerValidationFailure",
				message: problem,
				lastUpdateTime: time,
				lastTransitionTime: time,
			};
			const conditions = [...(status?.conditions ?? []), failed];
			return { actions: [updateStatus(certificateSigningRequests, { ...request, status: { ...status, conditions } })] };
		},
	};
}

function isToBeSigned(request: CertificateSigningRequest): boolean {
	const { metadata, spec, status } = request;
	if (!signers.has(spec.signerName) || metadata.deletionTimestamp !== undefined) return false;
	if ((status?.certificate ?? "") !== "") return false;
	return timeOf(request, "Approved") !== undefined && timeOf(request, "Failed") === undefined;
}

/**
 * Deletes requests one hour after they were approved or denied, after a day without either, and when the certificate
 * has expired.
 */
export const certificateCleanerController: Controller<CertificateSigningRequest> = {
	name: "certificatesigningrequest-cleaner",
	component: "certificate-controller",
	watches: [watchRule(certificateSigningRequests, (current) => (current === undefined ? [] : [current.metadata.name]))],
	gather: (key, informers) => informers.of(certificateSigningRequests).get(undefined, key),
	plan(request, { nowMs }) {
		if (request.metadata.deletionTimestamp !== undefined) return { actions: [] };
		const atMs = Math.min(...endsOf(request));
		if (atMs === Number.POSITIVE_INFINITY) return { actions: [] };
		if (atMs > nowMs) return { actions: [], requeueAtMs: atMs };
		return { actions: [remove(certificateSigningRequests, request)] };
	},
};

/** Epoch milliseconds; an approved request without a certificate (yet) has none. */
function* endsOf(request: CertificateSigningRequest): Generator<number> {
	const { metadata, status } = request;
	const isIssued = (status?.certificate ?? "") !== "";
	for (const { type, lastUpdateTime } of status?.conditions ?? []) {
		const isAnswer = type === "Denied" || type === "Failed" || (type === "Approved" && isIssued);
		if (isAnswer && lastUpdateTime !== undefined) yield parseTimestamp(lastUpdateTime) + hourMs;
	}
	if ((status?.conditions ?? []).length === 0) yield parseTimestamp(metadata.creationTimestamp) + 24 * hourMs;
	if (isIssued) yield endOfCertificate(status?.certificate ?? "");
	yield Number.POSITIVE_INFINITY;
}

function endOfCertificate(base64: string): number {
	try {
		return Date.parse(new X509Certificate(Buffer.from(base64, "base64")).validTo);
	} catch {
		// Other signers may write anything there.
		return Number.POSITIVE_INFINITY;
	}
}

function timeOf(request: CertificateSigningRequest, type: string): string | undefined {
	const condition = conditionOf(request, type);
	return condition === undefined ? undefined : (condition.lastUpdateTime ?? "");
}
