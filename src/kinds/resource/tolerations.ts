/** Taints of devices, and which requests tolerate them. */
import type { Cause } from "../../core/errors.ts";
import { invalidValue, notSupported, required } from "../../core/validation/field-errors.ts";
import type { DeviceTaint, DeviceToleration } from "../generated/types.ts";
import { limits } from "./limits.ts";
import { each } from "./lists.ts";
import { labelKey, labelValue } from "./names.ts";

const effects = ["NoExecute", "NoSchedule", "None"];

export function taintProblems({ key, value, effect }: DeviceTaint, path: string): Cause[] {
	const causes = labelKey(key, `${path}.key`);
	if (value) causes.push(...labelValue(value, `${path}.value`));
	if (!effect) causes.push(required(`${path}.effect`));
	else if (!effects.includes(effect)) causes.push(notSupported(`${path}.effect`, effect, effects));
	return causes;
}

export function tolerationProblems(tolerations: readonly DeviceToleration[] | undefined, path: string): Cause[] {
	return each(tolerations, limits.tolerations, path, ({ key, operator, value, effect }, at) => {
		const causes = key ? labelKey(key, `${at}.key`) : [];
		if (operator === "Exists") {
			if (value) causes.push(invalidValue(`${at}.value`, value, "must be empty for operator `Exists`"));
		} else if (operator === "Equal") causes.push(...labelValue(value, `${at}.value`));
		else if (!operator) causes.push(required(`${at}.operator`));
		else causes.push(notSupported(`${at}.operator`, operator, ["Equal", "Exists"]));
		if (effect && !effects.includes(effect)) causes.push(notSupported(`${at}.effect`, effect, effects));
		return causes;
	});
}

export function tolerates(tolerations: readonly DeviceToleration[], taint: DeviceTaint): boolean {
	return tolerations.some(({ key = "", operator = "Equal", value = "", effect = "" }) => {
		if (effect !== "" && effect !== taint.effect) return false;
		if (key === "" ? operator !== "Exists" : key !== taint.key) return false;
		return operator === "Exists" || value === (taint.value ?? "");
	});
}
