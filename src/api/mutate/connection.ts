/** Admission of connections to pods, services and nodes: exec, attach, port-forward and proxies. */
import type { KubeObject } from "../../core/object.ts";
import type { Target } from "../resources/target.ts";
import type { Context } from "../server/server.ts";
import { admitOnly } from "./settle.ts";
import { writeOf } from "./write.ts";

const kinds: Readonly<Record<string, string>> = {
	exec: "PodExecOptions",
	attach: "PodAttachOptions",
	portforward: "PodPortForwardOptions",
};
const proxies: Readonly<Record<string, string>> = {
	nodes: "NodeProxyOptions",
	pods: "PodProxyOptions",
	services: "ServiceProxyOptions",
};

/** @throws ApiError what admission says */
export function admitConnection(context: Context, target: Target): Promise<void> | undefined {
	return admitOnly(
		writeOf(context, target, { operation: "connect", object: optionsOf(context, target), old: undefined }),
	);
}

/** How the client wants to connect, as its query says it. */
function optionsOf({ request: { query } }: Context, { kind, subresource = "", rest }: Target): KubeObject {
	const options: Record<string, unknown> = {};
	for (const name of ["stdin", "stdout", "stderr", "tty"])
		if (query.has(name)) options[name] = query.get(name) === "true" || query.get(name) === "1";
	const container = query.get("container");
	if (container !== null && container !== "") options["container"] = container;
	if (query.has("command")) options["command"] = query.getAll("command");
	if (query.has("ports")) options["ports"] = query.getAll("ports").flatMap((ports) => ports.split(",").map(Number));
	if (subresource === "proxy" && rest !== "") options["path"] = rest;
	return {
		apiVersion: "v1",
		kind: (subresource === "proxy" ? proxies[kind.plural] : kinds[subresource]) ?? "",
		metadata: { name: "", uid: "", resourceVersion: "", creationTimestamp: "" },
		...options,
	};
}
