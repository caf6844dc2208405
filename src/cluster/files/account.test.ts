import { syncBuiltinESMExports } from "node:module";
import os from "node:os";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { homeDirectory, userName } from "./account.ts";
import { clusterName, layoutOf } from "./layout.ts";

beforeEach(() => {
	const missing = () => {
		throw new Error("ENOENT");
	};
	vi.spyOn(os, "homedir").mockImplementation(missing);
	vi.spyOn(os, "userInfo").mockImplementation(missing);
	syncBuiltinESMExports();
});

afterEach(() => {
	vi.restoreAllMocks();
	syncBuiltinESMExports();
	vi.unstubAllEnvs();
});

test("a user without an account has a number and no home, and has to name a data directory", () => {
	expect(userName()).toBe(String(process.getuid?.()));
	expect(homeDirectory()).toBeUndefined();
	vi.stubEnv("COX_DATA", "");
	expect(() => layoutOf(undefined)).toThrow("with --data or COX_DATA");
	expect(clusterName(layoutOf("/tmp/named"))).toMatch(/^coxswain-named-/);
});
