/** What happens to an object between the request and the store: a list of phases, in order. */

import { invalid } from "../../core/errors.ts";
import { timestamp } from "../../core/time/clock.ts";
import { generateName } from "../../core/validation/names.ts";
import { newUid } from "../../core/validation/uid.ts";
import { qualifiedResource } from "../../kinds/engine/kind.ts";
import { admit, allocate, check } from "../admission/admission.ts";
import { stepsInTurn } from "../admission/steps-in-turn.ts";
import {
	metadataForCreate,
	metadataForUpdate,
	metadataProblems,
	metadataUpdateProblems,
} from "../resources/metadata.ts";
import { checkIdentity, checkNamespace } from "./identity.ts";
import { trackFields } from "./managed-fields.ts";
import { problemsOf } from "./problems.ts";
import { before, type Write } from "./write.ts";

/**
 * Completes synchronously and returns undefined, or returns a promise.
 * @throws ApiError synchronously or in the promise
 */
type Phase = (write: Write) => Promise<void> | undefined;

/**
 * For a deletion, only admission applies. A change of a subresource is admitted as the resulting object. A complete
 * object is admitted as it was sent, so that fields that admission fills in again are not changes.
 */
const phases: readonly Phase[] = [
	settleMetadata,
	preparePart,
	trackFields,
	admit,
	prepareWhole,
	allocateUnlessDeleted,
	validate,
	check,
	warn,
];

/** @returns undefined if everything completed synchronously, as for most writes */
export function settle(write: Write): Promise<void> | undefined {
	return stepsInTurn(phases, write);
}

/**
 * Admission only, for operations that are not writes themselves: an eviction, which is admitted before it writes
 * anything.
 * @returns undefined if everything completed synchronously
 */
export function admitOnly(write: Write): Promise<void> | undefined {
	return stepsInTurn(admission, write);
}

const admission: readonly Phase[] = [admit, check];

/** Sets the parts of metadata that the server determines, and checks that the rest matches the path. */
function settleMetadata(write: Write): undefined {
	const { operation, target, kind, object, server, nowMs } = write;
	if (operation === "create") {
		checkNamespace(target, object.metadata);
		const facts = { uid: newUid(server.clock), nowMs, namespace: target.namespace };
		object.metadata = metadataForCreate(kind, object.metadata, facts);
	} else if (operation === "update") {
		checkIdentity(target, object.metadata);
		object.metadata = metadataForUpdate(kind, object.metadata, before(write).metadata);
	}
}

/** Decodes the parts of subresources' objects that are kept, which admission needs. */
function preparePart(write: Write): undefined {
	const { subresource, strategy, object } = write;
	if (subresource !== undefined) strategy?.prepare(object, before(write));
}

function prepareWhole(write: Write): undefined {
	const { operation, subresource, strategy, kind, object, server, user, nowMs } = write;
	if (operation === "create") {
		const { metadata } = object;
		if (metadata.name === "" && metadata.generateName !== undefined)
			metadata.name = generateName(metadata.generateName, server.clock.random);
		write.name = metadata.name;
		kind.prepareForCreate?.(object, { now: timestamp(nowMs), requester: user });
	} else if (subresource === undefined) strategy?.prepare(object, before(write));
}

/** What a deletion releases is only known when it removes the object (see `mutate`). */
function allocateUnlessDeleted(write: Write): Promise<void> | undefined {
	return write.operation === "delete" ? undefined : allocate(write);
}

function validate(write: Write): undefined {
	const { operation, kind, name, object, target, strategy } = write;
	if (operation === "delete") return;
	const causes = problemsOf(() => {
		if (operation === "create")
			return metadataProblems(kind, object.metadata).concat(
				kind.validate?.(object) ?? [],
				target.served?.validate?.(object) ?? [],
			);
		const old = before(write);
		return metadataUpdateProblems(kind, object.metadata, old).concat(
			strategy?.validate(object, old) ?? [],
			target.served?.validate?.(object, old) ?? [],
		);
	});
	if (causes.length > 0) throw invalid(kind, name, causes);
}

function warn({ server, operation, subresource, kind, object, old, warnings }: Write): undefined {
	if (operation === "delete" || subresource !== undefined) return;
	const without = operation === "create" ? server.options.withoutEffect?.[qualifiedResource(kind)] : undefined;
	if (without !== undefined) warnings.push(without);
	if (kind.warnings !== undefined) warnings.push(...kind.warnings(object, old));
}
