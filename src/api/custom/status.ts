import { isReason, notFound } from "../../core/errors.ts";
import { deepCopy, type KubeObject } from "../../core/object.ts";
import { timestamp } from "../../core/time/clock.ts";
import { customResourceDefinitions } from "../../kinds/apiextensions/customresourcedefinition.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { CustomResourceDefinition, CustomResourceDefinitionStatus } from "../../kinds/generated/types.ts";
import { ownContext } from "../mutate/own.ts";
import { updateObject } from "../mutate/update.ts";
import { unassigned } from "../resources/metadata.ts";
import { objectOf } from "../resources/target.ts";
import type { Server } from "../server/server.ts";

/** What the server itself says of a definition. */
export interface Said {
	status: CustomResourceDefinitionStatus | undefined;
	/** Default: as they are. */
	finalizers?: readonly string[];
}

/**
 * Writes the status of a definition; of one that is gone, nothing.
 * @param say what to write, from the current definition; called again after a conflict
 */
export async function changeStatus(
	server: Server,
	definition: CustomResourceDefinition,
	say: (current: CustomResourceDefinition, now: string) => Said,
): Promise<void> {
	// Of the kind's own objects nothing but its own code is asked for here.
	const kind = customResourceDefinitions as Kind;
	const target = objectOf(server, kind, definition, "status");
	const now = timestamp(server.clock.now());
	try {
		await updateObject(ownContext(server), target, {
			make({ object }) {
				if (object.metadata.uid !== definition.metadata.uid) throw notFound(kind, object.metadata.name);
				// The target names the kind.
				const current = object as CustomResourceDefinition;
				const { status, finalizers } = say(current, now);
				const metadata = { ...deepCopy(current.metadata), resourceVersion: unassigned };
				if (finalizers !== undefined) metadata.finalizers = [...finalizers];
				const { status: _, ...rest } = current;
				return { ...rest, metadata, ...(status !== undefined && { status }) } as KubeObject;
			},
			strategy: { prepare() {}, validate: () => [] },
		});
	} catch (error) {
		if (!isReason(error, "NotFound")) throw error;
	}
}
