import { describe, expect, it } from "vitest";
import { identitySteps } from "../container/identity-steps.ts";
import { allCapabilities, capabilityMask } from "./capabilities.ts";
import { encodePlan, list } from "./plan.ts";

const plain = {
	supplementalGroups: [],
	privileged: false,
	readOnlyRootFilesystem: false,
	capabilities: { add: [], drop: [] },
	noNewPrivileges: false,
};

describe("plans of the launcher", () => {
	it("are words, each ended by a zero byte", () => {
		expect(
			encodePlan([
				["umask", 18],
				["run", ...list([]), ...list(["a b", ""])],
			]),
		).toBe("umask\x0018\0run\x000\x002\0a b\0\0");
		expect(() => encodePlan([["run", ...list(["a\0b"])]])).toThrow("zero byte");
	});

	it("give capabilities as engines do: the usual ones, without those to drop, with those to add", () => {
		expect(capabilityMask({ add: [], drop: [] }).toString(16)).toBe("a80425fb");
		expect(capabilityMask({ add: ["NET_BIND_SERVICE"], drop: ["ALL"] })).toBe(1n << 10n);
		expect(capabilityMask({ add: ["all"], drop: ["CHOWN"] })).toBe(allCapabilities);
		expect(capabilityMask({ add: [], drop: ["CAP_CHOWN", "NO_SUCH"] }).toString(16)).toBe("a80425fa");
		expect(() => capabilityMask({ add: ["NO_SUCH"], drop: [] })).toThrow("CAP_NO_SUCH");
	});

	it("give up capabilities before anything of the container's can run", () => {
		const names = identitySteps({
			command: ["true"],
			env: new Map(),
			identity: { user: 1234, group: 0, groups: [0], home: "/" },
			security: { ...plain, runAsUser: 1234, noNewPrivileges: true },
			workingDir: "/",
			ownUsers: false,
			environment: { rootless: false, seccomp: { program: () => Buffer.alloc(8) } },
		}).map(([name]) => name);
		expect(names).toEqual([
			"working-directory",
			"groups",
			"bounding",
			"user",
			"capabilities",
			"no-new-privileges",
			"seccomp",
			"umask",
			"run",
		]);
	});

	it("map the user before a filter forbids to make namespaces, where only one user exists", () => {
		const names = identitySteps({
			command: ["true"],
			env: new Map(),
			identity: { user: 1234, group: 0, groups: [0], home: "/" },
			security: { ...plain, runAsUser: 1234 },
			workingDir: "/",
			ownUsers: false,
			environment: { rootless: true, seccomp: { program: () => Buffer.alloc(8) } },
		}).map(([name]) => name);
		expect(names).toEqual(["working-directory", "map", "seccomp", "bounding", "capabilities", "umask", "run"]);
	});
});
