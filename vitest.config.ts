import { defineConfig } from "vitest/config";

export default defineConfig({
	test: {
		include: ["src/**/*.test.ts", "test/**/*.test.ts", "examples/embedding/vitest/*.test.js"],
		testTimeout: 30_000,
		hookTimeout: 60_000,
		pool: "forks",
	},
});
