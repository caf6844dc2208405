/** The assets folder of controller-runtime's envtest (`KUBEBUILDER_ASSETS`): programs that run this package. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { shellQuote } from "../../linux/command.ts";
import { makeFolder } from "../../linux/make-folder.ts";
import { packageDirectory, programFile } from "../files/package-files.ts";

const mark = "# Written by 'cox envtest'";

export interface AssetOptions {
	/** What runs besides the API server, unless the environment says otherwise; see envtest-main.ts. */
	controllers?: string;
	nodes?: number;
}

/**
 * Writes `etcd`, `kube-apiserver` and `kubectl`; those of an earlier call are replaced.
 * @returns the folder's absolute path
 * @throws Error if there is another file of one of these names
 */
export function writeAssets(folder: string, { controllers, nodes }: AssetOptions = {}): string {
	const path = resolve(folder);
	const run = (program: string) =>
		`exec ${shellQuote(process.execPath)} ${shellQuote(programFile("envtest"))} ${program} "$@"`;
	const defaults = [
		...(controllers === undefined ? [] : [`: "\${COX_ENVTEST_CONTROLLERS=${controllers}}"`]),
		...(nodes === undefined ? [] : [`: "\${COX_ENVTEST_NODES=${nodes}}"`]),
		...(controllers === undefined && nodes === undefined ? [] : ["export COX_ENVTEST_CONTROLLERS COX_ENVTEST_NODES"]),
	];
	const script = (...lines: string[]) => `#!/bin/sh\n${mark}\n${lines.join("\n")}\n`;
	const scripts: Record<string, string> = {
		etcd: script(run("etcd")),
		"kube-apiserver": script(...defaults, run("kube-apiserver")),
		kubectl: readFileSync(join(packageDirectory, "assets", "other-kubectl.sh"), "utf8"),
	};
	for (const name of Object.keys(scripts)) refuseForeign(join(path, name));
	makeFolder(path);
	for (const [name, text] of Object.entries(scripts)) {
		// One that runs is not changed.
		const draft = join(path, `${name}.new`);
		writeFileSync(draft, text, { mode: 0o755 });
		renameSync(draft, join(path, name));
	}
	return path;
}

function refuseForeign(file: string): void {
	if (existsSync(file) && !readFileSync(file, "latin1").includes(mark))
		throw new Error(`${file} exists and was not written by 'cox envtest'; name another folder`);
}
