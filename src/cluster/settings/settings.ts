import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { messageOf } from "../../core/errors.ts";
import type { HistoryOptions } from "../../history/retention/settings.ts";
import { makeFolder } from "../../linux/make-folder.ts";
import { replaceFile } from "../../linux/replace-file.ts";
import type { KubeletDocument } from "../../node/context/kubelet-configuration.ts";
import type { RuntimeKind } from "../../runtime/runtime-kind.ts";
import type { EncryptionSettings } from "../encryption/at-rest.ts";
import type { IngressPorts } from "../ingress/ports.ts";
import type { ApiSettings } from "./api-settings.ts";
import { type ClusterNetwork, defaultNetwork } from "./cluster-network.ts";

/** The settings of a cluster in its data directory, for the next `cox up`. */
export interface Settings extends ApiSettings, ClusterNetwork {
	runtime: RuntimeKind;
	clock: "system" | "virtual";
	/** Virtual time only: the last time (epoch milliseconds) and rate, from which it continues. */
	virtualTime?: { nowMs: number; rate: number };
	/** Port of the API server on 127.0.0.1. */
	port: number;
	/** The user's KubeletConfiguration for all nodes; absent: defaults. */
	kubelet?: KubeletDocument;
	/** Absolute path of the directory of static pods (`cox up --manifests`); absent: `manifests` of the data directory. */
	manifests?: string;
	/** Whether containers see the machine's home directories and credentials. */
	showHome?: boolean;
	/** Where ports of pods and Services are opened (`cox up --publish`); absent: 127.0.0.1. */
	publish?: string;
	/** Ports of Ingresses (`cox up --ingress-ports`); absent: 8080 and 8443. */
	ingressPorts?: IngressPorts;
	/** Where images come from (`cox up --images`); absent: `auto`. */
	images?: "auto" | "registry" | "machine";
	/** Absolute path of a store of images that others use as well; absent: the cluster's own. */
	imageStore?: string;
	/** Optional admission plugins that are enabled (`cox up --enable-admission-plugins`). */
	admissionPlugins?: readonly string[];
	/** The EncryptionConfiguration of the last start; absent: Secrets are encrypted with the cluster's own key. */
	encryption?: EncryptionSettings | undefined;
	/** How much history of Jobs is kept; false: none. */
	history?: HistoryOptions | false;
	/** Networks and hosts that notifications may reach in addition to the default. */
	notifyAllow?: readonly string[];
	/** Nodes on this machine, by name. */
	nodes: Record<string, NodeSettings>;
}

export interface NodeSettings {
	/** Determines the node's addresses; immutable, and free again when the node is removed. */
	index: number;
	podCidr: string;
	labels?: Record<string, string>;
}

export const defaultSettings: Settings = {
	runtime: "process",
	clock: "system",
	port: 0,
	...defaultNetwork,
	nodes: {},
};

export function readSettings(file: string): Settings | undefined {
	if (!existsSync(file)) return undefined;
	try {
		// Only writeSettings writes the file; a manually edited one fails where a value is used.
		return { ...defaultSettings, ...(JSON.parse(readFileSync(file, "utf8")) as Partial<Settings>) };
	} catch (error) {
		throw new Error(`${file} is not valid JSON (${messageOf(error)}); fix it or run 'cox reset'`);
	}
}

export function writeSettings(file: string, settings: Settings): void {
	makeFolder(dirname(file), 0o700);
	replaceFile(file, `${JSON.stringify(settings, null, 2)}\n`);
}
