/**
 * Claims of pods that name a template, and reservations for pods that have a node without the scheduler (Kubernetes
 * documentation, "Dynamic Resource Allocation").
 */
import { controllerReference, deepCopy, objectKey, parseKey } from "../../core/object.ts";
import type {
	Pod,
	PodResourceClaim,
	ResourceResourceClaim as ResourceClaim,
	ResourceClaimTemplate,
} from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { isForPod, isReservedFor, podClaimAnnotation } from "../../kinds/resource/pod-claims.ts";
import { resourceClaims } from "../../kinds/resource/resourceclaim.ts";
import { resourceClaimTemplates } from "../../kinds/resource/resourceclaimtemplate.ts";
import { create, event, patch, updateStatus } from "../runtime/actions.ts";
import { type Action, type Controller, type InformerCache, type Plan, watchRule } from "../runtime/controller.ts";
import { isDone } from "./users.ts";

export interface PodClaimsState {
	pod: Pod;
	/** Those that were made for the pod, by the name of the entry in its spec. */
	made: ReadonlyMap<string, ResourceClaim>;
	/** Those that the entries name or have, by the name of the entry. */
	named: ReadonlyMap<string, ResourceClaim>;
	/** By name. */
	templates: ReadonlyMap<string, ResourceClaimTemplate>;
}

const podsOfTemplate = "pods-of-claim-template";
const claimsOfPod = "claims-of-pod";

export const podClaimsController: Controller<PodClaimsState> = {
	name: "pod-resource-claims",
	component: "resource_claim",
	account: "resource-claim-controller",
	watches: [
		watchRule(pods, (current) => (current?.spec.resourceClaims === undefined ? [] : [objectKey(current)]), {
			indexes: {
				[podsOfTemplate]: ({ metadata, spec }) =>
					(spec.resourceClaims ?? []).flatMap(({ resourceClaimTemplateName: name }) =>
						name === undefined ? [] : [`${metadata.namespace}/${name}`],
					),
			},
		}),
		watchRule(
			resourceClaims,
			(current, old) => {
				const claim = current ?? old;
				const owner = claim && podOwning(claim);
				return owner === undefined ? [] : [`${claim?.metadata.namespace}/${owner.name}`];
			},
			{
				indexes: {
					[claimsOfPod]: (claim) => {
						const owner = podOwning(claim);
						return owner === undefined ? [] : [owner.uid];
					},
				},
			},
		),
		watchRule(
			resourceClaimTemplates,
			(current, _old, informers) =>
				current === undefined ? [] : [...informers.of(pods).byIndex(podsOfTemplate, objectKey(current))].map(objectKey),
			{ expectations: false },
		),
	],
	gather(key, informers) {
		const { namespace, name } = parseKey(key);
		const pod = informers.of(pods).get(namespace, name);
		return pod?.spec.resourceClaims === undefined ? undefined : stateOf(pod, pod.spec.resourceClaims, informers);
	},
	plan,
};

function podOwning({ metadata }: ResourceClaim) {
	return metadata.ownerReferences?.find(({ controller, kind }) => controller === true && kind === "Pod");
}

function stateOf(pod: Pod, entries: readonly PodResourceClaim[], informers: InformerCache): PodClaimsState {
	const { namespace, uid } = pod.metadata;
	const claims = informers.of(resourceClaims);
	const made = new Map<string, ResourceClaim>();
	for (const claim of claims.byIndex(claimsOfPod, uid)) {
		const entry = claim.metadata.annotations?.[podClaimAnnotation];
		if (entry !== undefined && claim.metadata.namespace === namespace) made.set(entry, claim);
	}
	const named = new Map<string, ResourceClaim>();
	const templates = new Map<string, ResourceClaimTemplate>();
	for (const { name, resourceClaimName, resourceClaimTemplateName: template } of entries) {
		const claim = resourceClaimName === undefined ? made.get(name) : claims.get(namespace, resourceClaimName);
		if (claim !== undefined) named.set(name, claim);
		const found = template === undefined ? undefined : informers.of(resourceClaimTemplates).get(namespace, template);
		if (found !== undefined) templates.set(found.metadata.name, found);
	}
	return { pod, made, named, templates };
}

