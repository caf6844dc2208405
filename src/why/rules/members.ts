/** The pods of a workload whose order does not matter. */
import type { Pod } from "../../kinds/generated/types.ts";
import { commandsIn } from "../findings/commands.ts";
import type { Evidence } from "../findings/evidence.ts";
import { type Finding, finding, type Subject } from "../findings/finding.ts";
import { isWell, podFindings } from "./pod.ts";

const mostNamed = 3;

/** The pods that are not ready, and the reason of the first: those of one template mostly share it. */
export function unreadyFindings(about: Subject, pods: readonly Pod[], wanted: number, evidence: Evidence): Finding[] {
	const unready = pods.filter((pod) => !isWell(pod));
	const [first] = unready;
	if (first === undefined) return [];
	const names = unready.slice(0, mostNamed).map(({ metadata }) => metadata.name);
	const more = unready.length > mostNamed ? ` (+${unready.length - mostNamed})` : "";
	const params = { pods: `${names.join(", ")}${more}`, ready: pods.length - unready.length, wanted };
	const show = [commandsIn(evidence.namespace).get("pods")];
	return [finding(about, "podsNotReady", params, show), ...podFindings(first, evidence)];
}
