/**
 * The programs of an envtest folder: `etcd` and `kube-apiserver`, by the first argument. SIGTERM ends them.
 */
import { messageOf } from "../../core/errors.ts";
import { kubernetesVersion, version } from "../files/version.ts";

const [program = "", ...args] = process.argv.slice(2);

/** Names of controllers, with commas: see docs/testing.md. */
const { COX_ENVTEST_CONTROLLERS: controllers = "", COX_ENVTEST_NODES: nodes = "0" } = process.env;

async function start(): Promise<{ close(): Promise<void> }> {
	if (program === "etcd") return (await import("./etcd.ts")).startEtcd(args);
	const { startApiServer } = await import("./api-server.ts");
	if (!/^\d+$/.test(nodes)) throw new Error(`COX_ENVTEST_NODES: ${nodes} is not a whole number of 0 or more`);
	const names = controllers.split(",").map((name) => name.trim());
	return startApiServer(args, { controllers: names.filter((name) => name !== ""), nodes: Number(nodes) });
}

async function help(): Promise<string> {
	return program === "etcd"
		? (await import("./etcd.ts")).etcdHelp()
		: (await import("./api-server.ts")).apiServerHelp();
}

/** In the words of upstream's programs. */
function versionText(): string {
	return program === "etcd" ? `etcd Version: ${version} (Coxswain)` : `Kubernetes ${kubernetesVersion.gitVersion}`;
}

async function main(): Promise<void> {
	if (args.includes("--help")) {
		process.stdout.write(await help());
		return;
	}
	if (args.includes("--version")) {
		process.stdout.write(`${versionText()}\n`);
		return;
	}
	const running = start();
	const stop = () => void running.then(({ close }) => close()).finally(() => process.exit());
	for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, stop);
	await running;
}

main().catch((error: unknown) => {
	process.stderr.write(`Error: ${messageOf(error)}\n`);
	process.exitCode = 1;
	setImmediate(() => process.exit());
});
