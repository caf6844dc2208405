import { afterEach, beforeEach, expect, test, vi } from "vitest";

// Files share their modules (vitest.config.ts): these are loaded again, before and after, with another node:os.
beforeEach(() => {
	const missing = () => {
		throw new Error("ENOENT");
	};
	vi.doMock("node:os", async (original) => ({
		...(await original<typeof import("node:os")>()),
		homedir: missing,
		userInfo: missing,
	}));
	vi.resetModules();
});

afterEach(() => {
	vi.doUnmock("node:os");
	vi.resetModules();
	vi.unstubAllEnvs();
});

test("a user without an account has a number and no home, and has to name a data directory", async () => {
	const { homeDirectory, userName } = await import("./account.ts");
	const { clusterName, layoutOf } = await import("./layout.ts");
	expect(userName()).toBe(String(process.getuid?.()));
	expect(homeDirectory()).toBeUndefined();
	vi.stubEnv("COX_DATA", "");
	expect(() => layoutOf(undefined)).toThrow("with --data or COX_DATA");
	expect(clusterName(layoutOf("/tmp/named"))).toMatch(/^coxswain-named-/);
});
