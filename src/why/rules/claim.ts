/** PersistentVolumeClaims that are not bound. */
import type { PersistentVolumeClaim } from "../../kinds/generated/types.ts";
import { commandsIn } from "../findings/commands.ts";
import { type Evidence, latestEvent } from "../findings/evidence.ts";
import { type Finding, finding, type Subject } from "../findings/finding.ts";

const defaultClass = "storageclass.kubernetes.io/is-default-class";

export function claimFindings(name: string, evidence: Evidence): Finding[] {
	const about: Subject = { type: "persistentvolumeclaim", name };
	const commands = commandsIn(evidence.namespace);
	const claim = evidence.claims.find(({ metadata }) => metadata.name === name);
	if (claim === undefined) return [finding(about, "claimMissing", { claim: name }, [commands.get("pvc")])];
	const show = [commands.describe("pvc", name), "kubectl get storageclass"];
	if (claim.status?.phase === "Bound")
		return [finding(about, "claimBound", { claim: name, volume: claim.spec.volumeName ?? "" }, show.slice(0, 1))];
	if (claim.status?.phase === "Lost") return [finding(about, "claimLost", { claim: name }, show.slice(0, 1))];
	return [unbound(claim, about, evidence, show)];
}

function unbound(
	{ metadata, spec }: PersistentVolumeClaim,
	about: Subject,
	evidence: Evidence,
	show: readonly string[],
): Finding {
	const claim = metadata.name;
	const { storageClassName } = spec;
	const classes = evidence.storageClasses;
	const named = classes.find((one) => one.metadata.name === storageClassName);
	// An empty list may only mean that classes may not be read.
	if (storageClassName && named === undefined && classes.length > 0)
		return finding(about, "claimClassMissing", { claim, storageClass: storageClassName }, show);
	const hasDefault = classes.some((one) => one.metadata.annotations?.[defaultClass] === "true");
	if (storageClassName === undefined && classes.length > 0 && !hasDefault)
		return finding(about, "claimWithoutClass", { claim }, show);
	const event = latestEvent(
		evidence,
		metadata,
		"ProvisioningFailed",
		"FailedBinding",
		"VolumeMismatch",
		"WaitForFirstConsumer",
		"WaitForPodScheduled",
		"ExternalProvisioning",
	);
	if (event?.reason?.startsWith("WaitFor")) return finding(about, "claimWaitsForPod", { claim }, show);
	return finding(about, "claimPending", { claim, message: event?.message ?? "" }, show);
}
