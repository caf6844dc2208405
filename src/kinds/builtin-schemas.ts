/** The types that every API server knows. */

import { oldTypes } from "./conversion/schemas.ts";
import type { Schemas, TypeSchema } from "./engine/type-schema.ts";
import generated from "./generated/schemas.json" with { type: "json" };
import { historyTypes } from "./history/schemas.ts";
import { notifyTypes } from "./notify/schemas.ts";

// No prototype: a client's field called `constructor` must not find one.
const builtinTypes: Record<string, TypeSchema> = Object.create(null);

// The file is what scripts/generate.ts writes.
add(generated as unknown as Record<string, TypeSchema>);
add(oldTypes((type) => builtinTypes[type] ?? {}));
add(historyTypes);
add(notifyTypes);

/** The types of Kubernetes v1.36's stable APIs, of versions that are served still, and of our own. */
export const builtinSchemas: Schemas = { type: (name) => builtinTypes[name] };

function add(types: Readonly<Record<string, TypeSchema>>): void {
	for (const [name, fields] of Object.entries(types)) builtinTypes[name] = Object.assign(Object.create(null), fields);
}
