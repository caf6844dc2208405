/**
 * The examples with real programs, on one cluster: every command of their READMEs as it stands, and what a reader would
 * check besides. The gate runs the beginning of each; `npm run examples` runs all.
 */
import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { TestCluster } from "./cluster.ts";
import { daemonSetExamples } from "./examples/daemonsets.ts";
import { jobExamples } from "./examples/jobs.ts";
import { leaderFollowerExamples, postgresqlExample } from "./examples/leader-follower.ts";

/** Logs small enough to be rotated before one's eyes. */
const kubelet = "containerLogMaxSize: 100Ki\ncontainerLogMonitorInterval: 3s\n";

describe("the examples", { timeout: 120_000 }, () => {
	let cluster: TestCluster;
	const folder = mkdtempSync(join(tmpdir(), "cox-examples-"));
	const isWhole = process.env.COX_EXAMPLES === "all";

	beforeAll(async () => {
		const file = join(folder, "kubelet.yaml");
		writeFileSync(file, kubelet);
		cluster = await TestCluster.start("--nodes", "3", "--kubelet-config", file);
	});
	afterAll(async () => {
		await cluster?.[Symbol.asyncDispose]();
		await rm(folder, { recursive: true });
	});

	daemonSetExamples(() => cluster, isWhole);
	leaderFollowerExamples(() => cluster, isWhole);
	jobExamples(() => cluster, isWhole);
	if (isWhole) postgresqlExample(() => cluster);
});
