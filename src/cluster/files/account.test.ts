import { expect, test, vi } from "vitest";

vi.mock("node:os", async (original) => {
	const missing = () => {
		throw new Error("ENOENT");
	};
	return { ...(await original<typeof import("node:os")>()), homedir: missing, userInfo: missing };
});

test("a user without an account has a number and no home, and has to name a data directory", async () => {
	const { homeDirectory, userName } = await import("./account.ts");
	const { clusterName, layoutOf } = await import("./layout.ts");
	expect(userName()).toBe(String(process.getuid?.()));
	expect(homeDirectory()).toBeUndefined();
	vi.stubEnv("COX_DATA", "");
	expect(() => layoutOf(undefined)).toThrow("with --data or COX_DATA");
	expect(clusterName(layoutOf("/tmp/named"))).toMatch(/^coxswain-named-/);
	vi.unstubAllEnvs();
});
