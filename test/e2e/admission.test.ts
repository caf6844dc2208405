/** docs/admission.md with real nodes: a webhook on the machine, and one in a pod behind a Service. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root, run, succeeded, TestCluster } from "./cluster.ts";

const page = readFileSync(join(root, "docs/admission.md"), "utf8");
const blocks = [...page.matchAll(/^```bash\n([\s\S]*?)^```/gm)].map(([, commands = ""]) => commands);

const folder = mkdtempSync(join(tmpdir(), "cox-admission-"));
let cluster: TestCluster;
beforeAll(async () => {
	cluster = await TestCluster.start();
});
afterAll(async () => {
	rmSync(folder, { recursive: true, force: true });
	await cluster?.[Symbol.asyncDispose]();
});

async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as { port: number };
	await new Promise((resolve) => server.close(resolve));
	return port;
}

test("every command of the page works", { timeout: 120_000 }, async () => {
	const commands = blocks
		.filter((block) => !block.startsWith("cox up"))
		.join("\n")
		.replaceAll("9443", String(await freePort()))
		.replace(/^(kubectl .*?) +# refused.*$/gm, "if $1 2> /dev/null; then exit 1; fi");
	const ending = "trap 'for job in $(jobs -p); do kill \"$job\" || true; done' EXIT";
	const output = await run("bash", ["-euo", "pipefail", "-c", `${ending}\n${commands}`], {
		env: cluster.environment,
		cwd: folder,
	});
	expect(succeeded("the page", output)).toContain("configmap/second condition met");
});
