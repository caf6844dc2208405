import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { messageOf } from "../../core/errors.ts";
import type { HistoryOptions } from "../../history/settings.ts";
import { replaceFile } from "../../linux/replace-file.ts";
import type { KubeletDocument } from "../../node/context/kubelet-configuration.ts";
import type { EncryptionSettings } from "../encryption/at-rest.ts";
import type { ApiSettings } from "./api-settings.ts";
import { type ClusterNetwork, defaultNetwork } from "./cluster-network.ts";

/** What a cluster was made with; kept in its data directory, so that the next `cox up` finds the same cluster. */
export interface Settings extends ApiSettings, ClusterNetwork {
	runtime: "process" | "simulated";
	clock: "system" | "virtual";
	/** Virtual time only: the last time (epoch milliseconds) and rate, from which it continues. */
	virtualTime?: { nowMs: number; rate: number };
	/** Port of the API server on 127.0.0.1. */
	port: number;
	/** The KubeletConfiguration of all nodes, as the user wrote it; absent: as usual. */
	kubelet?: KubeletDocument;
	/** Whether containers see the machine's home directories and credentials, as `cox up` said last. */
	showHome?: boolean;
	/** Optional steps of admission that are taken, as `cox up --enable-admission-plugins` named them last. */
	admissionPlugins?: readonly string[];
	/** The EncryptionConfiguration of the last start; absent: Secrets are encrypted with the cluster's own key. */
	encryption?: EncryptionSettings | undefined;
	/** How much is kept of Jobs that have run; false: nothing. */
	history?: HistoryOptions | false;
	/** Networks and hosts that notifications may reach besides those that they always may. */
	notifyAllow?: readonly string[];
	/** Nodes on this machine, by name. */
	nodes: Record<string, NodeSettings>;
}

export interface NodeSettings {
	/** Numbers the node's addresses; never changed, and free again when the node is removed. */
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
		// Only writeSettings writes the file; a hand-edited one fails where a value is used.
		return { ...defaultSettings, ...(JSON.parse(readFileSync(file, "utf8")) as Partial<Settings>) };
	} catch (error) {
		throw new Error(`${file} is not valid JSON (${messageOf(error)}); fix it or run 'cox reset'`);
	}
}

export function writeSettings(file: string, settings: Settings): void {
	mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
	replaceFile(file, `${JSON.stringify(settings, null, 2)}\n`);
}
