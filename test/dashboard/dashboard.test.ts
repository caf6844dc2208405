/** The dashboard as people use it, in Chromium, on a cluster with virtual time. */
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { root, TestCluster } from "../e2e/cluster.ts";
import { accessibilityProblems, open, startBrowser, visit } from "./browser.ts";

const hostile = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>";

const manifests = [
	{
		apiVersion: "v1",
		kind: "Service",
		metadata: { name: "web" },
		spec: { clusterIP: "None", selector: { tier: "web" } },
	},
	{
		apiVersion: "apps/v1",
		kind: "StatefulSet",
		metadata: { name: "web" },
		spec: {
			serviceName: "web",
			replicas: 2,
			selector: { matchLabels: { app: "web" } },
			template: {
				metadata: { labels: { app: "web", tier: "web" } },
				spec: { containers: [{ name: "app", image: "nginx" }] },
			},
		},
	},
	{
		apiVersion: "apps/v1",
		kind: "StatefulSet",
		metadata: { name: "stuck" },
		spec: {
			serviceName: "web",
			replicas: 3,
			selector: { matchLabels: { app: "stuck" } },
			template: {
				metadata: { labels: { app: "stuck", tier: "web" } },
				spec: { nodeSelector: { disk: "ssd" }, containers: [{ name: "app", image: "nginx" }] },
			},
		},
	},
	{
		apiVersion: "batch/v1",
		kind: "CronJob",
		metadata: { name: "nightly" },
		spec: {
			schedule: "0 3 * * *",
			timeZone: "Europe/Berlin",
			jobTemplate: {
				spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "app", image: "busybox" }] } } },
			},
		},
	},
	{
		apiVersion: "v1",
		kind: "Event",
		metadata: { name: "hostile" },
		involvedObject: { kind: "Pod", namespace: "default", name: "a<b>" },
		type: "Warning",
		reason: "Hostile",
		message: hostile,
	},
];

let cluster: TestCluster;
let browser: Browser;

beforeAll(async () => {
	[cluster, browser] = await Promise.all([
		TestCluster.start("--runtime", "simulated", "--clock", "virtual", "--nodes", "2"),
		startBrowser(),
	]);
	const list = { apiVersion: "v1", kind: "List", items: manifests };
	await cluster.kubectlInput(JSON.stringify(list), "apply", "-f", "-");
});

afterAll(async () => {
	await browser?.close();
	await cluster?.[Symbol.asyncDispose]();
});

test("what others wrote is text, and YAML is checked by the server before it is applied", async () => {
	const { page, complaints } = await visit(browser, cluster);
	await open(page, "#/events");
	await page.getByText(hostile).waitFor();
	expect(await page.title()).toBe("Coxswain");
	await open(page, "#/statefulset/default/web/yaml");
	const box = page.getByRole("textbox", { name: "YAML" });
	const text = await box.inputValue();
	await box.fill(text.replace("replicas: 2", "replicas: many"));
	await page.getByRole("button", { name: "Check" }).click();
	await page.getByRole("alert").waitFor();
	await box.fill(text.replace("replicas: 2", "replicas: 3"));
	await page.getByRole("button", { name: "Check" }).click();
	await page.getByText("The server accepts this.").waitFor();
	await page.getByRole("button", { name: "Apply", exact: true }).click();
	await page.getByText("Applied.").waitFor();
	await open(page, "#/statefulset/default/web");
	await page.getByRole("link", { name: "web-2", exact: true }).waitFor();
	expect(complaints).toEqual([]);
});

test("a workload is explained, changed, and followed to its end", async () => {
	const { page, complaints } = await visit(browser, cluster);
	await open(page, "#/statefulset/default/stuck");
	await page.getByText("stuck-1 is not created before stuck-0 is ready").waitFor();
	await page.getByText("2 nodes do not match the pod's nodeSelector").waitFor();
	await picture(page, "statefulset");
	await page.getByLabel("Replicas").fill("1");
	await page.getByRole("button", { name: "Scale" }).click();
	await page.getByText("0 of 1 pods are ready").waitFor();
	await cluster.kubectl("label", "node", "node-1", "disk=ssd");
	await page.getByText("All is as it should be: 1 pod is ready.").waitFor();
	await page.getByRole("button", { name: "Delete" }).click();
	await page.getByRole("alertdialog").getByRole("button", { name: "Delete" }).click();
	await page.getByText("This object does not exist (any more).").waitFor();
	expect(complaints).toEqual([]);
});

test("a night passes at a click, and the runs of a CronJob appear", async () => {
	const { page, complaints } = await visit(browser, cluster);
	await open(page, "#/cronjob/default/nightly");
	await page.getByText("At 03:00").waitFor();
	await page.emulateMedia({ colorScheme: "dark" });
	await picture(page, "cronjob");
	const schedule = page.getByLabel("Schedule").locator("input");
	await schedule.fill("0 30 * * *");
	await page.getByText("above maximum").waitFor();
	await schedule.fill("0 3 * * *");
	await page.getByRole("button", { name: "+1 day" }).click();
	await page
		.getByRole("link", { name: /^nightly-\d+$/ })
		.first()
		.waitFor();
	await page.getByRole("button", { name: "Run now" }).click();
	await page
		.getByRole("link", { name: /^nightly-manual-/ })
		.first()
		.waitFor();
	await page.getByRole("button", { name: "Suspend" }).click();
	await page.getByText("The CronJob is suspended").waitFor();
	expect(complaints).toEqual([]);
});

