import { expect, test } from "vitest";
import { whoAsksHeaders } from "./identity-headers.ts";

test("headers that an extension API server would believe are not passed on, whatever proxies call them", () => {
	const others = { username: ["X-Forwarded-User"], uid: [], group: ["X-Teams"], extraPrefix: ["X-About-"] };
	const says = whoAsksHeaders(others);
	const names = ["x-forwarded-user", "x-teams", "x-about-scopes", "x-remote-user", "x-remote-uid", "x-remote-group"];
	expect(names.filter((name) => !says(name))).toEqual([]);
	expect(says("x-remote-extra-scopes")).toBe(true);
	expect(["x-forwarded-for", "accept", "x-team"].filter(says)).toEqual([]);
	expect(whoAsksHeaders()("x-teams")).toBe(false);
});
