import type { Cause } from "../../core/errors.ts";
import { invalidValue, required } from "../../core/validation/field-errors.ts";
import type { CustomResourceSubresourceScale } from "../generated/types.ts";
import { simplePathCauses } from "./column-causes.ts";

/** What is wrong with the paths of a scale subresource. */
export function scalePathCauses(scale: CustomResourceSubresourceScale, path: string): Cause[] {
	const { specReplicasPath = "", statusReplicasPath = "", labelSelectorPath = "" } = scale;
	const causes = [
		...pathCauses(specReplicasPath, `${path}.specReplicasPath`, [".spec."], "under .spec"),
		...pathCauses(statusReplicasPath, `${path}.statusReplicasPath`, [".status."], "under .status"),
	];
	if (labelSelectorPath === "") return causes;
	const selectorPath = `${path}.labelSelectorPath`;
	return [
		...causes,
		...pathCauses(labelSelectorPath, selectorPath, [".spec.", ".status."], "under either .spec or .status"),
	];
}

function pathCauses(text: string, path: string, beginnings: readonly string[], where: string): Cause[] {
	if (text === "") return [required(path)];
	const causes = simplePathCauses(text, path);
	if (causes.length > 0 || beginnings.some((beginning) => text.startsWith(beginning))) return causes;
	return [invalidValue(path, text, `should be a json path ${where}`)];
}