function plan(state: PodClaimsState): Plan {
	const { pod } = state;
	if (pod.metadata.deletionTimestamp !== undefined || isDone(pod)) return { actions: [] };
	const entries = pod.spec.resourceClaims ?? [];
	const actions: Action[] = [];
	for (const entry of entries) actions.push(...claimFor(entry, state));
	const statuses = entries.flatMap(({ name, resourceClaimTemplateName }) => {
		const claim = state.made.get(name);
		if (resourceClaimTemplateName === undefined || claim === undefined) return [];
		return [{ name, resourceClaimName: claim.metadata.name }];
	});
	const known = new Map(pod.status?.resourceClaimStatuses?.map((status) => [status.name, status.resourceClaimName]));
	if (statuses.some(({ name, resourceClaimName }) => known.get(name) !== resourceClaimName)) {
		const { namespace, name, uid } = pod.metadata;
		const change = { metadata: { uid }, status: { resourceClaimStatuses: statuses } };
		actions.push(
			patch(pods, { namespace, name }, { type: "strategic", patch: change }, { subresource: "status", orGone: true }),
		);
	}
	// The scheduler reserves the claims of the pods that it binds.
	if (pod.spec.nodeName) for (const claim of state.named.values()) actions.push(...reserved(claim, pod));
	return { actions };
}

function claimFor(entry: PodResourceClaim, { pod, made, templates }: PodClaimsState): Action[] {
	const { name, resourceClaimTemplateName: templateName } = entry;
	const status = pod.status?.resourceClaimStatuses?.find((each) => each.name === name);
	// A claim that was deleted is not made again once the pod is known to have it.
	if (templateName === undefined || made.has(name) || status !== undefined) return [];
	const template = templates.get(templateName);
	if (template === undefined) {
		const why = `resource claim template "${templateName}": resourceclaimtemplate.resource.k8s.io "${templateName}" not found`;
		return [event(pod, "Warning", "FailedResourceClaimCreation", `PodResourceClaim ${name}: ${why}`)];
	}
	const { metadata, spec } = template.spec;
	const draft = {
		metadata: {
			namespace: pod.metadata.namespace,
			generateName: `${shortened(pod.metadata.name, name)}-`,
			...(metadata?.labels === undefined ? {} : { labels: metadata.labels }),
			annotations: { ...metadata?.annotations, [podClaimAnnotation]: name },
			ownerReferences: [controllerReference(pod)],
		},
		spec,
	};
	const message = `PodResourceClaim ${name}: {error}`;
	const failureEvent = { type: "Warning", reason: "FailedResourceClaimCreation", message, regarding: pod } as const;
	return [create(resourceClaims, draft, { failureEvent })];
}

/** Room for a hyphen and five characters in 63. */
const longestBase = 57;

/** `pod-entry`, of which both parts lose their ends when it is too long. */
function shortened(podName: string, entry: string): string {
	const whole = `${podName}-${entry}`;
	if (whole.length <= longestBase) return whole;
	const podLength = Math.floor((podName.length * (longestBase - 1)) / (podName.length + entry.length));
	return `${podName.slice(0, podLength)}-${entry.slice(0, longestBase - 1 - podLength)}`;
}

function reserved(claim: ResourceClaim, pod: Pod): Action[] {
	const { status, metadata } = claim;
	if (status?.allocation === undefined || metadata.deletionTimestamp !== undefined) return [];
	if (isReservedFor(claim, pod) || (podOwning(claim) !== undefined && !isForPod(claim, pod))) return [];
	const next = deepCopy(claim);
	const { name, uid } = pod.metadata;
	next.status = { ...next.status, reservedFor: [...(status.reservedFor ?? []), { resource: "pods", name, uid }] };
	return [updateStatus(resourceClaims, next)];
}
