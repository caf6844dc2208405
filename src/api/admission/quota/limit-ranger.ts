/**
 * Limit ranges: defaults and bounds of containers' resources (Kubernetes documentation, "Limit Ranges").
 */
import { lookup } from "../../../core/object.ts";
import { parseQuantity, quantityNano } from "../../../core/quantity.ts";
import type {
	Container,
	LimitRange,
	LimitRangeItem,
	PersistentVolumeClaim,
	Pod,
	ResourceRequirements,
} from "../../../kinds/generated/types.ts";
import { pods } from "../../../kinds/pod/pod.ts";
import { type Amounts, podAmounts } from "../../../kinds/pod/spec/pod-amounts.ts";
import { limitRanges } from "../../../kinds/quota/limitrange.ts";
import { persistentVolumeClaims } from "../../../kinds/storage/persistentvolumeclaim.ts";
import { keyPrefix } from "../../cache/keys.ts";
import { type AdmissionStep, refused } from "../../server/admission-step.ts";
import type { AdmissionAttributes } from "../../server/server.ts";

const annotation = "kubernetes.io/limit-ranger";

/** Sets the defaults of containers. */
export const limitRangeDefaults: AdmissionStep = {
	name: "LimitRanger",
	on: { operations: ["create"], kinds: [pods] },
	admit(request) {
		// Steps see the kinds that they ask for.
		for (const range of rangesOf(request)) giveDefaults(request.object as Pod, range);
	},
};

/** Rejects values outside the range. */
export const limitRanger: AdmissionStep = {
	name: "LimitRanger",
	on: { operations: ["create", "update"], kinds: [pods, persistentVolumeClaims], subresources: true },
	admit(request) {
		const { object, kind, operation, subresource } = request;
		const isPod = kind.plural === pods.plural;
		if (subresource !== undefined && !(isPod && subresource === "resize")) return;
		// Existing pods keep their resources unless they are resized; terminating ones are not checked.
		if (isPod && operation === "update" && subresource === undefined) return;
		if (operation === "update" && object.metadata.deletionTimestamp !== undefined) return;
		for (const range of rangesOf(request)) {
			// Steps see the kinds that they ask for.
			const problems = (range.spec?.limits ?? []).flatMap((item) =>
				isPod ? podProblems(item, object as Pod) : claimProblems(item, object as PersistentVolumeClaim),
			);
			if (problems.length > 0) throw refused(request, listOf(problems));
		}
	},
};

/** Joins several problems as upstream does. */
function listOf(problems: readonly string[]): string {
	const different = [...new Set(problems)];
	return different.length === 1 ? (different[0] ?? "") : `[${different.join(", ")}]`;
}

function rangesOf({ server, namespace = "" }: AdmissionAttributes): LimitRange[] {
	return Array.from(
		server.cache.resource(limitRanges).range(keyPrefix(limitRanges, namespace)),
		({ object }) => object,
	);
}

function giveDefaults(pod: Pod, range: LimitRange): void {
	const limits: Amounts = {};
	const requests: Amounts = {};
	for (const item of range.spec?.limits ?? []) {
		if (item.type !== "Container") continue;
		Object.assign(limits, item.default);
		Object.assign(requests, item.defaultRequest);
	}
	const said: string[] = [];
	for (const container of pod.spec.containers ?? []) said.push(...fillIn(container, "container", requests, limits));
	for (const container of pod.spec.initContainers ?? [])
		said.push(...fillIn(container, "init container", requests, limits));
	if (said.length === 0) return;
	pod.metadata.annotations = {
		...pod.metadata.annotations,
		[annotation]: `LimitRanger plugin set: ${said.join("; ")}`,
	};
}

