/** Parameters of policies: which kind they are of, and which of its objects a binding means. */
import type { Cause } from "../../core/errors.ts";
import { forbidden, invalidEach, invalidValue, notSupported, required } from "../../core/validation/field-errors.ts";
import { dnsLabelProblems, dnsSubdomainProblems } from "../../core/validation/names.ts";
import { validateLabelSelector } from "../engine/label-selector.ts";
import type { ParamKind, ParamRef } from "../generated/types.ts";

export function validateParamKind({ apiVersion = "", kind = "" }: ParamKind, path: string): Cause[] {
	const causes: Cause[] = [];
	const parts = apiVersion.split("/");
	const [group, version] = parts.length === 1 ? ["", parts[0] ?? ""] : [parts[0] ?? "", parts[1] ?? ""];
	const at = `${path}.apiVersion`;
	if (apiVersion === "") causes.push(required(at));
	else if (parts.length > 2) causes.push(invalidValue(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
	else {
		if (group !== "") causes.push(...invalidEach(at, group, dnsSubdomainProblems(group)));
		if (version === "") causes.push(invalidValue(at, apiVersion, "version must be specified"));
		else causes.push(...invalidEach(at, version, dnsLabelProblems(version)));
	}
	if (kind === "") causes.push(required(`${path}.kind`));
	else
		causes.push(
			...dnsLabelProblems(kind.toLowerCase()).map((problem) =>
				invalidValue(`${path}.kind`, kind, `may have mixed case, but should otherwise match: ${problem}`),
			),
		);
	return causes;
}

export function validateParamRef(
	{ name = "", selector, parameterNotFoundAction = "" }: ParamRef,
	path: string,
): Cause[] {
	const causes: Cause[] = [];
	if (name !== "") {
		causes.push(...invalidEach(`${path}.name`, name, dnsSubdomainProblems(name)));
		if (selector !== undefined) causes.push(forbidden(`${path}.name`, "name and selector are mutually exclusive"));
	} else if (selector === undefined) causes.push(required(path, "one of name or selector must be specified"));
	causes.push(...validateLabelSelector(selector, `${path}.selector`));
	const at = `${path}.parameterNotFoundAction`;
	if (parameterNotFoundAction === "") causes.push(required(at));
	else if (parameterNotFoundAction !== "Allow" && parameterNotFoundAction !== "Deny")
		causes.push(notSupported(at, parameterNotFoundAction, ["Deny", "Allow"]));
	return causes;
}
