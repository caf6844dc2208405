/** The contract of an admission plugin. */
import { ApiError } from "../../core/errors.ts";
import { type Kind, qualifiedResource } from "../../kinds/engine/kind.ts";
import type { AdmissionAttributes } from "./server.ts";

export interface AdmissionStep {
	/** As upstream names its plugin. */
	readonly name: string;
	/** Taken only where the server's options name it (`ApiOptions.admissionPlugins`). */
	readonly isOptional?: true;
	/** Which requests it checks. */
	readonly on: {
		operations: readonly AdmissionAttributes["operation"][];
		/** All kinds when absent. */
		kinds?: readonly Pick<Kind, "group" | "plural">[];
		/** Also subresources. Default: only whole objects. */
		subresources?: true;
	};
	/**
	 * @returns undefined when it is done, a promise when it has to wait
	 * @throws ApiError when the request is not admitted
	 */
	admit(request: AdmissionAttributes): Promise<void> | undefined;
}

/** Upstream's answer of an admission plugin that refuses. */
export function refused(
	{ kind, name, object }: Pick<AdmissionAttributes, "kind" | "name" | "object">,
	why: string,
): ApiError {
	const shown = name === "" ? (object.metadata.generateName ?? "") : name;
	return new ApiError("Forbidden", `${qualifiedResource(kind)} "${shown}" is forbidden: ${why}`, {
		name: shown,
		...(kind.group === "" ? {} : { group: kind.group }),
		kind: kind.plural,
	});
}
