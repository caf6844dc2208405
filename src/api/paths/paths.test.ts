import { expect, test } from "vitest";
import { testApi } from "../testing/test-api.ts";

async function preferredBatchVersions(userAgent: string): Promise<string[]> {
	const api = await testApi();
	const headers = { "user-agent": userAgent };
	const group = (await api.ask("GET", "/apis/batch", undefined, { headers })).object;
	const all = (await api.ask("GET", "/apis", undefined, { headers })).object;
	await api.close();
	const listed = all.groups.find(({ name }: { name: string }) => name === "batch");
	return [group.preferredVersion.version, listed.preferredVersion.version];
}

test("a kubectl that cannot read CronJobs of batch/v1 is told to prefer the version it can read", async () => {
	const old = await preferredBatchVersions("kubectl/v1.20.2 (linux/amd64) kubernetes/faecb19");
	expect(old).toEqual(["v1beta1", "v1beta1"]);
	// The first word is the name of the program's file.
	const renamed = await preferredBatchVersions("k-1.20/v1.20.15 (darwin/arm64) kubernetes/8f1e5bf");
	expect(renamed).toEqual(["v1beta1", "v1beta1"]);
	const newer = await preferredBatchVersions("kubectl/v1.21.0 (linux/amd64) kubernetes/cb303e6");
	expect(newer).toEqual(["v1", "v1"]);
});

test("the version tells the commit and date of the program, and what runs it", async () => {
	const build = { gitCommit: "a".repeat(40), gitTreeState: "clean", buildDate: "2026-01-02T03:04:05Z" };
	const api = await testApi({ gitVersion: "v1.36.0", build: () => build });
	const { object, text } = await api.ask("GET", "/version");
	await api.close();
	// Scripts that have no reader of JSON look for it like this.
	expect(text()).toContain('\n  "gitVersion": "v1.36.0",\n');
	expect(object).toMatchObject({ ...build, major: "1", minor: "36", goVersion: `node${process.versions.node}` });
	expect(object.compiler).toBe("v8");
});

test("health is told in a word, or check by check", async () => {
	const api = await testApi();
	const text = async (path: string) => (await api.ask("GET", path)).text();
	for (const path of ["/healthz", "/livez", "/readyz", "/readyz/ping", "/livez/etcd"])
		expect(await text(path)).toBe("ok");
	expect(await text("/livez?verbose&exclude=etcd")).toMatch(
		/^\[\+\]ping ok\n\[\+\]log ok\n\[\+\]etcd excluded: ok\n(\[\+\]poststarthook\/\S+ ok\n)+\[\+\]autoregister-completion ok\nlivez check passed\n$/,
	);
	expect(await text("/readyz/poststarthook/rbac/bootstrap-roles")).toBe("ok");
	expect(await text("/readyz?verbose")).toMatch(/\[\+\]shutdown ok\nreadyz check passed\n$/);
	expect(await text("/readyz?verbose=1&exclude=moon")).toContain('cannot be excluded: no matches for "moon"\nreadyz');
	expect((await api.ask("GET", "/readyz/moon")).status).toBe(404);
	expect((await api.ask("GET", "/constructor")).status).toBe(404);
	await api.close();
});

test("statusz and flagz are text for people, and objects for those who ask for them", async () => {
	const api = await testApi({
		gitVersion: "v1.36.0",
		admissionPlugins: ["DenyServiceExternalIPs"],
		roles: "bootstrap",
	});
	const monitor = { name: "prometheus", groups: ["system:monitoring", "system:authenticated"] };
	const page = (path: string, accept?: string) =>
		api.ask("GET", path, undefined, { user: monitor, ...(accept !== undefined && { headers: { accept } }) });
	const status = (await page("/statusz", "application/json, */*")).text().split("\n");
	expect(status.slice(0, 2)).toEqual(["", "kube-apiserver statusz"]);
	expect(status[4]).toMatch(/^Started: \w{3} \w{3} [ \d]\d [\d:]{8} UTC \d{4}$/);
	expect(status.slice(5, 9)).toEqual([
		expect.stringMatching(/^Up: 0 hr 00 min \d\d sec$/),
		`Go version: node${process.versions.node}`,
		"Binary version: 1.36.0",
		"Emulation version: 1.36",
	]);
	const flags = (await page("/flagz")).text();
	expect(flags).toMatch(/^\nkube-apiserver flagz\nWarning: /);
	expect(flags).toContain("\nauthorization-mode=[Node,RBAC]\n");
	const form = (as: string, version = "v1beta1") => `application/json;v=${version};g=config.k8s.io;as=${as}`;
	expect((await page("/statusz", form("Statusz"))).object).toMatchObject({
		kind: "Statusz",
		apiVersion: "config.k8s.io/v1beta1",
		metadata: { name: "kube-apiserver" },
		binaryVersion: "1.36.0",
		emulationVersion: "1.36",
	});
	const old = await page("/flagz", form("Flagz", "v1alpha1"));
	expect(old.object).toMatchObject({
		kind: "Flagz",
		flags: { "enable-admission-plugins": "[DenyServiceExternalIPs]" },
	});
	expect(old.headers["warning"]).toContain("This version of the flagz endpoint is deprecated");
	expect((await page("/flagz", form("Flagz").replace("json", "yaml"))).text()).toContain("kind: Flagz\n");
	for (const accept of ["application/json", form("Statusz"), "application/xml"])
		expect((await page("/flagz", accept)).status).toBe(406);
	const ann = { name: "ann", groups: ["system:authenticated"] };
	expect((await api.ask("GET", "/flagz", undefined, { user: ann })).status).toBe(403);
	await api.close();
});
