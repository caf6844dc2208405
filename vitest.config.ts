import { defineConfig } from "vitest/config";

export default defineConfig({
	test: {
		include: ["src/**/*.test.ts", "test/**/*.test.ts", "examples/embedding/vitest/*.test.js"],
		// Bounds for what hangs, not for what is slow: whole clusters share two cores here.
		testTimeout: 120_000,
		hookTimeout: 120_000,
		pool: "forks",
	},
});
