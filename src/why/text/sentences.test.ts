import { expect, test } from "vitest";
import { finding } from "../findings/finding.ts";
import { german } from "./de.ts";
import { english } from "./en.ts";
import { phraseOf } from "./sentences.ts";

const about = { type: "pod", name: "a" };

test("every finding has a sentence in each language", () => {
	for (const phrases of [english, german])
		for (const [code, phrase] of Object.entries(phrases)) {
			// Any parameter: its name shows where it gets into the sentence.
			const params = new Proxy({}, { get: (_, name) => String(name) });
			const { says, helps } = (phrase as (params: object) => { says: string; helps?: string })(params);
			expect(says, code).toMatch(/\w{2}/);
			expect(`${says} ${helps ?? ""}`, code).not.toMatch(/undefined|\[object/);
		}
});

test("exit codes of shells and signals are explained, numbers have their plural", () => {
	const crash = (exitCode: number, restarts: number, language?: string) =>
		phraseOf(finding(about, "crashing", { container: "app", restarts, exitCode }), language).says;
	expect(crash(127, 1)).toContain("1 restart, the last exit code was 127 (the program was not found)");
	expect(crash(139, 2)).toContain("2 restarts, the last exit code was 139 (killed by SIGSEGV)");
	expect(crash(137, 2, "de")).toContain("137 (abgebrochen durch SIGKILL)");
	expect(crash(3, 2, "xx")).toContain("exit code was 3.");
});

test("a message of others ends like a sentence", () => {
	expect(phraseOf(finding(about, "sandboxFailed", { message: "no space" })).says).toMatch(/no space\.$/);
	expect(phraseOf(finding(about, "sandboxFailed", { message: "no space." })).says).toMatch(/no space\.$/);
});
