/** The dashboard in a real browser. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { TestCluster } from "../e2e/cluster.ts";

const flags = [
	// The tests run as root.
	"--no-sandbox",
	"--disable-gpu",
	"--disable-quic",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
];

export function startBrowser(): Promise<Browser> {
	return chromium.launch({ executablePath: "/usr/bin/chromium", args: flags });
}

export interface Visit {
	page: Page;
	/** What the page complained about: errors of scripts, and what its policy refused. */
	complaints: string[];
}

/** A new browser profile that follows a link of `cox dashboard`. */
export async function visit(
	browser: Browser,
	cluster: TestCluster,
	args: readonly string[] = [],
	options: BrowserContextOptions = {},
): Promise<Visit> {
	const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
	context.setDefaultTimeout(20_000);
	const page = await context.newPage();
	const complaints: string[] = [];
	page.on("pageerror", (error) => complaints.push(error.message));
	page.on("console", (message) => {
		// Refused requests are part of the tests, and pods end before their logs are read.
		if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
			complaints.push(message.text());
	});
	await page.goto(await loginLink(cluster, args));
	await page.getByText("live", { exact: false }).first().waitFor();
	return { page, complaints };
}

export async function loginLink(cluster: TestCluster, args: readonly string[] = []): Promise<string> {
	return (await cluster.coxOk("dashboard", "--print-url", ...args)).trim();
}

/** Opens a view; what is there already stays. */
export async function open(page: Page, hash: string): Promise<void> {
	await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** The rules of WCAG 2.2 AA that the page breaks, with the first element that breaks each. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
	// Through the debugger's protocol, which the page's policy does not concern.
	if (!(await page.evaluate("'axe' in window"))) await page.evaluate(axe);
	return page.evaluate(`axe
		.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] })
		.then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html.slice(0, 200)))`);
}
