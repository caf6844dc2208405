import { semanticEqual } from "../../core/equal.ts";
import type { Cause } from "../../core/errors.ts";
import { forbidden, invalidValue, notSupported, required } from "../../core/validation/field-errors.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type {
	LimitedPriorityLevelConfiguration,
	LimitResponse,
	PriorityLevelConfiguration,
	QueuingConfiguration,
} from "../generated/types.ts";
import { bootstrapPriorityLevels, mandatory } from "./bootstrap.ts";
import { conditionsProblems } from "./conditions.ts";

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
	validate: (level) => [
		...specProblems(level),
		...fixedProblems(level),
		...conditionsProblems(level.status?.conditions),
	],
	validateStatusUpdate: ({ status }) => conditionsProblems(status?.conditions),
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

const types = ["Exempt", "Limited"];

function specProblems({ metadata, spec }: PriorityLevelConfiguration): Cause[] {
	const { type, exempt, limited } = spec;
	const causes: Cause[] = [];
	if ((metadata.name === "exempt") !== (type === "Exempt"))
		causes.push(invalidValue("spec.type", type, "type must be 'Exempt' if and only if name is 'exempt'"));
	if (type === "Exempt") {
		if (limited !== undefined) causes.push(forbidden("spec.limited", "must be nil if the type is not Limited"));
		if (exempt !== undefined) causes.push(...shareProblems(exempt, "spec.exempt"));
	} else if (type === "Limited") {
		if (exempt !== undefined) causes.push(forbidden("spec.exempt", "must be nil if the type is Limited"));
		if (limited === undefined) causes.push(required("spec.limited", "must not be empty when type is Limited"));
		else causes.push(...limitedProblems(limited));
	} else causes.push(notSupported("spec.type", type ?? "", types));
	return causes;
}

/** Of `exempt` only the shares may be changed, of `catch-all` nothing. */
function fixedProblems({ metadata: { name }, spec }: PriorityLevelConfiguration): Cause[] {
	const fixed = bootstrapPriorityLevels.find((level) => level.metadata.name === name)?.spec;
	if (fixed === undefined || !mandatory.includes(name)) return [];
	const isExempt = name === "exempt";
	const { exempt: _, ...rest } = isExempt ? fixed : {};
	const { exempt: __, ...others } = spec;
	if (isExempt ? semanticEqual(others, rest) : semanticEqual(spec, fixed)) return [];
	const but = isExempt ? " except the 'spec.exempt' field" : "";
	return [invalidValue("spec", spec, `spec of '${name}'${but} must equal the fixed value`)];
}

function shareProblems({ nominalConcurrencyShares = 0, lendablePercent = 0 }: Shares, path: string): Cause[] {
	const causes: Cause[] = [];
	const at = `${path}.nominalConcurrencyShares`;
	if (nominalConcurrencyShares < 0)
		causes.push(invalidValue(at, nominalConcurrencyShares, "must be a non-negative integer"));
	if (lendablePercent < 0 || lendablePercent > 100)
		causes.push(invalidValue(`${path}.lendablePercent`, lendablePercent, "must be between 0 and 100, inclusive"));
	return causes;
}

function limitedProblems(limited: LimitedPriorityLevelConfiguration): Cause[] {
	const at = "spec.limited";
	const { borrowingLimitPercent: percent = 0, limitResponse } = limited;
	const causes = shareProblems(limited, at);
	if (percent < 0) {
		const why = "if specified, must be a non-negative integer";
		causes.push(invalidValue(`${at}.borrowingLimitPercent`, percent, why));
	}
	return causes.concat(responseProblems(limitResponse ?? { type: "" }, `${at}.limitResponse`));
}

function responseProblems({ type, queuing: waiting }: LimitResponse, at: string): Cause[] {
	if (type === "Reject") {
		const why = "must be nil if limited.limitResponse.type is not Limited";
		return waiting === undefined ? [] : [forbidden(`${at}.queuing`, why)];
	}
	if (type !== "Queue") return [notSupported(`${at}.type`, type, ["Queue", "Reject"])];
	if (waiting !== undefined) return queuingProblems(waiting, `${at}.queuing`);
	return [required(`${at}.queuing`, "must not be empty if limited.limitResponse.type is Limited")];
}

function queuingProblems(waiting: QueuingConfiguration, path: string): Cause[] {
	const { queues = 64, handSize = 8, queueLengthLimit = 50 } = waiting;
	const positive = "must be positive";
	const causes: Cause[] = [];
	if (queueLengthLimit <= 0) causes.push(invalidValue(`${path}.queueLengthLimit`, queueLengthLimit, positive));
	if (queues <= 0) causes.push(invalidValue(`${path}.queues`, queues, positive));
	else if (queues > mostQueues)
		causes.push(invalidValue(`${path}.queues`, queues, `must not be greater than ${mostQueues}`));
	if (handSize <= 0) causes.push(invalidValue(`${path}.handSize`, handSize, positive));
	else if (handSize > queues)
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