test("a lesson does its steps, and a dropped manifest is checked and applied", async () => {
	const { page, complaints } = await visit(browser, cluster);
	await open(page, "#/lessons/1");
	await page.getByRole("button", { name: "Do it" }).click();
	await page.getByText("✓ Done: see below.").waitFor();
	await page.getByRole("button", { name: "Next" }).click();
	await page.getByText("A changed template makes a new ReplicaSet").waitFor();
	const manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: dropped}\n";
	await page.evaluate(`(() => {
		const dataTransfer = new DataTransfer();
		dataTransfer.items.add(new File([${JSON.stringify(manifest)}], "dropped.yaml"));
		dispatchEvent(new DragEvent("drop", { dataTransfer, cancelable: true }));
	})()`);
	const dialog = page.getByRole("dialog", { name: "Apply a manifest" });
	await dialog.getByRole("button", { name: "Check" }).click();
	await dialog.getByText("ConfigMap/dropped").waitFor();
	expect((await cluster.kubectl("get", "configmaps", "-o", "name")).includes("dropped")).toBe(false);
	await dialog.getByRole("button", { name: "Apply" }).click();
	await expect.poll(() => cluster.kubectl("get", "configmaps", "-o", "name")).toContain("dropped");
	expect(complaints).toEqual([]);
});

test("a terminal leads into a container", async () => {
	const { page, complaints } = await visit(browser, cluster);
	await page.goto(new URL("/terminal?namespace=default&pod=web-0&container=app", page.url()).href);
	await page.getByText("command -v bash").first().waitFor();
	expect(complaints).toEqual([]);
});

test("everything is reached by keyboard, in German, too", async () => {
	const { page } = await visit(browser, cluster, [], { locale: "de-DE" });
	await page.keyboard.press("/");
	await page.keyboard.type("statefulset/web");
	await page.keyboard.press("Enter");
	await page.getByText("Alles ist, wie es sein soll").waitFor();
	expect(await page.evaluate("document.activeElement.tagName")).toBe("MAIN");
	await page.keyboard.press("Tab");
	expect(await page.evaluate("document.activeElement.textContent")).toBe("Übersicht");
});

test("a user sees what its roles allow; a read-only session has nothing to press", async () => {
	const [ann, projected] = await Promise.all([
		visit(browser, cluster, ["--user", "ann"]),
		visit(browser, cluster, ["--read-only"]),
	]);
	await open(ann.page, "#/workloads");
	await ann.page.getByText("Nothing here yet").waitFor();
	await open(projected.page, "#/statefulset/default/web");
	await projected.page.getByRole("link", { name: "web-0", exact: true }).waitFor();
	const names = await projected.page.getByRole("button").allTextContents();
	expect(names).toEqual(["Commands"]);
});

test.each([
	{ theme: "light", width: 1280 },
	{ theme: "dark", width: 375 },
] as const)("all views keep the rules of accessibility in $theme at $width", async ({ theme, width }) => {
	const { page, complaints } = await visit(browser, cluster, [], {
		colorScheme: theme,
		viewport: { width, height: 800 },
	});
	const views = {
		"#/cluster": "node-1",
		"#/workloads": "nightly",
		"#/events": "Warnings only",
		"#/statefulset/default/web": "web-0",
		"#/cronjob/default/nightly": "Europe/Berlin",
		"#/pod/default/web-0": "Conditions",
		"#/node//node-1": "kubelet",
		"#/statefulset/default/web/yaml": "Check",
	};
	for (const [hash, text] of Object.entries(views)) {
		await open(page, hash);
		await page.getByText(text).first().waitFor();
		expect(await accessibilityProblems(page), hash).toEqual([]);
		expect(await overflow(page), hash).toBeLessThanOrEqual(0);
	}
	expect(complaints).toEqual([]);
});

/** `COX_PICTURES=1 npx vitest run test/dashboard` makes those of the documentation. */
async function picture(page: Page, name: string): Promise<void> {
	const path = join(root, "docs/pictures", `${name}.png`);
	if (process.env["COX_PICTURES"]) await page.screenshot({ path, animations: "disabled" });
}

/** How much wider than the window the page is, in pixels. */
function overflow(page: Page): Promise<number> {
	return page.evaluate("document.documentElement.scrollWidth - innerWidth");
}

test("a lost connection is shown, and comes back until the cluster is gone", async () => {
	const { page } = await visit(browser, cluster);
	await page.route("**/live?*", (to) => to.abort());
	await page.reload();
	await page.getByText("connection lost, trying again").waitFor();
	await page.unroute("**/live?*");
	await page.getByText("live").waitFor();
	await cluster.coxOk("down");
	await page.getByText("connection lost, trying again").waitFor();
});
