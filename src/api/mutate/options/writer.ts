import type { Writer } from "../../../core/patches/managed-fields.ts";
import { timestamp } from "../../../core/time/clock.ts";
import { schemasOf } from "../../../kinds/builtin-schemas.ts";
import { apiVersionOf } from "../../../kinds/engine/kind.ts";
import type { Target } from "../../resources/target.ts";
import type { Context } from "../../server/server.ts";
import { fieldManagerOf } from "./write-options.ts";

/**
 * The manager of a write in managedFields, with the stored version, in which all fields are compared regardless of the
 * client's version.
 */
export function writerOf(context: Context, target: Target): Writer {
	return writerAs(fieldManagerOf(context), target, timestamp(context.server.clock.now()));
}

/** @param time RFC 3339 */
export function writerAs(manager: string, { kind, subresource }: Pick<Target, "kind" | "subresource">, time: string) {
	const apiVersion = apiVersionOf(kind);
	const writer: Writer = { manager, apiVersion, typeName: kind.schema, schemas: schemasOf(kind), time };
	if (subresource !== undefined) writer.subresource = subresource;
	if (subresource === undefined ? kind.subresources.status : subresource === "status")
		writer.resetFields = subresource === undefined ? ofStatus : ofSpec;
	return writer;
}

const ofStatus = ["status"];
const ofSpec = ["spec"];
