/** Who serves a group version: this server, or the service of an extension API server. */
import { conditionOf } from "../../core/conditions.ts";
import type { Cause } from "../../core/errors.ts";
import { invalidEach, invalidValue, notSupported, required } from "../../core/validation/field-errors.ts";
import { dns1035LabelProblems, dnsSubdomainProblems, portNumberProblems } from "../../core/validation/names.ts";
import { oldVersion } from "../conversion/deprecation.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { APIService, APIServiceSpec, APIServiceStatus } from "../generated/types.ts";
import { isLocal, localCondition, withAvailability } from "./availability.ts";

const highestGroupPriority = 20_000;
const highestVersionPriority = 1000;

export const apiServices: Kind<APIService> = {
	group: "apiregistration.k8s.io",
	version: "v1",
	kind: "APIService",
	plural: "apiservices",
	singular: "apiservice",
	shortNames: [],
	categories: ["api-extensions"],
	namespaced: false,
	schema: "APIService",
	subresources: { status: true },
	hasGeneration: false,
	nameRule: "pathSegment",
	replacesOnlyKnown: true,
	selectableFields: [],
	columns: [
		nameColumn,
		column("Service", "Service that serves the group version.", ({ spec: { service } }) =>
			service === undefined ? "Local" : `${service.namespace}/${service.name}`,
		),
		column("Available", "Whether it can be asked.", availabilityText),
		ageColumn,
	],
	servedAs: [
		oldVersion({
			apiVersion: "apiregistration.k8s.io/v1beta1",
			kind: "APIService",
			deprecatedIn: "v1.19",
			removedIn: "v1.22",
			current: "apiregistration.k8s.io/v1",
		}),
	],

	setDefaults({ spec: { service } }) {
		if (service !== undefined) service.port ??= 443;
	},
	prepareForCreate(apiService, { now }) {
		apiService.status = isLocal(apiService) ? withAvailability(undefined, localCondition, now) : {};
	},
	prepareForUpdate(apiService, old) {
		apiService.status = old.status ?? {};
	},
	prepareForStatusUpdate({ metadata }, { metadata: old }) {
		const { labels, annotations, finalizers, ownerReferences } = old;
		Object.assign(metadata, { labels, annotations, finalizers, ownerReferences });
	},
	validate: ({ metadata, spec }) => [...nameProblems(metadata.name, spec), ...specProblems(spec, "spec")],
	validateStatusUpdate: ({ status }) => statusProblems(status),
};

function availabilityText(apiService: APIService): string {
	const { status = "Unknown", reason = "" } = conditionOf(apiService, "Available") ?? {};
	return status === "True" || reason === "" ? status : `${status} (${reason})`;
}

function nameProblems(name: string, { group = "", version = "" }: APIServiceSpec): Cause[] {
	const wanted = `${version}.${group}`;
	if (name === wanted) return [];
	return [invalidValue("metadata.name", name, `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`)];
}

function specProblems(spec: APIServiceSpec, path: string): Cause[] {
	const { group = "", version = "", groupPriorityMinimum: priority, versionPriority } = spec;
	const causes: Cause[] = [];
	if (group === "" && version !== "v1")
		causes.push(required(`${path}.group`, "only v1 may have an empty group and it better be legacy kube"));
	if (group !== "") causes.push(...invalidEach(`${path}.group`, group, dnsSubdomainProblems(group)));
	causes.push(...invalidEach(`${path}.version`, version, dns1035LabelProblems(version)));
	if (!(priority > 0 && priority <= highestGroupPriority))
		causes.push(invalidValue(`${path}.groupPriorityMinimum`, priority ?? 0, "must be positive and less than 20000"));
	if (!(versionPriority > 0 && versionPriority <= highestVersionPriority))
		causes.push(invalidValue(`${path}.versionPriority`, versionPriority ?? 0, "must be positive and less than 1000"));
	return causes.concat(serviceProblems(spec, path));
}

function serviceProblems({ service, caBundle = "", insecureSkipTLSVerify = false }: APIServiceSpec, path: string) {
	const causes: Cause[] = [];
	const skips = `${path}.insecureSkipTLSVerify`;
	if (service === undefined) {
		const bytes = `${Buffer.from(caBundle, "base64").length} bytes`;
		if (caBundle !== "")
			causes.push(invalidValue(`${path}.caBundle`, bytes, "local APIServices may not have a caBundle"));
		if (insecureSkipTLSVerify)
			causes.push(invalidValue(skips, true, "local APIServices may not have insecureSkipTLSVerify"));
		return causes;
	}
	if (!service.namespace) causes.push(required(`${path}.service.namespace`));
	if (!service.name) causes.push(required(`${path}.service.name`));
	const port = service.port ?? 0;
	const problems = portNumberProblems(port);
	if (problems.length > 0)
		causes.push(invalidValue(`${path}.service.port`, port, `port is not valid: ${problems.join(", ")}`));
	if (insecureSkipTLSVerify && caBundle !== "")
		causes.push(invalidValue(skips, true, "may not be true if caBundle is present"));
	return causes;
}

function statusProblems({ conditions = [] }: APIServiceStatus = {}): Cause[] {
	const known = ["False", "True", "Unknown"];
	return conditions.flatMap(({ status }, index) =>
		known.includes(status) ? [] : [notSupported(`status.conditions[${index}].status`, status, known)],
	);
}
