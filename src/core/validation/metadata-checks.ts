/** What is wrong with the parts of metadata that clients decide. */
import type { Cause } from "../errors.ts";
import type { ObjectMeta } from "../object.ts";
import { shortened } from "../shown.ts";
import { invalidEach, invalidValue } from "./field-errors.ts";
import { finalizerDomainProblems, labelValueProblems, qualifiedNameProblems } from "./names.ts";

const largestAnnotationsBytes = 256 * 1024;

/**
 * @param options.path of the metadata: an object can have others inside of it
 * @param options.finalizersOfAnyName finalizers need not name a domain
 */
export function changeableMetadataCauses(
	metadata: Partial<ObjectMeta>,
	{ path = "metadata", finalizersOfAnyName = false } = {},
): Cause[] {
	const causes: Cause[] = [];
	for (const key in metadata.labels) {
		const value = metadata.labels[key] ?? "";
		causes.push(...invalidEach(`${path}.labels`, key, qualifiedNameProblems(key)));
		causes.push(...invalidEach(`${path}.labels`, value, labelValueProblems(value)));
	}
	let annotationsBytes = 0;
	for (const key in metadata.annotations) {
		causes.push(...invalidEach(`${path}.annotations`, key, qualifiedNameProblems(key.toLowerCase())));
		annotationsBytes += key.length + Buffer.byteLength(metadata.annotations[key] ?? "");
	}
	if (annotationsBytes > largestAnnotationsBytes) {
		causes.push({
			reason: "FieldValueTooLong",
			message: `Too long: may not be more than ${largestAnnotationsBytes} bytes`,
			field: `${path}.annotations`,
		});
	}
	for (const [index, finalizer] of (metadata.finalizers ?? []).entries()) {
		causes.push(...invalidEach(`${path}.finalizers`, finalizer, qualifiedNameProblems(finalizer)));
		if (!finalizersOfAnyName)
			causes.push(...invalidEach(`${path}.finalizers[${index}]`, finalizer, finalizerDomainProblems(finalizer)));
	}
	return causes.concat(ownerCauses(metadata, `${path}.ownerReferences`));
}

function ownerCauses({ ownerReferences = [] }: Partial<ObjectMeta>, path: string): Cause[] {
	const causes: Cause[] = [];
	let controller: string | undefined;
	for (const [index, owner] of ownerReferences.entries()) {
		const where = `${path}[${index}]`;
		for (const field of ["apiVersion", "kind", "name", "uid"] as const) {
			if ((owner[field] ?? "") === "") causes.push(invalidValue(`${where}.${field}`, "", "must not be empty"));
		}
		if (owner.controller !== true) continue;
		if (controller !== undefined) {
			const why = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${shortened(`${owner.kind}/${owner.name}`)}`;
			causes.push(invalidValue(path, ownerReferences, why));
		}
		controller ??= shortened(`${owner.kind}/${owner.name}`);
	}
	return causes;
}
