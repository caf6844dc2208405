import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import { control } from "../../cluster/control/control-client.ts";
import { knownData } from "../../cluster/data/known-data.ts";
import { clusterName, type Layout, layoutOf } from "../../cluster/files/layout.ts";
import { apiAddress } from "../../cluster/pki/server-names.ts";
import { readSettings } from "../../cluster/settings/settings.ts";
import { changeKubeconfig, usualKubeconfig } from "../clusters/kubeconfig-file.ts";
import { withContext, withoutContext } from "../clusters/merge.ts";
import { say, sayJson, table } from "../options/output.ts";

interface KnownCluster {
	/** Also of its context in kubeconfigs. */
	name: string;
	data: string;
	state: "running" | "stopped";
	/** Of the last start; absent if there was none. */
	server?: string;
	runtime: string;
	nodes: number;
	/** The one that commands without `--data` mean. */
	isDefault: boolean;
}

export function clustersCommand(): Command {
	const clusters = new Command("clusters").description("list the clusters of this machine, and switch kubectl to one");
	clusters.addCommand(
		new Command("list")
			.description("list your clusters, running or not")
			.option("--json", "print JSON")
			.action(async (options: { json?: true }) => {
				const known = await Promise.all(knownData().map((data) => knownCluster(layoutOf(data))));
				if (options.json) sayJson(known);
				else if (known.length === 0) say("no clusters; start one with 'cox up'");
				else say(clusterTable(known));
			}),
		{ isDefault: true },
	);
	const kubeconfigOption = ["--kubeconfig <file>", "the kubeconfig to change (default: ~/.kube/config)"] as const;
	clusters.addCommand(
		new Command("use")
			.description("add the context of a cluster to ~/.kube/config, and make it the current one")
			.argument("<name>", "name or data directory of the cluster")
			.option(...kubeconfigOption)
			.action((name: string, options: { kubeconfig?: string }) => {
				const layout = layoutNamed(name);
				if (!existsSync(layout.kubeconfig)) throw new Error(`the cluster in ${layout.data} was never started`);
				const context = clusterName(layout);
				const file = kubeconfigFile(options, layout);
				changeKubeconfig(file, (text) => withContext(text, context, readFileSync(layout.kubeconfig, "utf8")));
				say(`${context} is the current context of ${file}; 'cox clusters unuse ${context}' takes it out again`);
			}),
	);
	clusters.addCommand(
		new Command("unuse")
			.description("take the context of a cluster out of ~/.kube/config, and restore the one before")
			.argument("<name>", "name of the cluster, which need not exist, or its data directory")
			.option(...kubeconfigOption)
			.action((name: string, options: { kubeconfig?: string }) => {
				const context = name.includes("/") ? clusterName(layoutOf(name)) : name;
				const file = kubeconfigFile(options);
				changeKubeconfig(file, (text) => withoutContext(text, context));
				say(`${context} is no longer in ${file}`);
			}),
	);
	return clusters;
}

function kubeconfigFile({ kubeconfig }: { kubeconfig?: string }, layout?: Layout): string {
	const file = resolve(kubeconfig ?? usualKubeconfig());
	if (file === layout?.kubeconfig) throw new Error(`${file} is the cluster's own kubeconfig`);
	return file;
}

/** @throws Error that says which there are */
function layoutNamed(name: string): Layout {
	if (name.includes("/")) return layoutOf(name);
	const known = knownData().map(layoutOf);
	const found = known.find((layout) => clusterName(layout) === name);
	if (found !== undefined) return found;
	const names = known.map(clusterName).join(", ");
	throw new Error(`there is no cluster ${name}${names === "" ? "" : `; there is ${names}`}`);
}

async function knownCluster(layout: Layout): Promise<KnownCluster> {
	const settings = readSettings(layout.settings);
	const status = await control(layout, "status").catch(() => undefined);
	const server = status?.server ?? (settings?.port ? apiAddress(settings.port) : undefined);
	return {
		name: clusterName(layout),
		data: layout.data,
		state: status === undefined ? "stopped" : "running",
		...(server !== undefined && { server }),
		runtime: settings?.runtime ?? "",
		nodes: Object.keys(settings?.nodes ?? {}).length,
		isDefault: layout.data === layoutOf(undefined).data,
	};
}

function clusterTable(known: readonly KnownCluster[]): string {
	return table([
		["", "NAME", "STATE", "API SERVER", "RUNTIME", "NODES", "DATA"],
		...known.map(({ isDefault, name, state, server = "-", runtime, nodes, data }) => [
			isDefault ? "*" : "",
			name,
			state,
			server,
			runtime,
			String(nodes),
			data,
		]),
	]);
}
