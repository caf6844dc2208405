/** The data directory of a real server process: closed to others, and never silently empty. */
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { TestCluster } from "./cluster.ts";

const simulated = ["--runtime", "simulated"];
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

test("a data directory that others could read is closed to them by the next start", async () => {
	await using cluster = TestCluster.empty();
	const mask = process.umask(0);
	try {
		chmodSync(cluster.data, 0o755);
		await cluster.coxOk("up", ...simulated);
		const files = ["server.log", "kubeconfig", "cluster.json", "store.json", "store/store/data.mdb", "pki/ca.key"];
		for (const file of files) expect(mode(join(cluster.data, file)), file).toBe("600");
		for (const folder of ["", "pki", "store", "store/store", "run"])
			expect(mode(join(cluster.data, folder)), folder).toBe("700");
	} finally {
		process.umask(mask);
	}
});

test("a store that is damaged, empty or gone is refused with what to do, and nothing is lost by that", async () => {
	await using cluster = await TestCluster.start(...simulated);
	await cluster.kubectl("create", "configmap", "kept");
	await cluster.coxOk("down");
	const file = join(cluster.data, "store/store/data.mdb");
	const bytes = readFileSync(file);
	const damages: [string, () => void][] = [
		["its second page is damaged", () => truncateSync(file, 4100)],
		["it ends before its page", () => writeFileSync(file, bytes.subarray(0, 3 * 4096))],
		["is empty, though", () => truncateSync(file, 0)],
		["is missing, though", () => rmSync(file)],
		["is missing, though", () => rmSync(join(cluster.data, "store"), { recursive: true, force: true })],
	];
	for (const [message, damage] of damages) {
		damage();
		const { code, stderr } = await cluster.cox("up");
		expect(code).toBe(1);
		expect(stderr).toContain(message);
		expect(stderr).toContain("cox snapshot restore FILE --force");
		expect(stderr).toContain("cox reset");
	}
	expect((await cluster.cox("up")).stderr).toContain("is missing, though");
	await cluster.coxOk("down");
	mkdirSync(dirname(file), { recursive: true });
	writeFileSync(file, bytes);
	await cluster.coxOk("up");
	expect(await cluster.kubectl("get", "configmap", "kept", "-o", "name")).toBe("configmap/kept\n");
});
