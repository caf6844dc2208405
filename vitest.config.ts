import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

// Bounds for what hangs, not for what is slow: whole clusters share two cores here.
const bounds = { testTimeout: 120_000, hookTimeout: 120_000, pool: "forks" } as const;

/** Tests beside the code that take root, namespaces, kubectl or long: `npm run quick` leaves them out. */
const machine = [
	"src/{network,runtime/process}/**/*.test.ts",
	"src/cluster/{data,snapshot}/**/*.test.ts",
	"src/store/lmdb.test.ts",
	"src/**/kubectl.test.ts",
];

export default defineConfig({
	test: {
		// Nothing is pulled from registries that a test does not start itself.
		env: { COX_IMAGES: "machine" },
		// Suites of real processes mostly wait: with three workers for two cores, these are busy nearly all the time.
		maxWorkers: Math.ceil(availableParallelism() * 1.5),
		projects: [
			// Modules are loaded once for each worker, not once for each file, which takes longer than most of these tests.
			{ test: { ...bounds, name: "unit", include: ["src/**/*.test.ts"], exclude: machine, isolate: false } },
			{ test: { ...bounds, name: "machine", include: machine, isolate: false } },
			{
				test: {
					...bounds,
					name: "suites",
					include: ["test/**/*.test.ts", "examples/embedding/vitest/*.test.js"],
					exclude: ["test/conformance/**"],
					isolate: false,
				},
			},
			{
				test: {
					...bounds,
					name: "conformance",
					include: ["test/conformance/**/*.test.ts"],
					isolate: false,
					globalSetup: "test/conformance/clusters.ts",
				},
			},
		],
	},
});
