/** Groups of the community's own, in which definitions need an approval (KEP-1111). */
import type { Cause } from "../../core/errors.ts";
import { invalidValue, required } from "../../core/validation/field-errors.ts";
import type { CustomResourceDefinition } from "../generated/types.ts";
import type { Condition } from "./conditions.ts";

const annotation = "api-approved.kubernetes.io";
const path = `metadata.annotations[${annotation}]`;
const reference = "see https://github.com/kubernetes/enhancements/pull/1111";

type State = "Approved" | "Invalid" | "Missing" | "Unapproved";

interface Approval {
	state: State;
	why: string;
}

function isProtected(group: string): boolean {
	return /(^|\.)(k8s|kubernetes)\.io$/.test(group);
}

function approvalOf({ metadata }: CustomResourceDefinition): Approval {
	const text = metadata.annotations?.[annotation] ?? "";
	const needed = `protected groups must have approval annotation "${annotation}"`;
	if (text === "") return { state: "Missing", why: `${needed}, ${reference}` };
	if (text.startsWith("unapproved")) return { state: "Unapproved", why: `not approved: ${JSON.stringify(text)}` };
	if (/^[a-z][a-z0-9+.-]*:\/\/[^/?#\s]+/i.test(text) && URL.canParse(text))
		return { state: "Approved", why: `approved in ${text}` };
	return { state: "Invalid", why: `${needed} with either a URL or a reason starting with "unapproved", ${reference}` };
}

/** What is wrong with the approval of a new definition, or of one whose approval has changed. */
export function approvalProblems(definition: CustomResourceDefinition, old?: CustomResourceDefinition): Cause[] {
	if (!isProtected(definition.spec.group)) return [];
	const { state, why } = approvalOf(definition);
	if (old !== undefined && approvalOf(old).state === state) return [];
	if (state === "Missing") return [required(path, why)];
	return state === "Invalid" ? [invalidValue(path, definition.metadata.annotations?.[annotation], why)] : [];
}

/** Undefined for groups that need no approval. */
export function approvalCondition(definition: CustomResourceDefinition): Condition | undefined {
	if (!isProtected(definition.spec.group)) return undefined;
	const { state, why } = approvalOf(definition);
	return {
		type: "KubernetesAPIApprovalPolicyConformant",
		status: state === "Approved" ? "True" : "False",
		reason: `${state}Annotation`,
		message: why,
	};
}
