/** Definitions with every form of a schema. */

const schema = {
	description:
		'A ship.\nIt has "*/" in its description, and a line that is so long that it does not fit into the width of a line of this project.',
	type: "object",
	required: ["spec"],
	properties: {
		apiVersion: { type: "string" },
		kind: { type: "string" },
		metadata: { type: "object" },
		spec: {
			type: "object",
			required: ["port", "mode"],
			properties: {
				port: { "x-kubernetes-int-or-string": true },
				mode: { description: "How it moves.", type: "string", enum: ["sail", "steam", ""] },
				crew: {
					type: "array",
					items: { type: "object", required: ["name"], properties: { name: { type: "string" } } },
				},
				cargo: { type: "object", additionalProperties: { type: "integer" } },
				holds: { type: "object", additionalProperties: { type: "object", properties: { open: { type: "boolean" } } } },
				note: { type: "string", nullable: true },
				tags: { type: "array", items: { type: "string", enum: ["a", "b"] } },
				raw: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
				any: { "x-kubernetes-preserve-unknown-fields": true },
				open: {
					type: "object",
					"x-kubernetes-preserve-unknown-fields": true,
					properties: { known: { type: "number" } },
				},
				template: {
					type: "object",
					"x-kubernetes-embedded-resource": true,
					"x-kubernetes-preserve-unknown-fields": true,
				},
				"odd-name": { type: "boolean" },
			},
		},
		status: { type: "object", properties: { phase: { type: "string" } } },
	},
};
export const definition = (group: string, versions: object[]) => ({
	source: "ships.yaml",
	object: {
		kind: "CustomResourceDefinition",
		metadata: { name: `ships.${group}` },
		spec: { group, scope: "Namespaced", names: { kind: "Ship", plural: "ships" }, versions },
	},
});
const v1 = {
	name: "v1",
	served: true,
	storage: true,
	subresources: { status: {} },
	schema: { openAPIV3Schema: schema },
};
const old = { name: "v1beta1", served: true, storage: false, schema: { openAPIV3Schema: { type: "object" } } };
const gone = { ...old, name: "v1alpha1", served: false };

export const ships = [definition("a.example.com", [old, v1, gone]), definition("b.example.com", [v1])];
