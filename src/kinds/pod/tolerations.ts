/** Taints and tolerations (Kubernetes documentation, "Taints and Tolerations"). */
import type { Taint, Toleration } from "../generated/types.ts";

export function tolerates(toleration: Toleration, taint: Taint): boolean {
	if (toleration.effect !== undefined && toleration.effect !== "" && toleration.effect !== taint.effect) return false;
	if (toleration.key !== undefined && toleration.key !== "" && toleration.key !== taint.key) return false;
	switch (toleration.operator ?? "Equal") {
		case "":
		case "Equal":
			return (toleration.value ?? "") === (taint.value ?? "");
		case "Exists":
			return true;
		case "Lt":
		case "Gt":
			return compares(toleration, taint);
		default:
			return false;
	}
}

/** The taint's value is less (Lt) or greater (Gt) than the toleration's; both must be whole numbers. */
function compares(toleration: Toleration, taint: Taint): boolean {
	const [wanted, found] = [toleration.value ?? "", taint.value ?? ""];
	if (!/^(0|-?[1-9][0-9]*)$/.test(wanted) || !/^(0|-?[1-9][0-9]*)$/.test(found)) return false;
	return toleration.operator === "Lt" ? BigInt(found) < BigInt(wanted) : BigInt(found) > BigInt(wanted);
}

/** The first taint with one of the effects that none of the tolerations covers. */
export function untolerated(
	taints: readonly Taint[] | undefined,
	tolerations: readonly Toleration[],
	effects: readonly string[],
): Taint | undefined {
	return taints?.find(
		(taint) => effects.includes(taint.effect) && !tolerations.some((toleration) => tolerates(toleration, taint)),
	);
}
