import { ApiError, notFound } from "../../core/errors.ts";
import { namespaces } from "../../kinds/core/namespace.ts";
import { type AdmissionStep, refused } from "../server/admission-step.ts";

const permanent = new Set(["default", "kube-system", "kube-public"]);

/** Rejects creates in missing and terminating namespaces, and the deletion of the initial namespaces. */
export const namespaceLifecycle: AdmissionStep = {
	name: "NamespaceLifecycle",
	on: { operations: ["create", "delete"] },
	admit(request) {
		const { server, operation, kind, namespace, name } = request;
		if (operation === "delete") {
			if (kind.group === "" && kind.plural === "namespaces" && permanent.has(name))
				throw refused(request, "this namespace may not be deleted");
			return;
		}
		if (!kind.namespaced || namespace === undefined) return;
		const found = server.cache.find(namespaces, undefined, namespace);
		if (found === undefined) throw notFound(namespaces, namespace);
		if (found.metadata.deletionTimestamp === undefined) return;
		// Access reviews and similar objects are not content.
		const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
		const error = refused(request, why);
		throw new ApiError("Forbidden", error.message, {
			...error.details,
			causes: [
				{
					reason: "NamespaceTerminating",
					message: `namespace ${namespace} is being terminated`,
					field: "metadata.namespace",
				},
			],
		});
	},
};
