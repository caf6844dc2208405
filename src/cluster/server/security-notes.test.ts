import { expect, test } from "vitest";
import { securityNotes } from "./security-notes.ts";

const situation = {
	runtime: "process",
	mode: "root",
	showHome: false,
	user: "root",
	seccomp: true,
	data: "/data",
} as const;

test("a cluster of root says that root in a pod is the machine's, one of a user that a pod is the user", () => {
	expect(securityNotes(situation).join("\n")).toContain("root in a pod is root of this machine");
	const rootless = securityNotes({ ...situation, mode: "rootless", user: "ada" }).join("\n");
	expect(rootless).toContain("the user ada of this machine");
	expect(rootless).not.toContain("root in a pod");
	expect(securityNotes(situation).join("\n")).toContain("save for home directories");
	expect(securityNotes({ ...situation, showHome: true }).join("\n")).toContain("with home directories");
});

test("what the kernel lacks is said, and nothing of pods where none run", () => {
	expect(securityNotes({ ...situation, seccomp: false }).join("\n")).toContain("no seccomp filters");
	expect(securityNotes(situation).join("\n")).not.toContain("no seccomp filters");
	expect(securityNotes({ ...situation, runtime: "simulated", mode: undefined })).toEqual([
		"every user who can read /data administers the cluster: keys and the kubeconfig are there",
	]);
});
