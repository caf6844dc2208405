import { Command } from "commander";
import { readClusterFile } from "../cluster-file/read.ts";
import { say, sayJson } from "../options/output.ts";

export function configCommand(): Command {
	return new Command("config")
		.description("check a file that describes a cluster, for 'cox up -f', and print what it means")
		.argument("<file>", "a Cluster in YAML or JSON")
		.option("--json", "print JSON")
		.action((file: string, options: { json?: true }) => {
			const cluster = readClusterFile("the file", file);
			if (options.json) return sayJson(cluster);
			const { options: settings, nodes } = cluster;
			for (const [name, value] of Object.entries(settings))
				say(`${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`);
			for (const { name, labels, taints } of nodes)
				say(
					[
						`node ${name}`,
						...Object.entries(labels).map(([key, value]) => `${key}=${value}`),
						...taints.map(
							({ key, value, effect }) => `taint ${key}${value === undefined ? "" : `=${value}`}:${effect}`,
						),
					].join("  "),
				);
		});
}
