import { timestamp } from "../../core/clock.ts";
import type { Writer } from "../../core/patches/managed-fields.ts";
import { schemasOf } from "../../kinds/builtin-schemas.ts";
import { apiVersionOf } from "../../kinds/engine/kind.ts";
import type { Context } from "../server.ts";
import type { Target } from "../target.ts";
import { fieldManagerOf } from "./write-options.ts";

/**
 * Who writes, as managedFields have it: in the stored version, in which all fields are compared, whatever the client
 * speaks.
 */
export function writerOf(context: Context, target: Target): Writer {
	const { kind, subresource } = target;
	const writer: Writer = {
		manager: fieldManagerOf(context),
		apiVersion: apiVersionOf(kind),
		typeName: kind.schema,
		schemas: schemasOf(kind),
		time: timestamp(context.server.clock.now()),
	};
	if (subresource !== undefined) writer.subresource = subresource;
	if (subresource === undefined ? kind.subresources.status : subresource === "status")
		writer.resetFields = subresource === undefined ? ofStatus : ofSpec;
	return writer;
}

const ofStatus = ["status"];
const ofSpec = ["spec"];
