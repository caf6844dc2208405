/** Processes manifests like the server, for tests of kinds. */
import { parse, parseAllDocuments } from "yaml";
import type { Cause } from "../core/errors.ts";
import type { KubeObject } from "../core/object.ts";
import { deepCopy, deepFreeze } from "../core/object.ts";
import { schemasOf } from "./builtin-schemas.ts";
import { lookupKind } from "./catalog.ts";
import { decode } from "./schema.ts";

export interface Created {
	/** As stored; deeply frozen. */
	object: KubeObject;
	/** Problems of decoding, unknown fields and problems of validation, as `path: message`. */
	problems: string[];
	warnings: string[];
}

const now = "2026-01-01T00:00:00Z";

export const texts = (causes: readonly Cause[]): string[] => causes.map(({ field, message }) => `${field}: ${message}`);

/** Decodes, converts, fills in defaults, prepares and validates a new object. */
export function createFrom(manifest: string | object): Created {
	const sent: unknown = typeof manifest === "string" ? parse(manifest) : manifest;
	const { apiVersion = "", kind: kindName = "" } = sent as { apiVersion?: string; kind?: string };
	const found = lookupKind(apiVersion, kindName);
	if (found === undefined) throw new Error(`no kind ${apiVersion} ${kindName}`);
	const { kind, served } = found;
	const { object, problems, unknownFields } = decode(sent, served?.schema ?? kind.schema, schemasOf(kind));
	served?.toStorage(object);
	kind.setDefaults?.(object);
	object.metadata.uid = "0000-1111";
	object.metadata.creationTimestamp = now;
	if (kind.namespaced) object.metadata.namespace ??= "default";
	kind.prepareForCreate?.(object, { now, requester: { name: "tester", groups: [] } });
	const causes = [...problems, ...(kind.validate?.(object) ?? [])];
	const warnings = [
		...(served?.deprecation === undefined ? [] : [served.deprecation]),
		...(kind.warnings?.(object) ?? []),
	];
	return {
		object: deepFreeze(object),
		problems: [...texts(causes), ...unknownFields.map((path) => `unknown field "${path}"`)],
		warnings,
	};
}

/** The problems of changing a stored object, as `path: message`. */
export function updateProblems<T extends KubeObject>(stored: T, change: (object: T) => void): string[] {
	const found = lookupKind(stored.apiVersion, stored.kind);
	if (found === undefined) throw new Error(`no kind ${stored.apiVersion} ${stored.kind}`);
	const { kind } = found;
	const next = deepCopy(stored);
	change(next);
	kind.setDefaults?.(next);
	kind.prepareForUpdate?.(next, stored, { now });
	return texts([...(kind.validate?.(next, stored) ?? []), ...(kind.validateUpdate?.(next, stored) ?? [])]);
}

/** The cells of the object's row, by column name. */
export function cells(object: KubeObject, nowMs: number): Record<string, unknown> {
	const found = lookupKind(object.apiVersion, object.kind);
	return Object.fromEntries((found?.kind.columns ?? []).map((column) => [column.name, column.cell(object, nowMs)]));
}

export function documents(text: string): object[] {
	// A manifest is a YAML object.
	return parseAllDocuments(text).map((document) => document.toJS() as object);
}
