/** Refuses annotations by which a workload would help itself, and that nobody could understand (docs/self-help.md). */
import { type Cause, invalid } from "../../core/errors.ts";
import { forbidden } from "../../core/field-errors.ts";
import { cronJobs } from "../../kinds/cronjob.ts";
import { daemonSets } from "../../kinds/daemonset.ts";
import { deployments } from "../../kinds/deployment.ts";
import type { StatefulSet } from "../../kinds/generated/types.ts";
import { jobs } from "../../kinds/job.ts";
import { pods } from "../../kinds/pod.ts";
import { growAnnotation, isAsked, selfHelpProblems } from "../../kinds/self-help/annotations.ts";
import { statefulSets } from "../../kinds/statefulset.ts";
import type { Server } from "../server.ts";
import type { AdmissionStep } from "./step.ts";
import { mayExpand } from "./storage.ts";

export const selfHelp: AdmissionStep = {
	name: "SelfHelp",
	on: { operations: ["create", "update"], kinds: [cronJobs, daemonSets, deployments, jobs, pods, statefulSets] },
	admit({ server, kind, name, object, old }) {
		if (object.metadata.annotations === undefined) return undefined;
		const causes = selfHelpProblems(object, old);
		// Of that kind, both.
		if (kind === statefulSets && old !== undefined)
			causes.push(...claimGrowth(object as StatefulSet, old as StatefulSet, server));
		if (causes.length > 0) throw invalid(kind, name, causes);
		return undefined;
	},
};

/** Upstream's rule for the growth of a claim; claims without a class of their own took the default one, and the controller looks at it. */
function claimGrowth(set: StatefulSet, old: StatefulSet, server: Server): Cause[] {
	if (!isAsked(set, growAnnotation)) return [];
	return (set.spec.volumeClaimTemplates ?? []).flatMap(({ spec }, index) => {
		const before = old.spec.volumeClaimTemplates?.[index]?.spec;
		const [size, oldSize] = [spec, before].map((of) => of?.resources?.requests?.["storage"] ?? "0");
		const className = spec?.storageClassName ?? "";
		if (size === oldSize || className === "" || mayExpand(server, className)) return [];
		const at = `spec.volumeClaimTemplates[${index}].spec.resources.requests.storage`;
		return forbidden(at, `storage class ${className} does not allow volume expansion`);
	});
}