/** @returns the defaults that were set, in the format of the annotation */
function fillIn(container: Container, what: string, requests: Amounts, limits: Amounts): string[] {
	const said: string[] = [];
	for (const [field, defaults] of [
		["requests", requests],
		["limits", limits],
	] as const) {
		const own: Amounts = container.resources?.[field] ?? {};
		const missing = Object.keys(defaults)
			.filter((name) => own[name] === undefined)
			.sort();
		if (missing.length === 0) continue;
		const filled = { ...own };
		for (const name of missing) filled[name] = defaults[name] ?? "0";
		container.resources = { ...container.resources, [field]: filled };
		said.push(`${missing.join(", ")} ${field.slice(0, -1)} for ${what} ${container.name}`);
	}
	return said;
}

function podProblems(item: LimitRangeItem, { spec }: Pod): string[] {
	if (item.type === "Container")
		return [...(spec.containers ?? []), ...(spec.initContainers ?? [])].flatMap(({ resources }) =>
			boundsProblems(item, resources ?? {}),
		);
	if (item.type !== "Pod") return [];
	return boundsProblems(item, { requests: podAmounts(spec, "requests"), limits: podAmounts(spec, "limits") });
}

/** Claims have requests only. */
function claimProblems(item: LimitRangeItem, { spec }: PersistentVolumeClaim): string[] {
	if (item.type !== "PersistentVolumeClaim") return [];
	const requests: Amounts = lookup(spec?.resources?.requests ?? {});
	const problems: string[] = [];
	for (const [name, least] of sorted(item.min)) problems.push(...tooLittle(item.type, name, least, requests, {}));
	for (const [name, most] of sorted(item.max)) {
		const request = requests[name];
		const rule = `maximum ${name} usage per ${item.type} is ${most}`;
		if (request === undefined) problems.push(`${rule}. No request is specified`);
		else if (isMore(request, most)) problems.push(`${rule}, but request is ${request}`);
	}
	return problems;
}

function boundsProblems(
	{ type, min, max, maxLimitRequestRatio }: LimitRangeItem,
	resources: Pick<ResourceRequirements, "requests" | "limits">,
): string[] {
	const [requests, limits] = [lookup(resources.requests ?? {}), lookup(resources.limits ?? {})];
	const problems: string[] = [];
	for (const [name, least] of sorted(min)) problems.push(...tooLittle(type, name, least, requests, limits));
	for (const [name, most] of sorted(max)) {
		const [request, limit] = [requests[name], limits[name]];
		const rule = `maximum ${name} usage per ${type} is ${most}`;
		if (limit === undefined) problems.push(`${rule}. No limit is specified`);
		else if (isMore(limit, most)) problems.push(`${rule}, but limit is ${limit}`);
		else if (request !== undefined && isMore(request, most)) problems.push(`${rule}, but request is ${request}`);
	}
	for (const [name, ratio] of sorted(maxLimitRequestRatio)) {
		const [request, limit] = [parseQuantity(requests[name] ?? 0), parseQuantity(limits[name] ?? 0)];
		const rule = `${name} max limit to request ratio per ${type} is ${ratio}`;
		if (request === 0) problems.push(`${rule}, but no request is specified or request is 0`);
		else if (limit === 0) problems.push(`${rule}, but no limit is specified or limit is 0`);
		else if (limit / request > parseQuantity(ratio))
			problems.push(`${rule}, but provided ratio is ${(limit / request).toFixed(6)}`);
	}
	return problems;
}

function tooLittle(type: string, name: string, least: string, requests: Amounts, limits: Amounts): string[] {
	const [request, limit] = [requests[name], limits[name]];
	const rule = `minimum ${name} usage per ${type} is ${least}`;
	if (request === undefined) return [`${rule}. No request is specified`];
	if (isMore(least, request)) return [`${rule}, but request is ${request}`];
	return limit !== undefined && isMore(least, limit) ? [`${rule}, but limit is ${limit}`] : [];
}

function isMore(quantity: string, than: string): boolean {
	return quantityNano(quantity) > quantityNano(than);
}

function sorted(amounts: Amounts | undefined): [string, string][] {
	return Object.entries(amounts ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}
