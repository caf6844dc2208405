/** A readable YAML form of plans. */
import type { Ref } from "../../client/client.ts";
import type { InformerCache } from "../../client/informer-cache.ts";
import { sameJson } from "../../core/equal.ts";
import type { KubeObject } from "../../core/object.ts";
import { timestamp } from "../../core/time/clock.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Action, EventText, Plan } from "../runtime/controller.ts";

export function renderPlan(plan: Plan, informers: InformerCache): unknown {
	return JSON.parse(
		JSON.stringify({
			actions: plan.actions.map((action) => renderAction(action, informers)),
			// Milliseconds are shown unless they are 0.
			...(plan.requeueAtMs === undefined
				? {}
				: { requeueAt: plan.requeueAtMs % 1000 === 0 ? timestamp(plan.requeueAtMs) : plan.requeueAtMs }),
			...(plan.requeueAfterMs === undefined ? {} : { requeueAfter: `${plan.requeueAfterMs / 1000}s` }),
		}),
	);
}

function renderAction(action: Action, informers: InformerCache): unknown {
	switch (action.do) {
		case "create": {
			const { metadata } = action.draft;
			const name = metadata.name ?? `${metadata.generateName}*`;
			const more = action.orExists ? { tolerates: "AlreadyExists" } : {};
			return {
				[`create ${named(action.kind, metadata.namespace, name)}`]: {
					...rest(action.draft),
					...more,
					...events(action),
				},
			};
		}
		case "update":
		case "updateStatus": {
			const { namespace, name } = action.object.metadata;
			const current = informers.of(action.kind).get(namespace, name);
			const changes = mergePatch(current, action.object) ?? "nothing";
			const subresource = action.do === "update" && action.subresource !== undefined ? `/${action.subresource}` : "";
			return {
				[`${action.do} ${named(action.kind, namespace, name)}${subresource}`]: changes,
				...(action.do === "update" ? events(action) : {}),
			};
		}
		case "patch": {
			const { type, ...content } = action.patch;
			const subresource = action.subresource === undefined ? "" : `/${action.subresource}`;
			const more = action.orGone ? { tolerates: "NotFound" } : {};
			return { [`${type} patch ${ref(action.kind, action.ref)}${subresource}`]: Object.values(content)[0], ...more };
		}
		case "delete": {
			const { preconditions, ...options } = action.options ?? {};
			return { [`delete ${ref(action.kind, action.ref)}`]: { ...preconditions, ...options, ...events(action) } };
		}
		case "createSubresource":
			return { [`${action.subresource} of ${ref(action.kind, action.ref)}`]: action.body, ...events(action) };
		case "confirm":
			return `confirm ${ref(action.kind, action.ref)} with uid ${action.uid}`;
		case "confirmAbsent":
			return `confirm that ${ref(action.kind, action.ref)}${action.uid === undefined ? "" : ` with uid ${action.uid}`} is gone`;
		case "confirmNone": {
			const { kinds, of } = action;
			const what = kinds.length === 1 ? `no ${kinds[0]?.plural}` : "nothing";
			const place = action.namespace === undefined ? "the cluster" : `namespace ${action.namespace}`;
			return `confirm that ${place} holds ${what} ${of?.which ?? ""}`.trimEnd();
		}
		case "deleteAll":
			return `delete all ${action.kind.plural} in namespace ${action.namespace}`;
		case "catchUp":
			return `catch up with revision ${action.revision} of ${action.kinds.map((kind) => kind.plural).join(", ")}`;
		case "event":
			return { event: renderEvent(action) };
	}
}

function named(kind: Kind, namespace: string | undefined, name: string): string {
	return `${kind.kind} ${namespace === undefined || namespace === "" ? name : `${namespace}/${name}`}`;
}

function ref(kind: Kind, { namespace, name }: Ref): string {
	return named(kind, namespace, name);
}

/** A draft without what its headline contains. */
function rest(draft: { metadata: object; apiVersion?: string; kind?: string }): object {
	const { apiVersion: _apiVersion, kind: _kind, ...body } = draft;
	const {
		name: _name,
		namespace: _namespace,
		generateName: _generateName,
		...metadata
	} = {
		name: undefined,
		namespace: undefined,
		generateName: undefined,
		...draft.metadata,
	};
	return Object.keys(metadata).length === 0 ? { ...body, metadata: undefined } : { ...body, metadata };
}

function events(action: {
	event?: EventText & { regarding: KubeObject };
	failureEvent?: EventText & { regarding: KubeObject };
}): object {
	return {
		...(action.event === undefined ? {} : { event: renderEvent(action.event) }),
		...(action.failureEvent === undefined ? {} : { failureEvent: renderEvent(action.failureEvent) }),
	};
}

/** `Normal SuccessfulCreate on StatefulSet default/web: create Pod …` */
function renderEvent({ regarding, type, reason, message }: EventText & { regarding: KubeObject }): string {
	const { namespace, name } = regarding.metadata;
	return `${type} ${reason} on ${regarding.kind} ${namespace === undefined ? name : `${namespace}/${name}`}: ${message}`;
}

/** The JSON merge patch from `old` to `current`; undefined if nothing changes. */
function mergePatch(old: unknown, current: unknown): unknown {
	if (!isObject(old) || !isObject(current)) return sameJson(old, current) ? undefined : current;
	const changes: Record<string, unknown> = {};
	for (const key of new Set([...Object.keys(old), ...Object.keys(current)])) {
		if (current[key] === undefined && old[key] !== undefined) changes[key] = null;
		else {
			const change = mergePatch(old[key], current[key]);
			if (change !== undefined) changes[key] = change;
		}
	}
	return Object.keys(changes).length === 0 ? undefined : changes;
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
