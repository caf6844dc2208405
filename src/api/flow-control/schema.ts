/** Which requests a FlowSchema is about (`flowcontrol.apiserver.k8s.io/v1` FlowSchemaSpec). */
import type { User } from "../../core/exchange.ts";
import type {
	FlowcontrolSubject,
	FlowSchema,
	NonResourcePolicyRule,
	PolicyRulesWithSubjects,
	ResourcePolicyRule,
} from "../../kinds/generated/types.ts";
import type { RequestInfo, ResourceInfo } from "../request/request-info.ts";

type Test<T> = (value: T) => boolean;

/** One rule of a schema: subjects and requests. */
export interface SchemaRule {
	isAbout(user: User): boolean;
	asks(info: RequestInfo): boolean;
}

/** Compiled once for each version of the schema. */
export function compileSchema({ spec }: Pick<FlowSchema, "spec">): SchemaRule[] {
	return (spec.rules ?? []).map(compileRule);
}

function compileRule({ subjects, resourceRules = [], nonResourceRules = [] }: PolicyRulesWithSubjects): SchemaRule {
	const resources = resourceRules.map(compileResourceRule);
	const others = nonResourceRules.map(compilePathRule);
	return {
		isAbout: compileSubjects(subjects ?? []),
		asks(info) {
			const { resource } = info;
			if (resource === undefined) {
				for (const rule of others) if (rule(info)) return true;
			} else {
				for (const rule of resources) if (rule(info, resource)) return true;
			}
			return false;
		},
	};
}

const accountPrefix = "system:serviceaccount:";

function compileSubjects(subjects: readonly FlowcontrolSubject[]): Test<User> {
	const users = new Set<string>();
	const groups = new Set<string>();
	/** Of the names of all service accounts of a namespace. */
	const prefixes: string[] = [];
	for (const { kind, user, group, serviceAccount } of subjects) {
		if (kind === "User" && user !== undefined) users.add(user.name);
		if (kind === "Group" && group !== undefined) groups.add(group.name);
		if (kind !== "ServiceAccount" || serviceAccount === undefined) continue;
		const prefix = `${accountPrefix}${serviceAccount.namespace}:`;
		if (serviceAccount.name === "*") prefixes.push(prefix);
		else users.add(`${prefix}${serviceAccount.name}`);
	}
	if (users.has("*") || groups.has("*")) return () => true;
	return ({ name, groups: of }) =>
		users.has(name) || of.some((group) => groups.has(group)) || prefixes.some((prefix) => name.startsWith(prefix));
}

function compileResourceRule({ verbs, apiGroups, resources, namespaces, clusterScope }: ResourcePolicyRule) {
	const [isVerb, isGroup, isResource] = [oneOf(verbs), oneOf(apiGroups), oneOf(resources)];
	const isNamespace = oneOf(namespaces);
	return ({ verb }: RequestInfo, { group, plural, subresource, namespace }: ResourceInfo): boolean => {
		if (!isVerb(verb) || !isGroup(group)) return false;
		if (!isResource(subresource === undefined ? plural : `${plural}/${subresource}`)) return false;
		return namespace === undefined ? clusterScope === true : isNamespace(namespace);
	};
}

function compilePathRule({ verbs, nonResourceURLs }: NonResourcePolicyRule): Test<RequestInfo> {
	const isVerb = oneOf(verbs);
	const all = (nonResourceURLs ?? []).includes("*");
	const exact = new Set(nonResourceURLs);
	/** `/a` and `/a/*` are about everything below, too. */
	const prefixes = (nonResourceURLs ?? []).map((url) => `${url.replace(/\/?\*?$/, "")}/`);
	return ({ method, path }) =>
		isVerb(method) && (all || exact.has(path) || prefixes.some((prefix) => path.startsWith(prefix)));
}

function oneOf(values: readonly string[] = []): Test<string> {
	if (values.includes("*")) return () => true;
	const set = new Set(values);
	return (value) => set.has(value);
}
