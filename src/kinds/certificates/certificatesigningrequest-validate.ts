/** Validates a CertificateSigningRequest. */

import { X509Certificate } from "node:crypto";
import { semanticEqual } from "../../core/equal.ts";
import type { Cause } from "../../core/errors.ts";
import { messageOf } from "../../core/errors.ts";
import { duplicate, forbidden, invalidValue, notSupported, required } from "../../core/validation/field-errors.ts";
import type { CertificateSigningRequest } from "../generated/types.ts";
import { parseCertificateRequest } from "./certificate-request.ts";
import { signerNameProblems } from "./signer-name.ts";

const knownUsages: readonly string[] = [
	"any",
	"cert sign",
	"client auth",
	"code signing",
	"content commitment",
	"crl sign",
	"data encipherment",
	"decipher only",
	"digital signature",
	"email protection",
	"encipher only",
	"ipsec end system",
	"ipsec tunnel",
	"ipsec user",
	"key agreement",
	"key encipherment",
	"microsoft sgc",
	"netscape sgc",
	"ocsp signing",
	"s/mime",
	"server auth",
	"signing",
	"timestamping",
];

const answers = ["Approved", "Denied"];
const finalConditions = [...answers, "Failed"];
/** The shortest duration that may be requested. */
const shortestSeconds = 600;

export function validateRequest({ spec }: CertificateSigningRequest): Cause[] {
	const causes: Cause[] = [];
	const problem = problemOf(() => parseCertificateRequest(Buffer.from(spec.request ?? "", "base64").toString()));
	if (problem !== undefined) causes.push(invalidValue("spec.request", spec.request, problem));
	const usages = spec.usages ?? [];
	const seen = new Set<string>();
	if (usages.length === 0) causes.push(required("spec.usages", "usages must be provided"));
	for (const [index, usage] of usages.entries()) {
		const at = `spec.usages[${index}]`;
		if (!knownUsages.includes(usage)) causes.push(notSupported(at, usage, knownUsages));
		if (seen.has(usage)) causes.push(duplicate(at, usage));
		seen.add(usage);
	}
	if (spec.signerName === "kubernetes.io/legacy-unknown")
		causes.push(
			invalidValue("spec.signerName", spec.signerName, "the legacy signerName is not allowed via this API version"),
		);
	else causes.push(...signerNameProblems(spec.signerName ?? "", "spec.signerName"));
	if (spec.expirationSeconds !== undefined && spec.expirationSeconds < shortestSeconds)
		causes.push(
			invalidValue(
				"spec.expirationSeconds",
				spec.expirationSeconds,
				"may not specify a duration less than 600 seconds (10 minutes)",
			),
		);
	return causes;
}

/** @param by the subresource: decisions use `approval`, certificates `status` */
export function validateStatusUpdate(
	request: CertificateSigningRequest,
	old: CertificateSigningRequest,
	by: "approval" | "status",
): Cause[] {
	const causes = conditionProblems(request, old);
	const of = (object: CertificateSigningRequest, wanted: string) =>
		(object.status?.conditions ?? []).filter(({ type }) => type === wanted);
	const at = "status.conditions";
	for (const type of finalConditions)
		if (of(request, type).length < of(old, type).length)
			causes.push(forbidden(at, `updates may not remove a condition of type "${type}"`));
	for (const type of by === "status" ? answers : []) {
		const [now, before] = [of(request, type), of(old, type)];
		if (now.length > before.length) causes.push(forbidden(at, `updates may not add a condition of type "${type}"`));
		else if (now.length === before.length && !semanticEqual(now, before))
			causes.push(forbidden(at, `updates may not modify a condition of type "${type}"`));
	}
	const [now, before] = [request.status?.certificate ?? "", old.status?.certificate ?? ""];
	if (now === before) return causes;
	if (by === "approval") causes.push(forbidden("status.certificate", "updates may not set certificate content"));
	else if (before !== "")
		causes.push(forbidden("status.certificate", "updates may not modify existing certificate content"));
	const problem = certificateProblem(Buffer.from(now, "base64").toString());
	if (problem !== undefined) causes.push(invalidValue("status.certificate", "<certificate data>", problem));
	return causes;
}

function conditionProblems({ status }: CertificateSigningRequest, old: CertificateSigningRequest): Cause[] {
	const causes: Cause[] = [];
	const conditions = status?.conditions ?? [];
	const seen = new Set<string>();
	const answeredBefore = answers.every((answer) => old.status?.conditions?.some(({ type }) => type === answer));
	for (const [index, condition] of conditions.entries()) {
		const at = `status.conditions[${index}]`;
		const { type = "" } = condition;
		if (type === "") causes.push(required(`${at}.type`));
		const allowed = finalConditions.includes(type) ? ["True"] : ["False", "True", "Unknown"];
		if (!condition.status) causes.push(required(`${at}.status`));
		else if (!allowed.includes(condition.status)) causes.push(notSupported(`${at}.status`, condition.status, allowed));
		const other = answers.find((answer) => answer !== type);
		if (!answeredBefore && answers.includes(type) && seen.has(other ?? ""))
			causes.push(invalidValue(`${at}.type`, type, "Approved and Denied conditions are mutually exclusive"));
		if (seen.has(type)) causes.push(duplicate(`${at}.type`, type));
		seen.add(type);
	}
	return causes;
}

/** Only certificates in PEM, one after the other. */
function certificateProblem(pem: string): string | undefined {
	const blocks = [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----\n([^-]*)-----END \1-----/g)];
	if (blocks.length === 0) return "must contain at least one CERTIFICATE PEM block";
	for (const [block, type, body = ""] of blocks) {
		if (type !== "CERTIFICATE") return `only CERTIFICATE PEM blocks are allowed, found "${type}"`;
		if (body.includes(":")) return "no PEM block headers are permitted";
		const problem = problemOf(() => new X509Certificate(block));
		if (problem !== undefined) return problem;
	}
	return undefined;
}

function problemOf(attempt: () => unknown): string | undefined {
	try {
		attempt();
		return undefined;
	} catch (error) {
		return messageOf(error);
	}
}
