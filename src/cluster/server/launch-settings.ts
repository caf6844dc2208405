import { planNodes } from "../nodes/node-numbering.ts";
import { changeSettings } from "../settings/api-settings.ts";
import { defaultSettings, type Settings } from "../settings/settings.ts";
import type { LaunchOptions } from "./launch.ts";

/**
 * The settings of a starting cluster: those of its last start, with the changes of the options, and at least as many
 * nodes as they request.
 * @param existing undefined for a new cluster; otherwise changed in place
 * @throws Error for options that the cluster does not support, or that can no longer be changed
 */
export function launchSettings(existing: Settings | undefined, options: LaunchOptions): Settings {
	const settings = existing ?? { ...defaultSettings, ...pick(options) };
	refuseChange(settings, options);
	changeSettings(settings, options);
	if (options.kubelet !== undefined) settings.kubelet = options.kubelet;
	if (options.manifests === "") delete settings.manifests;
	else if (options.manifests !== undefined) settings.manifests = options.manifests;
	if (options.showHome !== undefined) settings.showHome = options.showHome;
	if (options.publish !== undefined) settings.publish = options.publish;
	if (options.ingressPorts !== undefined) settings.ingressPorts = options.ingressPorts;
	if (options.images !== undefined) settings.images = options.images;
	if (options.imageStore === "") delete settings.imageStore;
	else if (options.imageStore !== undefined) settings.imageStore = options.imageStore;
	if (options.admissionPlugins !== undefined) settings.admissionPlugins = options.admissionPlugins;
	if (options.notifyAllow !== undefined) settings.notifyAllow = options.notifyAllow;
	if (options.history === false) settings.history = false;
	else if (options.history !== undefined) settings.history = { ...(settings.history || {}), ...options.history };
	const missing = (options.nodes ?? (existing === undefined ? 1 : 0)) - Object.keys(settings.nodes).length;
	if (missing > 0) planNodes(settings, { count: missing });
	return settings;
}

function pick(options: LaunchOptions): Partial<Settings> {
	return {
		...(options.runtime === undefined ? {} : { runtime: options.runtime }),
		...(options.clock === undefined ? {} : { clock: options.clock }),
		nodes: {},
	};
}

function refuseChange(settings: Settings, options: LaunchOptions): void {
	for (const name of ["runtime", "clock"] as const)
		if (options[name] !== undefined && options[name] !== settings[name])
			throw new Error(
				`this cluster was made with --${name} ${settings[name]}, not ${options[name]}; 'cox reset' forgets it`,
			);
	if (options.kubelet !== undefined && settings.runtime === "simulated")
		throw new Error("--kubelet-config needs real nodes: simulated ones do not use it");
	if (options.manifests !== undefined && settings.runtime === "simulated")
		throw new Error("--manifests needs real nodes: simulated ones have no static pods");
	for (const [name, value] of [
		["--publish", options.publish],
		["--ingress-ports", options.ingressPorts],
	] as const)
		if (value !== undefined && settings.runtime === "simulated")
			throw new Error(`${name} needs real nodes: nothing answers on simulated ones`);
	if (options.images === "machine" && settings.runtime === "containerd")
		throw new Error("--images machine needs --runtime process: containerd runs images only");
	if (settings.clock === "virtual" && settings.runtime !== "simulated")
		throw new Error("--clock virtual needs --runtime simulated: real processes run in real time");
}
