/** Registers an APIService for every group version of custom resources, and removes it with the last of them. */
import { sameJson } from "../../core/equal.ts";
import { customResourceDefinitions } from "../../kinds/apiextensions/customresourcedefinition.ts";
import { apiServices } from "../../kinds/apiregistration/apiservice.ts";
import { automanagedOf, localApiService } from "../../kinds/apiregistration/automanaged.ts";
import { apiServiceName } from "../../kinds/apiregistration/availability.ts";
import { customPriorities } from "../../kinds/apiregistration/priorities.ts";
import type { APIService, CustomResourceDefinition } from "../../kinds/generated/types.ts";
import { create, remove, update } from "../runtime/actions.ts";
import { type Controller, watchRule } from "../runtime/controller.ts";

export interface RegistrationState {
	/** Undefined: no definition serves the group version. */
	wanted: ReturnType<typeof localApiService> | undefined;
	found: APIService | undefined;
}

/** @param builtIn names of APIServices of built-in groups, which are not its affair */
export function apiServiceRegistrationController(builtIn: ReadonlySet<string>): Controller<RegistrationState> {
	const notBuiltIn = (name: string) => !builtIn.has(name);
	return {
		name: "apiservice-registration",
		component: "kube-apiserver",
		watches: [
			watchRule(apiServices, (current, old) => [(current ?? old)?.metadata.name ?? ""].filter(notBuiltIn)),
			watchRule(
				customResourceDefinitions,
				(current, old) => [current, old].flatMap((one) => (one === undefined ? [] : namesOf(one))).filter(notBuiltIn),
				{ indexes: { apiService: namesOf } },
			),
		],
		gather(name, informers) {
			const [definition] = informers.of(customResourceDefinitions).byIndex("apiService", name);
			const found = informers.of(apiServices).get(undefined, name);
			if (definition === undefined) return found && { wanted: undefined, found };
			const { group } = definition.spec;
			const version = name.slice(0, -group.length - 1);
			return { wanted: localApiService({ group, version, ...customPriorities }, "true"), found };
		},
		plan({ wanted, found }) {
			if (wanted === undefined) {
				const isOurs = found !== undefined && automanagedOf(found) !== undefined;
				return { actions: isOurs ? [remove(apiServices, found)] : [] };
			}
			if (found === undefined) return { actions: [create(apiServices, wanted, { orExists: true })] };
			if (automanagedOf(found) !== "true" || sameJson(found.spec, wanted.spec)) return { actions: [] };
			return { actions: [update(apiServices, { ...found, spec: wanted.spec })] };
		},
	};
}

/** Names of the APIServices of its served versions. */
function namesOf({ spec }: CustomResourceDefinition): string[] {
	return spec.versions.filter(({ served }) => served).map(({ name }) => apiServiceName(spec.group, name));
}
