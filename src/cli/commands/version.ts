import type { Command } from "commander";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { say, sayJson } from "../options/output.ts";
import { type Versions, versions } from "../options/versions.ts";

export function versionCommand(): Command {
	return clusterCommand("version", "show the versions of cox, the running cluster, Kubernetes and Node.js")
		.option("--json", "print JSON")
		.action(async (options: { data?: string; json?: true }) => {
			const found = await versions(layoutFrom(options));
			if (options.json) sayJson(found);
			else say(versionText(found));
		});
}

function versionText({ client, server }: Versions): string {
	return [
		`cox         ${client.version} (Kubernetes ${client.kubernetes})`,
		`server      ${server === null ? "not running" : `${server.version} (Kubernetes ${server.kubernetes})`}`,
		`Node.js     ${client.node} (${client.platform})`,
		...(server !== null && server.version !== client.version
			? ["The server is of another version: 'cox down' and 'cox up' start this one"]
			: []),
	].join("\n");
}
