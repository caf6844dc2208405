/** Objects of every kind, from its schema: mostly well formed, then changed in places. */

import { schemasOfAll } from "../../src/kinds/builtin-schemas.ts";
import { catalog } from "../../src/kinds/catalog.ts";
import type { Kind } from "../../src/kinds/engine/kind.ts";
import type { FieldSchema } from "../../src/kinds/engine/type-schema.ts";
import type { Chance } from "./chance.ts";
import { anything, number, record, text } from "./values.ts";

const schemas = schemasOfAll(catalog);

const deepest = 6;

/** What makes an object of a kind valid; other fields come from the schema. */
const essentials: Readonly<Record<string, (chance: Chance) => Record<string, unknown>>> = {
	ConfigMap: (chance) => ({ data: record([[text(chance), "v"]]) }),
	Secret: () => ({ data: { k: "YQ==" } }),
	Pod: () => ({ spec: podSpec }),
	PodTemplate: () => ({ template }),
	Deployment: () => ({ spec: { selector, template } }),
	ReplicaSet: () => ({ spec: { selector, template } }),
	DaemonSet: () => ({ spec: { selector, template } }),
	StatefulSet: () => ({ spec: { serviceName: "a", selector, template } }),
	ReplicationController: () => ({ spec: { selector: selector.matchLabels, template } }),
	Job: () => ({ spec: { template: jobTemplate } }),
	CronJob: () => ({ spec: { schedule: "* * * * *", jobTemplate: { spec: { template: jobTemplate } } } }),
	Service: () => ({ spec: { ports: [{ port: 80 }] } }),
	PersistentVolumeClaim: () => ({
		spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
	}),
	HorizontalPodAutoscaler: () => ({
		spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "a" } },
	}),
	PodDisruptionBudget: () => ({ spec: { minAvailable: 1, selector } }),
	ResourceQuota: () => ({ spec: { hard: { pods: "100000" } } }),
	Lease: () => ({ spec: { holderIdentity: "a" } }),
	Role: () => ({ rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] }),
	PriorityClass: () => ({ value: 1 }),
	StorageClass: () => ({ provisioner: "a.b/c" }),
	Ingress: () => ({ spec: { defaultBackend: { service: { name: "a", port: { number: 80 } } } } }),
	NetworkPolicy: () => ({ spec: { podSelector: {} } }),
};
const podSpec = { containers: [{ name: "a", image: "b" }] };
const selector = { matchLabels: { app: "a" } };
const template = { metadata: { labels: { app: "a" } }, spec: podSpec };
const jobTemplate = { spec: { ...podSpec, restartPolicy: "Never" } };

/** An object of the kind, that may be valid. */
export function objectOf(kind: Kind, apiVersion: string, chance: Chance): Record<string, unknown> {
	const object: Record<string, unknown> = {
		apiVersion,
		kind: kind.kind,
		metadata: { name: name(chance), ...(chance.once(3) && { labels: record([[text(chance), text(chance)]]) }) },
		...structuredClone(essentials[kind.kind]?.(chance)),
	};
	const fields = schemas.type(kind.schema) ?? {};
	for (const field of Object.keys(fields)) {
		const schema = fields[field];
		if (schema === undefined || object[field] !== undefined || field === "status" || !chance.once(2)) continue;
		object[field] = fieldValue(schema, chance, 1);
	}
	if (chance.once(3)) mutate(object, kind.schema, chance);
	return object;
}

/** Few, so that requests meet. */
export function name(chance: Chance): string {
	return chance.once(12) ? text(chance) : chance.pick(["a", "b", "c", "web-0", "default", "node-1"]);
}

/** Changes one place, which the schema finds or which nobody expects. */
export function mutate(object: Record<string, unknown>, type: string, chance: Chance): void {
	let at = object;
	let schema = schemas.type(type);
	for (let depth = 0; depth < deepest && schema !== undefined; depth++) {
		const keys = Object.keys(schema);
		if (keys.length === 0) break;
		const key = chance.once(10) ? text(chance) : chance.pick(keys);
		const field = schema[key];
		const inside = at[key];
		const goesOn = typeof inside === "object" && inside !== null && !Array.isArray(inside) && !chance.once(3);
		if (!goesOn || field === undefined) {
			Object.defineProperty(at, key, {
				value: chance.once(3) || field === undefined ? anything(chance) : fieldValue(field, chance, depth),
				enumerable: true,
				configurable: true,
				writable: true,
			});
			return;
		}
		at = inside as Record<string, unknown>;
		schema = field.of === undefined ? schemas.type(field.type) : undefined;
	}
	at[text(chance)] = anything(chance);
}

function fieldValue(field: FieldSchema, chance: Chance, depth: number): unknown {
	if (chance.once(40)) return anything(chance);
	const item = () => itemOf(field.type, chance, depth + 1);
	const length = depth > deepest ? 0 : chance.number(3);
	switch (field.of) {
		case "array":
			return Array.from({ length }, item);
		case "map":
			return record(Array.from({ length }, () => [text(chance), item()]));
		case "arrayMap":
			return record(Array.from({ length }, () => [text(chance), [item()]]));
		default:
			return item();
	}
}

function itemOf(type: string, chance: Chance, depth: number): unknown {
	switch (type) {
		case "string":
			return text(chance);
		case "int32":
		case "int64":
		case "number":
			return number(chance);
		case "boolean":
			return chance.once(2);
		case "quantity":
			return chance.pick(["1", "100m", "1Gi", "-1", "1e3", 5, "x"]);
		case "intOrString":
			return chance.pick([1, "50%", "a", -1, "101%"]);
		case "time":
		case "microTime":
			return chance.pick(["2026-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00Z", "x"]);
		case "bytes":
			return chance.pick(["YQ==", "", "x"]);
		case "any":
			return anything(chance);
		default: {
			const fields = schemas.type(type);
			if (fields === undefined) return anything(chance);
			const object: Record<string, unknown> = {};
			if (depth > deepest) return object;
			for (const key of Object.keys(fields)) {
				const field = fields[key];
				if (field !== undefined && (field.required === true || chance.once(4)))
					object[key] = fieldValue(field, chance, depth + 1);
			}
			return object;
		}
	}
}
