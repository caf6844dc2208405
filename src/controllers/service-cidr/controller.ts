/** Service ranges: whether they are ready, and that none is removed while its addresses are in use (KEP-1880). */
import { cidrContains, parseCidr, parseIPv4 } from "../../core/addresses.ts";
import { timestamp } from "../../core/time/clock.ts";
import type { ServiceCIDR } from "../../kinds/generated/types.ts";
import { ipAddresses } from "../../kinds/networking/ipaddress.ts";
import { serviceCIDRs } from "../../kinds/networking/servicecidr.ts";
import { update, updateStatus } from "../runtime/actions.ts";
import { type Controller, watchRule } from "../runtime/controller.ts";

const finalizer = "networking.k8s.io/service-cidr-finalizer";

interface State {
	range: ServiceCIDR;
	/** It is being deleted, and contains addresses that are in no other range. */
	isHeld: boolean;
}

export const serviceCidrController: Controller<State> = {
	name: "service-cidr",
	component: "service-cidrs-controller",
	watches: [
		watchRule(serviceCIDRs, (_current, _old, informers) => names(informers.of(serviceCIDRs).list())),
		watchRule(
			ipAddresses,
			(current, _old, informers) => {
				if (current !== undefined) return [];
				return names(
					[...informers.of(serviceCIDRs).list()].filter(({ metadata }) => metadata.deletionTimestamp !== undefined),
				);
			},
			{ expectations: false },
		),
	],
	gather(name, informers) {
		const range = informers.of(serviceCIDRs).get(undefined, name);
		if (range === undefined) return undefined;
		if (range.metadata.deletionTimestamp === undefined) return { range, isHeld: false };
		const others = [...informers.of(serviceCIDRs).list()].filter(
			({ metadata }) => metadata.name !== name && metadata.deletionTimestamp === undefined,
		);
		const isHeld = [...informers.of(ipAddresses).list()].some(
			({ metadata }) => contains(range, metadata.name) && !others.some((other) => contains(other, metadata.name)),
		);
		return { range, isHeld };
	},
	plan({ range, isHeld }, { nowMs }) {
		const finalizers = range.metadata.finalizers ?? [];
		const isLeaving = range.metadata.deletionTimestamp !== undefined;
		if (isLeaving && !isHeld) {
			if (!finalizers.includes(finalizer)) return { actions: [] };
			const left = finalizers.filter((name) => name !== finalizer);
			return { actions: [update(serviceCIDRs, { ...range, metadata: { ...range.metadata, finalizers: left } })] };
		}
		if (!isLeaving && !finalizers.includes(finalizer)) {
			const metadata = { ...range.metadata, finalizers: [...finalizers, finalizer] };
			return { actions: [update(serviceCIDRs, { ...range, metadata })] };
		}
		const status = isLeaving ? "False" : "True";
		const conditions = range.status?.conditions ?? [];
		if (conditions.find(({ type }) => type === "Ready")?.status === status) return { actions: [] };
		const ready = {
			type: "Ready",
			status,
			lastTransitionTime: timestamp(nowMs),
			reason: isLeaving ? "Terminating" : "",
			message: isLeaving
				? "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR"
				: "Kubernetes Service CIDR is ready",
		};
		const others = conditions.filter(({ type }) => type !== "Ready");
		return { actions: [updateStatus(serviceCIDRs, { ...range, status: { conditions: [...others, ready] } })] };
	},
};

function names(ranges: Iterable<ServiceCIDR>): string[] {
	return [...ranges].map(({ metadata }) => metadata.name);
}

function contains({ spec }: ServiceCIDR, address: string): boolean {
	const value = parseIPv4(address);
	if (value === undefined) return false;
	return (spec?.cidrs ?? []).some((text) => {
		const range = parseCidr(text);
		return range !== undefined && cidrContains(range, value);
	});
}
