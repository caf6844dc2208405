/** A custom resource is a Kind made at run time, of one version of its definition. */
import type { Cause } from "../../core/errors.ts";
import { lazy } from "../../core/lazy.ts";
import { isRecord, type KubeObject } from "../../core/object.ts";
import type { Kind, ScalePaths } from "../engine/kind.ts";
import type { CustomResourceDefinition, CustomResourceSubresources } from "../generated/types.ts";
import { customColumns, selectableFields } from "./columns.ts";
import { finalizerWarnings } from "./finalizer-warnings.ts";
import { patchTypes } from "./patch-types.ts";
import { blockedRules, ruleCauses, rulesOf } from "./rules/check-rules.ts";
import { scaleSpecCauses, scaleStatusCauses } from "./scale.ts";
import { checkValue } from "./schema/check.ts";
import { embeddedCauses, embeddedResources } from "./schema/embedded.ts";
import { listCauses, uniqueLists } from "./schema/lists.ts";
import { SchemaNode } from "./schema/schema-node.ts";
import type { SchemaProps } from "./schema/schema-props.ts";
import { takeObject } from "./schema/take.ts";
import { deprecationOf, versionOf } from "./versions.ts";

/**
 * The definition is one that has been validated; of its schema, the parts that objects need are made when the first
 * object comes.
 * @throws Error when the definition has no such version
 */
export function customKind(definition: CustomResourceDefinition, versionName: string): Kind {
	const { spec, status } = definition;
	const version = versionOf(definition, versionName);
	const accepted = status?.acceptedNames;
	const names = accepted === undefined || accepted.kind === "" ? spec.names : accepted;
	const root = lazy(() => schemaOf(definition, versionName));
	const typeName = typeNameOf(spec.group, versionName, names.kind);
	const subresources = subresourcesOf(version.subresources);
	const deprecation = deprecationOf(definition, versionName);
	const { validate, validateStatusUpdate } = validation(root, subresources.scale);
	const node = lazy(() => new SchemaNode(root()));
	return {
		group: spec.group,
		version: versionName,
		kind: names.kind,
		plural: names.plural,
		singular: names.singular ?? names.kind.toLowerCase(),
		shortNames: names.shortNames ?? [],
		categories: names.categories ?? [],
		namespaced: spec.scope === "Namespaced",
		schema: typeName,
		schemas: patchTypes(root, typeName),
		subresources,
		hasGeneration: true,
		nameRule: "dnsSubdomain",
		withoutStrategicMerge: true,
		selectableFields: selectableFields(version.selectableFields),
		columns: customColumns(version.additionalPrinterColumns),
		...(deprecation !== undefined && { deprecation }),
		decode(value, options) {
			const { value: object, problems, unknownFields } = takeObject(value, node(), options);
			// What a client sent: its apiVersion and metadata are for the caller to check.
			return { object: object as unknown as KubeObject, problems, unknownFields };
		},
		prepareForCreate(object) {
			if (subresources.status) delete (object as { status?: unknown }).status;
		},
		validate,
		validateStatusUpdate,
		warnings: finalizerWarnings,
	};
}

/** The schema of a version; without one, whatever is sent is kept. */
export function schemaOf(definition: CustomResourceDefinition, versionName: string): SchemaProps {
	const { spec } = definition;
	// The generated type knows less of the same schema.
	const schema = versionOf(definition, versionName).schema?.openAPIV3Schema as SchemaProps | undefined;
	if (schema === undefined || spec.preserveUnknownFields === true)
		return { ...(schema ?? { type: "object" }), "x-kubernetes-preserve-unknown-fields": true };
	return schema;
}

/** `com.example.v1.Foo` */
function typeNameOf(group: string, version: string, kind: string): string {
	return `${group.split(".").reverse().join(".")}.${version}.${kind}`;
}

function subresourcesOf({ status, scale }: CustomResourceSubresources = {}): Kind["subresources"] {
	const paths: ScalePaths | undefined = scale && {
		specReplicas: scale.specReplicasPath,
		statusReplicas: scale.statusReplicasPath,
		...(scale.labelSelectorPath !== undefined && { selector: scale.labelSelectorPath }),
	};
	return { ...(status !== undefined && { status: true }), ...(paths !== undefined && { scale: paths }) };
}

type Validation = Required<Pick<Kind, "validate" | "validateStatusUpdate">>;

function validation(root: () => SchemaProps, scale: ScalePaths | undefined): Validation {
	const plan = lazy(() => {
		const schema = root();
		return {
			node: new SchemaNode(schema),
			lists: uniqueLists(schema),
			embedded: embeddedResources(schema),
			rules: rulesOf(schema),
		};
	});

	/** Adds what the rules of the schema say about an object that is right in everything else that they rely on. */
	function withRules(causes: Cause[], object: object, old: object | undefined): Cause[] {
		const { rules, node } = plan();
		if (rules === undefined) return causes;
		const blocked = blockedRules(causes);
		return causes.concat(blocked ?? ruleCauses(rules, node, object, { old }));
	}

	/** Lists that had double items before may have them still. */
	function repeated(object: object, old: object | undefined): Cause[] {
		const { lists } = plan();
		const causes = listCauses(lists, object);
		return causes.length > 0 && old !== undefined && listCauses(lists, old).length > 0 ? [] : causes;
	}

	return {
		validate(object, old) {
			const { node, embedded } = plan();
			const causes = checkValue(node, object, { old }).concat(
				scaleSpecCauses(scale, object),
				scaleStatusCauses(scale, object),
				embeddedCauses(embedded, object),
				repeated(object, old),
			);
			return withRules(causes, object, old);
		},
		validateStatusUpdate(object, old) {
			const node = plan().node.field("status");
			const [status, oldStatus] = [statusOf(object), statusOf(old)];
			const causes =
				node === undefined || status === undefined ? [] : checkValue(node, status, { old: oldStatus, base: "status" });
			return withRules(causes.concat(scaleStatusCauses(scale, object), repeated(object, old)), object, old);
		},
	};
}

function statusOf(object: object): unknown {
	return isRecord(object) ? object["status"] : undefined;
}
