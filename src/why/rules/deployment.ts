/** Deployments and ReplicaSets. */
import { conditionOf } from "../../core/conditions.ts";
import type { Deployment, ReplicaSet } from "../../kinds/generated/types.ts";
import { commandsIn } from "../findings/commands.ts";
import { type Evidence, podsOf } from "../findings/evidence.ts";
import { type Finding, finding, type Subject } from "../findings/finding.ts";
import { creationProblem } from "./creation.ts";
import { unreadyFindings } from "./members.ts";

const revisionAnnotation = "deployment.kubernetes.io/revision";

export function deploymentFindings(deployment: Deployment, evidence: Evidence): Finding[] {
	const { metadata, spec, status = {} } = deployment;
	const about: Subject = { type: "deployment", name: metadata.name };
	const wanted = spec.replicas ?? 1;
	const commands = commandsIn(evidence.namespace);
	const found: Finding[] = [];
	if (spec.paused) found.push(finding(about, "paused", {}, [`kubectl rollout resume deployment ${metadata.name}`]));
	const newest = newestOf(deployment, evidence);
	if (newest !== undefined) found.push(...setFindings(about, newest, evidence));
	else if (!spec.paused)
		found.push(finding(about, "notYetObserved", {}, [commands.describe("deployment", about.name)]));
	if (conditionOf(deployment, "Progressing")?.reason === "ProgressDeadlineExceeded") {
		const undo = `kubectl rollout undo deployment ${metadata.name}`;
		found.push(finding(about, "progressDeadline", { seconds: spec.progressDeadlineSeconds ?? 600 }, [undo]));
	}
	const count = (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
	if (found.length > 0 && count > 0)
		found.push(finding(about, "oldReplicas", { count }, [commands.get("replicasets")]));
	if (wanted === 0) return [finding(about, "scaledToZero", {}), ...found];
	return found.length > 0 ? found : [finding(about, "complete", { ready: status.readyReplicas ?? 0 })];
}

export function replicaSetFindings(set: ReplicaSet, evidence: Evidence): Finding[] {
	const about: Subject = { type: "replicaset", name: set.metadata.name };
	if (set.spec?.replicas === 0) return [finding(about, "scaledToZero", {})];
	const found = setFindings(about, set, evidence);
	return found.length > 0 ? found : [finding(about, "complete", { ready: set.status?.readyReplicas ?? 0 })];
}

function setFindings(about: Subject, set: ReplicaSet, evidence: Evidence): Finding[] {
	const pods = podsOf(evidence, set.metadata);
	const wanted = set.spec?.replicas ?? 1;
	const uncreated = pods.length < wanted ? creationProblem(about, set.metadata, evidence) : [];
	return [...uncreated, ...unreadyFindings(about, pods, wanted, evidence)];
}

/** The ReplicaSet of the Deployment's current template. */
function newestOf({ metadata }: Deployment, { replicaSets }: Evidence): ReplicaSet | undefined {
	return replicaSets
		.filter((set) => set.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid))
		.toSorted((a, b) => revisionOf(b) - revisionOf(a))[0];
}

function revisionOf({ metadata }: ReplicaSet): number {
	return Number(metadata.annotations?.[revisionAnnotation] ?? 0);
}
