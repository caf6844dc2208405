/**
 * Services of type LoadBalancer: finalizer, status and Events, as upstream's service controller writes them
 * (Kubernetes documentation, "Service", "type: LoadBalancer"). What serves the ports is a `Balancer`.
 */
import { sameJson } from "../../core/equal.ts";
import { objectKey, parseKey } from "../../core/object.ts";
import type { Service } from "../../kinds/generated/types.ts";
import { services } from "../../kinds/networking/service.ts";
import { event, patch } from "../runtime/actions.ts";
import { type Action, type Controller, type Plan, watchRule } from "../runtime/controller.ts";
import { type Balancer, type BalancerState, wantsBalancer } from "./balancer.ts";

const finalizer = "service.kubernetes.io/load-balancer-cleanup";

interface State {
	service: Service;
	/** Undefined while it is being set up, and for a Service that wants none. */
	balancer: BalancerState | undefined;
}

/** The problem that was reported last. */
interface Memory {
	problem: string;
}

export function serviceLoadBalancerController(balancer: Balancer): Controller<State, Memory> {
	return {
		name: "service-lb",
		component: "service-controller",
		watches: [
			watchRule(services, (current) =>
				current !== undefined && (wantsBalancer(current) || needsCleanup(current)) ? [objectKey(current)] : [],
			),
		],
		wakes: (sync) => balancer.onChange(sync),
		gather(key, informers) {
			const { namespace, name } = parseKey(key);
			const all = informers.of(services);
			const service = all.get(namespace, name);
			if (service === undefined) return undefined;
			return { service, balancer: wantsBalancer(service) ? balancer.state(service, all.list()) : undefined };
		},
		plan({ service, balancer: state }, { memory }) {
			if (wantsBalancer(service)) return ensured(service, state, memory);
			return { actions: needsCleanup(service) ? removed(service) : [] };
		},
	};
}

function hasFinalizer({ metadata }: Service): boolean {
	return metadata.finalizers?.includes(finalizer) === true;
}

/** The finalizer of a Service with a class is that of another controller. */
function needsCleanup(service: Service): boolean {
	return hasFinalizer(service) && !wantsBalancer(service) && service.spec?.loadBalancerClass === undefined;
}

function ensured(service: Service, state: BalancerState | undefined, memory: Memory | undefined): Plan<Memory> {
	const actions: Action[] = [];
	const has = hasFinalizer(service);
	if (!has) {
		actions.push(event(service, "Normal", "EnsuringLoadBalancer", "Ensuring load balancer"));
		// The next plan follows from this write.
		actions.push(change(service, [...(service.metadata.finalizers ?? []), finalizer], undefined));
		return { actions };
	}
	if (state === undefined) return { actions, ...(memory && { memory }) };
	const before = service.status?.loadBalancer?.ingress ?? [];
	if ("problem" in state) {
		const { problem } = state;
		if (memory?.problem !== problem) {
			const text = `Error syncing load balancer: failed to ensure load balancer: ${problem}`;
			actions.push(event(service, "Warning", "SyncLoadBalancerFailed", text));
		}
		if (before.length > 0) actions.push(change(service, undefined, []));
		return { actions, memory: { problem } };
	}
	// Its clients are proxied: nodes must not take its packets for their own.
	const ingress = [{ ip: state.address, ipMode: "Proxy" }];
	if (!sameJson(before, ingress)) {
		actions.push(change(service, undefined, ingress));
		actions.push(event(service, "Normal", "EnsuredLoadBalancer", "Ensured load balancer"));
	}
	return { actions };
}

function removed(service: Service): Action[] {
	const left = (service.metadata.finalizers ?? []).filter((name) => name !== finalizer);
	return [
		event(service, "Normal", "DeletingLoadBalancer", "Deleting load balancer"),
		change(service, left, []),
		event(service, "Normal", "DeletedLoadBalancer", "Deleted load balancer"),
	];
}

/** A write through the status, which takes metadata as well, as upstream: the controller may change nothing else. */
function change(service: Service, finalizers: string[] | undefined, ingress: object[] | undefined): Action {
	const { namespace, name, resourceVersion } = service.metadata;
	const metadata = finalizers === undefined ? {} : { metadata: { finalizers, resourceVersion } };
	const status = ingress === undefined ? {} : { status: { loadBalancer: { ingress } } };
	return patch(
		services,
		{ namespace, name },
		{ type: "merge", patch: { ...metadata, ...status } },
		{ subresource: "status", orGone: true },
	);
}
