import { expect, test } from "vitest";
import { LocalTokens } from "./local-tokens.ts";

const user = { name: "system:node:node-1", groups: ["system:nodes"] };

test("a token stands for its user until it is taken back, and others stay", () => {
	const tokens = new LocalTokens();
	const [first, second] = [tokens.grant(user), tokens.grant(user)];
	expect(first).not.toBe(second);
	expect(tokens.userOf(first)).toBe(user);
	expect(tokens.userOf("")).toBeUndefined();
	expect(tokens.userOf(`${first}0`)).toBeUndefined();
	tokens.revoke([first]);
	expect(tokens.userOf(first)).toBeUndefined();
	expect(tokens.userOf(second)).toBe(user);
});
