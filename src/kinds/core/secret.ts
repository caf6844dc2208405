import type { Cause } from "../../core/errors.ts";
import { lookup } from "../../core/object.ts";
import { immutable } from "../../core/validation/field-checks.ts";
import { invalidEach, required, tooLongValue } from "../../core/validation/field-errors.ts";
import { configKeyProblems } from "../../core/validation/names.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { Secret } from "../generated/types.ts";
import { frozenFields } from "./configmap.ts";

const limitBytes = 1024 * 1024;
/** Required keys of Secrets by type. */
const neededKeys: Readonly<Record<string, readonly string[]>> = lookup({
	"kubernetes.io/dockercfg": [".dockercfg"],
	"kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
	"kubernetes.io/ssh-auth": ["ssh-privatekey"],
	"kubernetes.io/tls": ["tls.crt", "tls.key"],
});

export const secrets: Kind<Secret> = {
	group: "",
	version: "v1",
	kind: "Secret",
	plural: "secrets",
	singular: "secret",
	shortNames: [],
	categories: [],
	namespaced: true,
	schema: "Secret",
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [{ path: "type", value: ({ type }) => type ?? "" }],
	columns: [
		nameColumn,
		column("Type", "What the secret is for.", ({ type }) => type ?? ""),
		column("Data", "Number of entries.", ({ data }) => Object.keys(data ?? {}).length, "integer"),
		ageColumn,
	],

	setDefaults(secret) {
		secret.type ||= "Opaque";
		if (secret.stringData === undefined) return;
		// stringData is write-only: its values are stored encoded in data.
		const encoded = Object.entries(secret.stringData).map(([key, text]) => [key, Buffer.from(text).toString("base64")]);
		secret.data = { ...secret.data, ...Object.fromEntries(encoded) };
		delete secret.stringData;
	},
	validate({ type, data = {}, metadata }) {
		const causes: Cause[] = [];
		let bytes = 0;
		for (const [key, value] of Object.entries(data)) {
			causes.push(...invalidEach(`data[${key}]`, key, configKeyProblems(key)));
			bytes += Buffer.byteLength(value, "base64");
		}
		if (bytes > limitBytes) causes.push(tooLongValue("data", limitBytes));
		for (const key of neededKeys[type ?? ""] ?? []) if (data[key] === undefined) causes.push(required(`data[${key}]`));
		if (type === "kubernetes.io/basic-auth" && data["username"] === undefined && data["password"] === undefined)
			causes.push(required("data[username]"), required("data[password]"));
		if (type === "kubernetes.io/service-account-token" && !metadata.annotations?.["kubernetes.io/service-account.name"])
			causes.push(required("metadata.annotations[kubernetes.io/service-account.name]"));
		return causes;
	},
	prepareForUpdate(secret, old) {
		// An update without a type keeps it.
		if (!secret.type && old.type) secret.type = old.type;
	},
	validateUpdate: (next, old) => [
		...immutable(next.type, old.type, "type"),
		...(old.immutable === true ? frozenFields(next, old, ["data"]) : []),
	],
};
