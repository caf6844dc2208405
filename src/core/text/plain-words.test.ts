import { expect, it } from "vitest";
import { plainWords } from "./plain-words.ts";

it("tells paths of the node, and not where it keeps them", () => {
	const words = (text: string) => plainWords(new Error(text), ["/data/nodes/one"]);
	expect(words("mount /data/nodes/one/own/var/lib/kubelet/x: busy")).toBe("mount /var/lib/kubelet/x: busy");
	expect(words("/data/nodes/one/fs/srv and /data/nodes/one/runtime/fifos")).toBe("/srv and …/runtime/fifos");
	expect(words("/data/nodes")).toBe("/data/nodes");
});

it("is as long as an Event's note at most", () => {
	expect(plainWords("x".repeat(1024))).toHaveLength(1024);
	expect(plainWords("x".repeat(10_000))).toMatch(/^x{1023}…$/);
});
