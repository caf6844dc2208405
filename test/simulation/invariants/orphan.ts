import { controllerOf, type KubeObject } from "../../../src/core/object.ts";
import type { Invariant } from "./invariant.ts";

/** What an owner's deletion was told to leave behind is not collected, until someone adopts it. */
export function orphansStay(): Invariant {
	/** uid of an object → its owner's uid. */
	const orphans = new Map<string, string>();
	return {
		observe(current, old, truth) {
			if (current !== undefined && isGoing(current) && !isGoing(old) && leavesOrphans(current)) {
				for (const { metadata } of truth.objects.values()) {
					if (metadata.ownerReferences?.some(({ uid }) => uid === current.metadata.uid))
						orphans.set(metadata.uid, current.metadata.uid);
				}
			}
			const subject = current ?? old;
			const owner = subject && orphans.get(subject.metadata.uid);
			if (subject === undefined || owner === undefined) return;
			const adopter = controllerOf(subject)?.uid;
			if (adopter !== undefined && adopter !== owner) orphans.delete(subject.metadata.uid);
			else if ((current === undefined || isGoing(current)) && truth.collected.has(subject.metadata.uid)) {
				orphans.delete(subject.metadata.uid);
				// It was deleted once more, in another way.
				if (truth.deletedByUser.has(owner)) return;
				truth.violation(
					`${subject.kind} ${subject.metadata.name} was collected though its owner was to leave it behind`,
				);
			}
		},
	};
}

function isGoing(object: KubeObject | undefined): boolean {
	return object?.metadata.deletionTimestamp !== undefined;
}

function leavesOrphans({ metadata }: KubeObject): boolean {
	return metadata.finalizers?.includes("orphan") ?? false;
}
