/** DaemonSets: nodes that have no pod, or whose pod is not ready. */
import type { DaemonSet } from "../../kinds/generated/types.ts";
import { commandsIn } from "../findings/commands.ts";
import { type Evidence, podsOf } from "../findings/evidence.ts";
import { type Finding, finding, type Subject } from "../findings/finding.ts";
import { creationProblem } from "./creation.ts";
import { unreadyFindings } from "./members.ts";
import { wantedLabel } from "./wanted-label.ts";

export function daemonSetFindings({ metadata, spec, status }: DaemonSet, evidence: Evidence): Finding[] {
	const about: Subject = { type: "daemonset", name: metadata.name };
	const commands = commandsIn(evidence.namespace);
	const show = [commands.describe("daemonset", metadata.name)];
	if (status?.observedGeneration === undefined) return [finding(about, "notYetObserved", {}, show)];
	const wanted = status.desiredNumberScheduled;
	if (wanted === 0) {
		const label = wantedLabel(spec.template.spec);
		return [finding(about, "noNodeMatches", { label }, [...show, "kubectl get nodes --show-labels"])];
	}
	const pods = podsOf(evidence, metadata);
	const found = [
		...(status.currentNumberScheduled < wanted ? creationProblem(about, metadata, evidence) : []),
		...unreadyFindings(about, pods, wanted, evidence),
	];
	const outdated = wanted - (status.updatedNumberScheduled ?? 0);
	if (spec.updateStrategy?.type === "OnDelete" && outdated > 0)
		found.push(finding(about, "onDelete", { outdated }, [commands.get("pods -L controller-revision-hash")]));
	return found.length > 0 ? found : [finding(about, "complete", { ready: status.numberReady })];
}
