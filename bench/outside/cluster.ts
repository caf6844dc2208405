/** The cluster that is measured. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Measured {
	kubeconfig: string;
	/** Processes whose CPU time is shown, by name. */
	pids: ReadonlyMap<string, number>;
	remove(): void;
}

/** Starts a new cluster with one simulated node and a durable store. @param cox path of the command */
export function startOwnCluster(cox: string): Measured {
	const data = mkdtempSync(join(tmpdir(), "cox-bench-"));
	const run = (...args: string[]) =>
		execFileSync(process.execPath, [cox, ...args], {
			env: { ...process.env, COX_DATA: data },
			stdio: ["ignore", "ignore", "inherit"],
		});
	const remove = () => {
		run("down");
		rmSync(data, { recursive: true, force: true });
	};
	try {
		run("up", "--runtime", "simulated", "--nodes", "1");
		const pid = Number.parseInt(readFileSync(join(data, "server.pid"), "utf8"), 10);
		return { kubeconfig: join(data, "kubeconfig"), pids: new Map([["server", pid]]), remove };
	} catch (error) {
		remove();
		throw error;
	}
}
