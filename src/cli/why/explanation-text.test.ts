import { expect, test } from "vitest";
import { finding } from "../../why/findings/finding.ts";
import { explanationText } from "./explanation-text.ts";

test("lines are broken, commands are shown once, and what others wrote does not control the terminal", () => {
	const log = { pod: "a", container: "app", previous: false };
	const about = { type: "pod", name: "a" };
	const commands = ["kubectl logs a -c app"];
	const findings = [
		finding(about, "notReady", { container: "app", message: "connection \u001b[31mrefused" }, commands, log),
		finding({ type: "node", name: "n" }, "nodeCordoned", { node: "n" }, commands),
	];
	const logs = new Map([[findings[0]?.log ?? log, ["\u001b]0;title\u0007 no database"]]]);
	const text = explanationText("pod/a", findings, logs, { language: "en", width: 40 });
	expect(text.split("\n").slice(0, 3)).toEqual([
		"pod/a",
		"  Container app runs, but is not ready:",
		"  connection \ufffd[31mrefused.",
	]);
	expect(text).toContain("  | \ufffd]0;title\ufffd no database");
	expect(text.match(/\$ kubectl logs/g)).toHaveLength(1);
	expect(text).toContain("\nnode/n\n");
});
