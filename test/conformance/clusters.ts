/**
 * The clusters that the conformance tests share: one for each worker, which the first of its files starts. A file finds
 * what the files before it have left, as on any cluster, in namespaces of their own.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { TestCluster } from "../e2e/cluster.ts";

declare module "vitest" {
	interface ProvidedContext {
		/** A directory with one data directory for each worker. */
		conformanceClusters: string;
	}
}

/** Vitest calls it before the first file, and what it returns after the last one. */
export default function shareClusters(project: TestProject): () => Promise<void> {
	const folder = mkdtempSync(join(tmpdir(), "cox-shared-"));
	project.provide("conformanceClusters", folder);
	return async () => {
		try {
			for (const worker of readdirSync(folder)) await TestCluster.at(join(folder, worker))[Symbol.asyncDispose]();
		} finally {
			rmSync(folder, { recursive: true, force: true });
		}
	};
}
