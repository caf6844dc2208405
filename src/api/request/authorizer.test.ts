import { expect, test } from "vitest";
import { type Authorizer, type Decision, union } from "./authorizer.ts";

const nothing = { resourceRules: [], nonResourceRules: [], incomplete: false };
const attributes = { user: { name: "ann", groups: [] }, verb: "get", path: "/metrics" };

function saying(decision: Decision | Promise<Decision>, asked: string[] = [], name = ""): Authorizer {
	return {
		authorize: () => {
			asked.push(name);
			return decision;
		},
		rulesFor: async () => nothing,
	};
}

const none = (reason: string): Decision => ({ verdict: "none", reason });
const allow: Decision = { verdict: "allow", reason: "b" };
const deny: Decision = { verdict: "deny", reason: "c" };

test("the first opinion decides, whether it comes at once or later", async () => {
	for (const wrap of [(decision: Decision) => decision, (decision: Decision) => Promise.resolve(decision)]) {
		const asked: string[] = [];
		const all = [saying(wrap(none("a")), asked, "1"), saying(wrap(allow), asked, "2"), saying(wrap(deny), asked, "3")];
		expect(await union(all).authorize(attributes)).toBe(allow);
		expect(asked).toEqual(["1", "2"]);
		expect(await union(all.toReversed()).authorize(attributes)).toBe(deny);
		expect(
			await union([saying(wrap(none("a"))), saying(none("")), saying(wrap(none("d")))]).authorize(attributes),
		).toEqual(none("a\nd"));
	}
	expect(await union([]).authorize(attributes)).toEqual(none(""));
});
