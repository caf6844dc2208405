import { expect, test } from "vitest";
import { withOwnCommand } from "./own-command.ts";

test("messages suggest commands by the name that works, and keep everything else", () => {
	const message = "cox: no cluster is running in /cox; start one with 'cox up', or see 'coxswain --help'";
	expect(withOwnCommand(message, "npx coxswain")).toBe(
		"cox: no cluster is running in /cox; start one with 'npx coxswain up', or see 'coxswain --help'",
	);
	expect(withOwnCommand(message, "cox")).toBe(message);
});
