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
	return {
		manager: fieldManagerOf(context),
		apiVersion: apiVersionOf(target.kind),
		typeName: target.kind.schema,
		schemas: schemasOf(target.kind),
		time: timestamp(context.server.clock.now()),
		...(target.subresource === undefined ? {} : { subresource: target.subresource }),
		...(target.subresource === undefined && target.kind.subresources.status ? { resetFields: ["status"] } : {}),
	};
}
