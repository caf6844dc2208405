import { Command } from "commander";
import { control } from "../../cluster/control/control-client.ts";
import type { NodeStatus } from "../../cluster/control/control-protocol.ts";
import { onThisMachine } from "../doctor/findings.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { say, sayJson, table } from "../options/output.ts";
import { withProgress } from "../options/progress.ts";
import { wholeNumber } from "../options/whole-number.ts";

export function nodeCommand(): Command {
	const node = new Command("node").description("add, remove and list nodes of the running cluster");
	node.addCommand(
		clusterCommand("add", "add nodes; returns when they are Ready")
			.argument("[names...]", "names of the nodes (default: the next free name)")
			.option("--count <n>", "number of nodes, with generated names", wholeNumber)
			.option("--label <key=value...>", "labels for the new nodes")
			.action(async (names: string[], options: { data?: string; count?: number; label?: string[] }) => {
				const layout = layoutFrom(options);
				const labels = parseLabels(options.label ?? []);
				const wanted = names.length > 0 ? { names } : { count: options.count ?? 1 };
				const added = await withProgress("adding nodes", () =>
					onThisMachine(layout, () => control(layout, "addNodes", { ...wanted, labels })),
				);
				say(`added ${added.map((one) => one.name).join(", ")}`);
			}),
	);
	node.addCommand(
		clusterCommand("remove", "remove a node and everything that runs on it")
			.argument("<name>")
			.action(async (name: string, options: { data?: string }) => {
				const layout = layoutFrom(options);
				await withProgress(`removing ${name}`, () => control(layout, "removeNode", { name }));
				say(`removed ${name}`);
			}),
	);
	node.addCommand(
		clusterCommand("list", "list the nodes")
			.option("--json", "print JSON")
			.action(async (options: { data?: string; json?: true }) => {
				const { nodes } = await control(layoutFrom(options), "status");
				if (options.json) sayJson(nodes);
				else say(nodeTable(nodes));
			}),
	);
	return node;
}

function nodeTable(nodes: readonly NodeStatus[]): string {
	return table([
		["NODE", "STATUS", "ADDRESS", "PODS"],
		...nodes.map((node) => [node.name, node.ready ? "Ready" : "NotReady", node.address, node.podCidr]),
	]);
}

function parseLabels(pairs: readonly string[]): Record<string, string> {
	const labels: Record<string, string> = {};
	for (const pair of pairs) {
		const equals = pair.indexOf("=");
		if (equals < 1) throw new Error(`'${pair}' is not a label: expected key=value`);
		labels[pair.slice(0, equals)] = pair.slice(equals + 1);
	}
	return labels;
}
