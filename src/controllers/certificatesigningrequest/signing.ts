/** What the cluster signs, and for how long (Kubernetes documentation, "Kubernetes signers"). */
import type { CertificateRequest } from "../../kinds/certificates/certificate-request.ts";
import type { CertificateSigningRequestSpec } from "../../kinds/generated/types.ts";

/** Creates a PEM certificate for a request. The caller has checked the request and the times. */
export type SignCertificate = (
	request: CertificateRequest,
	options: { usages: readonly string[]; notBeforeMs: number; notAfterMs: number },
) => string;

/** The problem of a request, with upstream's message; undefined if it may be signed. */
type Check = (request: CertificateRequest, usages: readonly string[]) => string | undefined;

/** The cluster's own signers, by name. */
export const signers: ReadonlyMap<string, Check> = new Map([
	["kubernetes.io/kube-apiserver-client", checkClient],
	["kubernetes.io/kube-apiserver-client-kubelet", checkKubeletClient],
	["kubernetes.io/kubelet-serving", checkKubeletServing],
]);

function checkClient(_request: CertificateRequest, usages: readonly string[]): string | undefined {
	const allowed = ["client auth", "digital signature", "key encipherment"];
	const other = usages.find((usage) => !allowed.includes(usage));
	if (other !== undefined) return `invalid usage for client certificate: ${other}`;
	return usages.includes("client auth") ? undefined : "missing required usage for client certificate: client auth";
}

function checkKubeletClient(request: CertificateRequest, usages: readonly string[]): string | undefined {
	if (!isOfNodes(request)) return "subject organization is not system:nodes";
	if (request.dnsNames.length > 0) return "DNS subjectAltNames are not allowed";
	if (request.emailAddresses.length > 0) return "Email subjectAltNames are not allowed";
	if (request.ipAddresses.length > 0) return "IP subjectAltNames are not allowed";
	if (request.uris.length > 0) return "URI subjectAltNames are not allowed";
	return checkNodeName(request) ?? checkUsages(usages, "client auth");
}

function checkKubeletServing(request: CertificateRequest, usages: readonly string[]): string | undefined {
	if (!isOfNodes(request)) return "subject organization is not system:nodes";
	if (request.dnsNames.length + request.ipAddresses.length === 0)
		return "at least one DNS or IP subjectAltName is required";
	if (request.emailAddresses.length > 0) return "Email subjectAltNames are not allowed";
	if (request.uris.length > 0) return "URI subjectAltNames are not allowed";
	return checkUsages(usages, "server auth") ?? checkNodeName(request);
}

function isOfNodes({ organizations }: CertificateRequest): boolean {
	return organizations.length === 1 && organizations[0] === "system:nodes";
}

function checkNodeName({ commonName }: CertificateRequest): string | undefined {
	return commonName.startsWith("system:node:") ? undefined : "subject common name does not begin with system:node: ";
}

function checkUsages(usages: readonly string[], purpose: string): string | undefined {
	const required = ["digital signature", purpose];
	const given = usages.filter((usage) => usage !== "key encipherment");
	const fits = given.length === required.length && required.every((usage) => given.includes(usage));
	return fits ? undefined : `usages did not match ${JSON.stringify(["key encipherment", ...required])}`;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** Upstream's `--cluster-signing-duration`. */
const longestMs = 365 * 24 * hourMs;
const shortestMs = 10 * minuteMs;
/** The clocks of clients that verify the certificate may be slightly behind. */
const backdateMs = 5 * minuteMs;
/** The duration of shorter certificates counts from now, that of others from their backdated beginning. */
const shortMs = 8 * hourMs;

export function validity(
	{ expirationSeconds }: CertificateSigningRequestSpec,
	nowMs: number,
): { notBeforeMs: number; notAfterMs: number } {
	const askedMs = expirationSeconds === undefined ? longestMs : expirationSeconds * 1000;
	const lifeMs = Math.min(Math.max(askedMs, shortestMs), longestMs);
	return { notBeforeMs: nowMs - backdateMs, notAfterMs: nowMs + lifeMs - (lifeMs < shortMs ? 0 : backdateMs) };
}
