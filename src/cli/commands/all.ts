/** The commands of `cox`, in the order of `cox --help`. Their modules are loaded when one runs, to keep others fast. */
import type { Command } from "commander";

export const commands: Readonly<Record<string, () => Promise<Command>>> = {
	up: async () => (await import("./up.ts")).upCommand(),
	down: async () => (await import("./down.ts")).downCommand(),
	status: async () => (await import("./status.ts")).statusCommand(),
	node: async () => (await import("./node.ts")).nodeCommand(),
	clock: async () => (await import("./clock.ts")).clockCommand(),
	kubeconfig: async () => (await import("./kubeconfig.ts")).kubeconfigCommand(),
	kubectl: async () => (await import("./kubectl.ts")).kubectlCommand(),
	doctor: async () => (await import("./doctor.ts")).doctorCommand(),
	dashboard: async () => (await import("./dashboard.ts")).dashboardCommand(),
	tunnel: async () => (await import("./tunnel.ts")).tunnelCommand(),
	why: async () => (await import("./why.ts")).whyCommand(),
	run: async () => (await import("./run.ts")).runCommand(),
	images: async () => (await import("./images.ts")).imagesCommand(),
	runs: async () => (await import("./runs.ts")).runsCommand(),
	logs: async () => (await import("./logs.ts")).logsCommand(),
	notify: async () => (await import("./notify.ts")).notifyCommand(),
	snapshot: async () => (await import("./snapshot.ts")).snapshotCommand(),
	secrets: async () => (await import("./secrets.ts")).secretsCommand(),
	test: async () => (await import("./test.ts")).testCommand(),
	envtest: async () => (await import("./envtest.ts")).envtestCommand(),
	types: async () => (await import("./types.ts")).typesCommand(),
	version: async () => (await import("./version.ts")).versionCommand(),
	tour: async () => (await import("./tour.ts")).tourCommand(),
	reset: async () => (await import("./reset.ts")).resetCommand(),
};
