/** What identifies a node, and how its holder tells. */
import { readFileSync } from "node:fs";
import type { MarkedProcess } from "./marked-processes.ts";

export interface NodeSpec {
	name: string;
	/** Unique in the cluster, 0 to 65,000; determines the node's port of the switch. */
	index: number;
	/** Range of its pods' addresses. */
	podCidr: string;
	/** Its own address, in the range of node addresses. */
	address: string;
	/** Absolute path of the node's files. */
	rootDirectory: string;
}

/** Whether the node was completed: its own address comes last. */
export function isConnected(holder: MarkedProcess): boolean {
	const address = readSpec(holder)?.address;
	return address !== undefined && hasAddress(holder.pid, address);
}

export function hasAddress(pid: number, address: string): boolean {
	return readNet(pid, "fib_trie").includes(` ${address}\n`);
}

/** Undefined for a holder of something else. */
export function readSpec(holder: MarkedProcess): NodeSpec | undefined {
	const text = holder.environment.get("COX_NODE");
	// Written by addNode from a NodeSpec.
	return text === undefined ? undefined : (JSON.parse(text) as NodeSpec);
}

/** A file of the process's network in /proc; empty if there is none. */
export function readNet(pid: number, file: string): string {
	try {
		return readFileSync(`/proc/${pid}/net/${file}`, "utf8");
	} catch {
		return "";
	}
}
