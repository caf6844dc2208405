import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { NotRunning } from "../../cluster/control/control-client.ts";
import { clusterName, type Layout } from "../../cluster/files/layout.ts";
import { kubeconfigText } from "../../cluster/pki/kubeconfig.ts";
import { systemClock } from "../../core/time/clock.ts";
import { dnsLabelProblems } from "../../core/validation/names.ts";
import { replaceFile } from "../../linux/replace-file.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { say } from "../options/output.ts";

interface KubeconfigOptions {
	data?: string;
	user?: string;
	group?: string[];
	namespace?: string;
}

export function kubeconfigCommand(): Command {
	return clusterCommand("kubeconfig", "print the path of the kubeconfig")
		.option("--user <name>", "create a kubeconfig for this user instead of the administrator's")
		.option("--group <name...>", "groups of the user")
		.option("--namespace <name>", "the default namespace of the kubeconfig (default: default)")
		.action(async (options: KubeconfigOptions) => {
			const layout = layoutFrom(options);
			if (!existsSync(layout.kubeconfig)) throw new NotRunning(layout.data);
			if (options.user === undefined) {
				if (options.group !== undefined) throw new Error("--group requires --user");
				if (options.namespace !== undefined)
					throw new Error("--namespace requires --user: the administrator's kubeconfig is not changed");
				return say(layout.kubeconfig);
			}
			const { user: name, group: groups = [], namespace = "default" } = options;
			if (dnsLabelProblems(namespace).length > 0)
				throw new Error(`${JSON.stringify(namespace)} is not a valid namespace name`);
			say(await makeKubeconfig(layout, { name, groups }, namespace));
		});
}

/** @returns the path of the file */
async function makeKubeconfig(
	layout: Layout,
	user: { name: string; groups: readonly string[] },
	namespace: string,
): Promise<string> {
	if (user.name === "") throw new Error("a user needs a name");
	const [{ connect }, { certificateFor, userKubeconfigFile }] = await Promise.all([
		import("../../cluster/control/connect.ts"),
		import("../../cluster/pki/user-kubeconfig.ts"),
	]);
	await using connection = await connect(layout, "cox");
	const certificate = await certificateFor(connection.client, user, systemClock().now());
	const ca = readFileSync(join(layout.pki, "ca.crt"), "utf8");
	const file = userKubeconfigFile(layout, user.name);
	const { server } = connection;
	const names = { cluster: clusterName(layout), userName: user.name, namespace };
	replaceFile(file, kubeconfigText({ server, ca, user: certificate, ...names }));
	return file;
}
