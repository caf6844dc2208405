import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The package's own folder, which contains package.json, dist/, assets/ and examples/, regardless of how this code was
 * bundled.
 */
export const packageDirectory = findPackage(dirname(fileURLToPath(import.meta.url)));

function findPackage(start: string): string {
	for (let folder = start; folder !== dirname(folder); folder = dirname(folder))
		if (existsSync(join(folder, "package.json"))) return folder;
	throw new Error(`no package.json above ${start}: the installation of coxswain is damaged`);
}

/** A program for other processes, built by `npm run build`. */
export function programFile(name: "server" | "agent" | "envtest" | "cli" | "puller" | "gateway" | "ingress"): string {
	const file = join(packageDirectory, "dist", `${name}.cjs`);
	if (!existsSync(file)) throw new Error(`${file} is missing; run 'npm run build'`);
	return file;
}

/** The shell script that restarts a server process. */
export function superviseScript(): string {
	return join(packageDirectory, "assets", "supervise.sh");
}

/**
 * For low memory usage of idle clusters: small heaps, one helper thread of V8 instead of four, and `gc` (see
 * start-garbage.ts). Source maps are off, because the processes would load and keep them; to enable them, set
 * NODE_OPTIONS=--enable-source-maps.
 */
export const nodeFlags = ["--max-semi-space-size=8", "--v8-pool-size=1", "--expose-gc"];
