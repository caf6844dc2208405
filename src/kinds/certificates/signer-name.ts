import type { Cause } from "../../core/errors.ts";
import { invalidValue, required, tooLongValue } from "../../core/validation/field-errors.ts";
import { dnsLabelProblems, dnsSubdomainProblems } from "../../core/validation/names.ts";

const domainLength = 253;
/** Domain, slash, namespace, dot, name. */
const signerNameLength = domainLength + 1 + 63 + 1 + 253;

/** Who signs, such as `example.com/serving`. */
export function signerNameProblems(name: string, at: string): Cause[] {
	if (name === "") return [required(at, "signerName must be provided")];
	const [domain = "", path, ...more] = name.split("/");
	if (path === undefined || more.length > 0)
		return [invalidValue(at, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")];
	const causes: Cause[] = [];
	if (domain.length > domainLength) causes.push(tooLongValue(at, domainLength));
	const labels = domain.split(".");
	causes.push(...firstLabelProblems(at, domain, labels, dnsLabelProblems));
	if (labels.length < 2)
		causes.push(invalidValue(at, domain, "should be a domain with at least two segments separated by dots"));
	causes.push(...firstLabelProblems(at, path, path.split("."), dnsSubdomainProblems));
	if (name.length > signerNameLength) causes.push(tooLongValue(at, signerNameLength));
	return causes;
}

function firstLabelProblems(
	at: string,
	value: string,
	labels: readonly string[],
	problemsOf: (label: string) => readonly string[],
): Cause[] {
	for (const label of labels) {
		const problems = problemsOf(label);
		if (problems.length > 0)
			return problems.map((problem) => invalidValue(at, value, `validating label "${label}": ${problem}`));
	}
	return [];
}
