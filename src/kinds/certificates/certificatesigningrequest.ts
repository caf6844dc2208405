import { humanDuration } from "../../core/time/age.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from "../generated/types.ts";
import { validateRequest, validateStatusUpdate } from "./certificatesigningrequest-validate.ts";

export const certificateSigningRequests: Kind<CertificateSigningRequest> = {
	group: "certificates.k8s.io",
	version: "v1",
	kind: "CertificateSigningRequest",
	plural: "certificatesigningrequests",
	singular: "certificatesigningrequest",
	shortNames: ["csr"],
	categories: [],
	namespaced: false,
	schema: "CertificateSigningRequest",
	subresources: { status: true },
	hasGeneration: false,
	nameRule: "pathSegment",
	selectableFields: [{ path: "spec.signerName", value: ({ spec }) => spec.signerName ?? "" }],
	columns: [
		nameColumn,
		ageColumn,
		column("SignerName", "Who is asked to sign.", ({ spec }) => spec.signerName || "<none>"),
		column("Requestor", "Who asks.", ({ spec }) => spec.username ?? ""),
		column("RequestedDuration", "How long the certificate is to hold.", ({ spec: { expirationSeconds: seconds } }) =>
			seconds === undefined ? "<none>" : humanDuration(seconds * 1000),
		),
		column("Condition", "What has become of the request.", conditionText),
	],

	setDefaults(request) {
		// Validation reports the missing fields.
		request.spec ??= { request: "", signerName: "" };
	},
	prepareForCreate(request, { requester }) {
		const { username: _, uid: _uid, groups: _groups, extra: _extra, ...spec } = request.spec;
		request.spec = { ...spec, username: requester.name, groups: [...requester.groups] };
		if (requester.uid !== undefined && requester.uid !== "") request.spec.uid = requester.uid;
		if (requester.extra !== undefined && Object.keys(requester.extra).length > 0)
			request.spec.extra = Object.fromEntries(
				Object.entries(requester.extra).map(([name, values]) => [name, [...values]]),
			);
		request.status = {};
	},
	prepareForUpdate(request, old) {
		request.spec = old.spec;
	},
	prepareForStatusUpdate(request, old, { now }) {
		keepAnswers(request, old);
		setConditionTimes(request, old, now);
	},
	validate: (request) => validateRequest(request),
	validateStatusUpdate: (request, old) => validateStatusUpdate(request, old, "status"),
};

/** Keeps the Approved and Denied conditions if their number has not changed. */
function keepAnswers(request: CertificateSigningRequest, old: CertificateSigningRequest): void {
	const conditions = request.status?.conditions ?? [];
	for (const answer of ["Approved", "Denied"]) {
		const before = (old.status?.conditions ?? []).filter(({ type }) => type === answer);
		const places = conditions.flatMap(({ type }, index) => (type === answer ? [index] : []));
		if (places.length !== before.length) continue;
		for (const [index, place] of places.entries())
			conditions[place] = before[index] as CertificateSigningRequestCondition;
	}
}

/**
 * Sets missing times of conditions.
 * @param now RFC 3339
 */
export function setConditionTimes(
	request: CertificateSigningRequest,
	old: CertificateSigningRequest,
	now: string,
): void {
	const conditions = request.status?.conditions;
	if (conditions === undefined || request.status === undefined) return;
	request.status.conditions = conditions.map((condition) => {
		const before = old.status?.conditions?.find(
			({ type, status, lastTransitionTime }) =>
				type === condition.type && status === condition.status && lastTransitionTime !== undefined,
		);
		return {
			...condition,
			lastUpdateTime: condition.lastUpdateTime ?? now,
			lastTransitionTime: condition.lastTransitionTime ?? before?.lastTransitionTime ?? now,
		};
	});
}

function conditionText({ status }: CertificateSigningRequest): string {
	const has = (wanted: string) => status?.conditions?.some(({ type }) => type === wanted) ?? false;
	const answer = has("Denied") ? "Denied" : has("Approved") ? "Approved" : "Pending";
	return `${answer}${has("Failed") ? ",Failed" : ""}${status?.certificate ? ",Issued" : ""}`;
}
