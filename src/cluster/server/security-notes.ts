/** The weak points of this machine for `cox status`, in plain words; docs/security.md has details. Pure. */
import type { RuntimeKind } from "../../runtime/runtime-kind.ts";

export interface SecuritySituation {
	runtime: RuntimeKind;
	/** How nodes are created; undefined with simulated ones. */
	mode: "root" | "rootless" | undefined;
	/** Containers see home directories, password hashes and keys. */
	showHome: boolean;
	/** The user of all processes: a name, or a number. */
	user: string;
	/** Whether the kernel supports seccomp filters. */
	seccomp: boolean;
	data: string;
}

/** One line each; empty if no programs run. */
export function securityNotes({ runtime, mode, showHome, user, seccomp, data }: SecuritySituation): string[] {
	const notes = [`every user who can read ${data} administers the cluster: keys and the kubeconfig are there`];
	if (runtime === "simulated") return notes;
	notes.unshift(
		mode === "rootless"
			? `a way out of a pod leads to the user ${user} of this machine, and to all that is theirs`
			: "root in a pod is root of this machine behind namespaces, few capabilities and seccomp, unless it says hostUsers: false",
		runtime === "containerd"
			? "pods see the files of their images only; the agent and containerd are root of this machine"
			: showHome
				? "pods see the programs and files of this machine, with home directories, password hashes and keys: 'cox up --show-home' asked for it"
				: "pods see the programs and files of this machine, save for home directories, keys and clusters' data: your machine is the image",
		"privileged pods and hostPath volumes administer their node: Pod Security labels on namespaces keep them out",
	);
	if (!seccomp) notes.push("this kernel takes no seccomp filters: pods may make any system call");
	return notes;
}
