import type { Cause } from "../../core/errors.ts";
import { atLeast, nonNegative, requiredOneOf } from "../../core/validation/field-checks.ts";
import { forbidden, invalidValue, required } from "../../core/validation/field-errors.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { LimitedPriorityLevelConfiguration, PriorityLevelConfiguration } from "../generated/types.ts";

const none = "<none>";
const queuing = ({ spec }: PriorityLevelConfiguration) => spec.limited?.limitResponse?.queuing;

export const priorityLevelConfigurations: Kind<PriorityLevelConfiguration> = {
	group: "flowcontrol.apiserver.k8s.io",
	version: "v1",
	kind: "PriorityLevelConfiguration",
	plural: "prioritylevelconfigurations",
	singular: "prioritylevelconfiguration",
	shortNames: [],
	categories: [],
	namespaced: false,
	schema: "PriorityLevelConfiguration",
	subresources: { status: true },
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column("Type", "Whether its requests are limited.", ({ spec }) => spec.type),
		column("NominalConcurrencyShares", "Its part of all concurrency.", ({ spec }) => {
			return spec.limited?.nominalConcurrencyShares ?? none;
		}),
		column("Queues", "How many queues it has.", (level) => queuing(level)?.queues ?? none),
		column("HandSize", "Queues that a flow may use.", (level) => queuing(level)?.handSize ?? none),
		column("QueueLengthLimit", "How many requests a queue holds.", (level) => queuing(level)?.queueLengthLimit ?? none),
		ageColumn,
	],

	setDefaults({ spec }) {
		const { exempt, limited } = spec;
		if (spec.type === "Exempt") spec.exempt = { ...exempt, ...sharesOf(exempt, 0) };
		if (limited === undefined) return;
		Object.assign(limited, sharesOf(limited, 30));
		const waiting = limited.limitResponse?.queuing;
		if (waiting === undefined) return;
		waiting.queues ||= 64;
		waiting.handSize ||= 8;
		waiting.queueLengthLimit ||= 50;
	},
	prepareForCreate(level) {
		delete level.status;
	},
	validate({ metadata, spec }) {
		const { type, exempt, limited } = spec;
		const causes: Cause[] = requiredOneOf(type, ["Exempt", "Limited"], "spec.type");
		if ((metadata.name === "exempt") !== (type === "Exempt") && causes.length === 0)
			causes.push(invalidValue("spec.type", type, "must be 'Exempt' if and only if `name` is 'exempt'"));
		if (type === "Exempt" && limited !== undefined)
			causes.push(forbidden("spec.limited", "must be nil if the type is not Limited"));
		if (type === "Limited" && exempt !== undefined)
			causes.push(forbidden("spec.exempt", "must be nil if the type is Limited"));
		if (type === "Limited" && limited === undefined)
			causes.push(required("spec.limited", "must not be empty when type is Limited"));
		if (limited !== undefined) causes.push(...limitedProblems(limited));
		if (exempt !== undefined) causes.push(...shareProblems(exempt, "spec.exempt"));
		return causes;
	},
};

interface Shares {
	nominalConcurrencyShares?: number;
	lendablePercent?: number;
}

function sharesOf(given: Shares | undefined, shares: number): Required<Shares> {
	return {
		nominalConcurrencyShares: given?.nominalConcurrencyShares ?? shares,
		lendablePercent: given?.lendablePercent ?? 0,
	};
}

function shareProblems({ nominalConcurrencyShares, lendablePercent = 0 }: Shares, path: string): Cause[] {
	const causes = nonNegative(nominalConcurrencyShares, `${path}.nominalConcurrencyShares`);
	if (lendablePercent < 0 || lendablePercent > 100)
		causes.push(invalidValue(`${path}.lendablePercent`, lendablePercent, "must be between 0 and 100, inclusive"));
	return causes;
}

function limitedProblems(limited: LimitedPriorityLevelConfiguration): Cause[] {
	const at = "spec.limited";
	const causes = shareProblems(limited, at);
	causes.push(...nonNegative(limited.borrowingLimitPercent, `${at}.borrowingLimitPercent`));
	const { type, queuing: waiting } = limited.limitResponse ?? { type: "" };
	causes.push(...requiredOneOf(type, ["Queue", "Reject"], `${at}.limitResponse.type`));
	const path = `${at}.limitResponse.queuing`;
	if (type === "Reject" && waiting !== undefined)
		causes.push(forbidden(path, "must be nil if limited.limitResponse.type is not Limited"));
	if (type === "Queue" && waiting === undefined)
		causes.push(required(path, "must not be empty if limited.limitResponse.type is Limited"));
	if (waiting === undefined) return causes;
	const { queues = 64, handSize = 8, queueLengthLimit = 50 } = waiting;
	causes.push(...atLeast(queues, 1, `${path}.queues`));
	causes.push(...atLeast(queueLengthLimit, 1, `${path}.queueLengthLimit`));
	causes.push(...atLeast(handSize, 1, `${path}.handSize`));
	if (queues > mostQueues)
		causes.push(invalidValue(`${path}.queues`, queues, `must not be greater than ${mostQueues}`));
	if (handSize > queues)
		causes.push(invalidValue(`${path}.handSize`, handSize, `should not be greater than queues (${queues})`));
	else if (entropyBits(queues, handSize) > mostEntropyBits) {
		const why = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${mostEntropyBits}`;
		causes.push(invalidValue(`${path}.handSize`, handSize, why));
	}
	return causes;
}

const mostQueues = 10_000_000;
const mostEntropyBits = 60;

/** Of one hand out of all, which is dealt from as many bits of a hash; no more are counted than matter. */
function entropyBits(queues: number, handSize: number): number {
	let bits = 0;
	for (let dealt = 0; dealt < handSize && bits <= mostEntropyBits; dealt++) bits += Math.log2(queues - dealt);
	return Math.ceil(bits);
}
