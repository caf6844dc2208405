/** Nodes: not ready, cordoned, or short of something. */
import { conditionOf, isTrue } from "../../core/conditions.ts";
import type { Node } from "../../kinds/generated/types.ts";
import { commandsIn } from "../findings/commands.ts";
import type { Evidence } from "../findings/evidence.ts";
import { type Finding, finding, type Subject } from "../findings/finding.ts";

const pressures = ["MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"];

export function nodeFindings(node: Node, evidence: Evidence): Finding[] {
	const about: Subject = { type: "node", name: node.metadata.name };
	const { name } = about;
	const problem = nodeProblem(name, evidence);
	const show = [commandsIn(evidence.namespace).describe("node", name)];
	const found: Finding[] = problem === undefined ? [] : [problem];
	const under = pressures.filter((type) => isTrue(node, type));
	if (under.length > 0) found.push(finding(about, "nodePressure", { node: name, conditions: under.join(", ") }, show));
	if (node.spec?.unschedulable)
		found.push(finding(about, "nodeCordoned", { node: name }, [`kubectl uncordon ${name}`]));
	return found.length > 0 ? found : [finding(about, "nodeFine", { node: name })];
}

/** The finding about a node that is not ready; undefined if it is, or if the nodes are not known. */
export function nodeProblem(name: string, evidence: Evidence): Finding | undefined {
	const node = evidence.nodes.find(({ metadata }) => metadata.name === name);
	if (node === undefined || isTrue(node, "Ready")) return undefined;
	const { message = "" } = conditionOf(node, "Ready") ?? {};
	const show = commandsIn(evidence.namespace).describe("node", name);
	return finding({ type: "node", name }, "nodeNotReady", { node: name, message }, [show]);
}
