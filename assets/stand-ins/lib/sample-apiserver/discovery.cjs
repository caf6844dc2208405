// What the sample API server says that it serves: discovery in both forms, and OpenAPI.
"use strict";

exports.group = "wardle.example.com";
/** The preferred one first. */
exports.versions = ["v1beta1", "v1alpha1"];
exports.resources = {
	flunders: { kind: "Flunder", singular: "flunder", shortNames: ["fl"], namespaced: true },
	fischers: { kind: "Fischer", singular: "fischer", shortNames: [], namespaced: false },
};
const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const served = (version) => Object.entries(exports.resources).filter(([name]) => version === "v1alpha1" || name === "flunders");

/** Whether a resource is served in a version. */
exports.isServed = (version, name) => served(version).some(([one]) => one === name);

const groupVersion = (version) => ({ groupVersion: `${exports.group}/${version}`, version });
const apiGroup = () => ({ name: exports.group, versions: exports.versions.map(groupVersion), preferredVersion: groupVersion(exports.versions[0]) });

function resourceList(version) {
	const resources = served(version).map(([name, { kind, singular, shortNames, namespaced }]) => ({ name, singularName: singular, namespaced, kind, verbs, ...(shortNames.length > 0 && { shortNames }) }));
	return { kind: "APIResourceList", apiVersion: "v1", ...{ groupVersion: `${exports.group}/${version}` }, resources };
}

function aggregated() {
	const versions = exports.versions.map((version) => ({
		version,
		freshness: "Current",
		resources: served(version).map(([resource, { kind, singular, shortNames, namespaced }]) => ({
			resource,
			responseKind: { group: exports.group, version, kind },
			scope: namespaced ? "Namespaced" : "Cluster",
			singularResource: singular,
			verbs,
			...(shortNames.length > 0 && { shortNames }),
		})),
	}));
	const items = [{ metadata: { name: exports.group }, versions }];
	return { kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2", metadata: {}, items };
}

/** @returns `{ object, type }`, or undefined for a path that is no discovery */
exports.discovery = function discovery(path, accept) {
	const json = (object) => ({ object, type: "application/json" });
	if (path === "/apis") {
		if (/as=APIGroupDiscoveryList/.test(accept) && /v=v2(?!beta)/.test(accept))
			return { object: aggregated(), type: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList" };
		return json({ kind: "APIGroupList", apiVersion: "v1", groups: [apiGroup()] });
	}
	if (path === `/apis/${exports.group}`) return json({ kind: "APIGroup", apiVersion: "v1", ...apiGroup() });
	const version = exports.versions.find((one) => path === `/apis/${exports.group}/${one}`);
	return version && json(resourceList(version));
};

const typeName = (version, kind) => `com.example.wardle.${version}.${kind}`;
const meta = { type: "object", description: "Standard metadata of an object." };

function definitions(version) {
	const found = {};
	for (const [, { kind }] of served(version)) {
		const gvk = { "x-kubernetes-group-version-kind": [{ group: exports.group, version, kind }] };
		const text = { type: "string" };
		const spec =
			kind === "Flunder"
				? { spec: { type: "object", description: "What the flunder refers to.", properties: { reference: { ...text, description: "Name of another flunder." }, referenceType: text } } }
				: { disallowedFlunders: { type: "array", items: text, description: "Names that flunders may not have." } };
		const properties = { apiVersion: text, kind: text, metadata: meta, ...spec };
		found[typeName(version, kind)] = { type: "object", description: `${kind} of the sample API server.`, properties, ...gvk };
	}
	return found;
}

function paths(version, referenceTo) {
	const found = {};
	for (const [name, { kind, namespaced }] of served(version)) {
		const path = `/apis/${exports.group}/${version}/${namespaced ? "namespaces/{namespace}/" : ""}${name}/{name}`;
		found[path] = { get: { operationId: `read${version}${kind}`, responses: { 200: { description: "OK", ...referenceTo(typeName(version, kind)) } }, "x-kubernetes-action": "get", "x-kubernetes-group-version-kind": { group: exports.group, version, kind } } };
	}
	return found;
}

const info = { title: "sample-apiserver", version: "v1" };

exports.openApiV2 = () => ({
	swagger: "2.0",
	info,
	paths: Object.assign({}, ...exports.versions.map((version) => paths(version, (type) => ({ schema: { $ref: `#/definitions/${type}` } })))),
	definitions: Object.assign({}, ...exports.versions.map(definitions)),
});

exports.openApiV3 = (version) => ({
	openapi: "3.0.0",
	info,
	paths: paths(version, (type) => ({ content: { "application/json": { schema: { $ref: `#/components/schemas/${type}` } } } })),
	components: { schemas: definitions(version) },
});
