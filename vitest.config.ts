import { availableParallelism } from "node:os";
// The conformance tests' global set-up is loaded by this process.
import "tsx";
import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

const settings: TestProjectInlineConfiguration["test"] = {
	// Bounds for what hangs, not for what is slow: whole clusters share two cores here.
	testTimeout: 120_000,
	hookTimeout: 120_000,
	pool: "forks",
	// Modules are loaded once for each worker, not once for each file, which takes longer than most of these tests.
	isolate: false,
	// Node itself loads them, through tsx: Vite's runner takes twice as long, and makes every call of an import slower.
	execArgv: ["--import", "tsx"],
	experimental: { viteModuleRunner: false, nodeLoader: false },
};

/** Tests beside the code that take root, namespaces, kubectl or long: `npm run quick` leaves them out. */
const machine = [
	"src/{network,runtime/process,runtime/cri}/**/*.test.ts",
	"src/cluster/{data,snapshot}/**/*.test.ts",
	"src/proxy/policy/enforcement.test.ts",
	"src/store/lmdb/lmdb.test.ts",
	"src/**/kubectl.test.ts",
];

export default defineConfig({
	test: {
		env: {
			// Nothing is pulled from registries that a test does not start itself.
			COX_IMAGES: "machine",
			// kubectl has ended before collecting garbage pays: a fifth of its CPU time.
			GOGC: "400",
		},
		// Suites of real processes mostly wait: with three workers for two cores, these are busy nearly all the time.
		maxWorkers: Math.ceil(availableParallelism() * 1.5),
		projects: [
			{ test: { ...settings, name: "unit", include: ["src/**/*.test.ts"], exclude: machine } },
			{ test: { ...settings, name: "machine", include: machine } },
			{
				test: {
					...settings,
					name: "suites",
					include: ["test/**/*.test.ts", "examples/embedding/vitest/*.test.js"],
					exclude: ["test/conformance/**"],
				},
			},
			{
				test: {
					...settings,
					name: "conformance",
					include: ["test/conformance/**/*.test.ts"],
					globalSetup: "test/conformance/clusters.ts",
				},
			},
		],
	},
});
