/** The fields of a KubeletConfiguration about evictions. Pure. */
import type { ConfigField } from "../../core/validation/config-field.ts";
import { invalidValue, required } from "../../core/validation/field-errors.ts";
import type { EvictionRules } from "../machine/pressure.ts";
import { amount, type Signal, type SignalAmounts, signalNames, usualThresholds } from "../machine/signals.ts";

/** Upstream's. */
export const usualEvictionRules: EvictionRules = {
	evictionHard: usualThresholds,
	evictionSoft: {},
	evictionSoftGraceMs: {},
	evictionMinimumReclaim: {},
	evictionPressureTransitionMs: 300_000,
	evictionMaxPodGraceSeconds: 0,
};

/** The value of each field; nothing if the field is invalid. */
export const evictionReaders: Readonly<Record<string, (field: ConfigField) => Partial<EvictionRules>>> = {
	// As upstream: a map in the document replaces all defaults.
	evictionHard: (field) => ({ evictionHard: amounts(field) }),
	evictionSoft: (field) => ({ evictionSoft: amounts(field) }),
	evictionSoftGracePeriod: (field) => ({ evictionSoftGraceMs: graces(field) }),
	evictionMinimumReclaim: (field) => ({ evictionMinimumReclaim: amounts(field) }),
	evictionPressureTransitionPeriod: (field) => {
		const ms = field.milliseconds(0);
		return ms === undefined ? {} : { evictionPressureTransitionMs: ms };
	},
	evictionMaxPodGracePeriod: (field) => {
		const seconds = field.whole(0);
		return seconds === undefined ? {} : { evictionMaxPodGraceSeconds: seconds };
	},
};

/** Every soft threshold needs a grace period. */
export function checkEviction({ evictionSoft, evictionSoftGraceMs }: EvictionRules, root: ConfigField): void {
	for (const signal of signalNames)
		if (evictionSoft[signal] !== undefined && evictionSoftGraceMs[signal] === undefined)
			root.wrong(required(`evictionSoftGracePeriod.${signal}`, "every soft threshold needs a grace period"));
}

function amounts(field: ConfigField): SignalAmounts {
	return Object.fromEntries(known(field).map((name) => [name, threshold(field.field(name))] as const));
}

function graces(field: ConfigField): EvictionRules["evictionSoftGraceMs"] {
	return Object.fromEntries(
		known(field).flatMap((name) => {
			const ms = field.field(name).milliseconds(0);
			return ms === undefined ? [] : [[name, ms] as const];
		}),
	);
}

function known(field: ConfigField): Signal[] {
	field.knows(signalNames, `is not supported; these are: ${signalNames.join(", ")}`);
	const given = new Set(field.names());
	return signalNames.filter((name) => given.has(name));
}

function threshold(field: ConfigField): string {
	const text = field.text();
	try {
		amount(text, 1);
	} catch {
		field.wrong(invalidValue(field.path, field.value, "must be a quantity, or a share such as 10%"));
	}
	return text;
}
