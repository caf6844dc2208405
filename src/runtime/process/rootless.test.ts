import { describe } from "vitest";
import { asOrdinaryUser } from "../../linux/testing/ordinary-user.ts";

describe("runtime contract: process, rootless", () => {
	// Inside a user namespace, like a node of a cluster without root.
	const namespaces = ["--user", "--map-root-user", "--net", "--uts", "--mount", "--pid"];
	const unshare = ["unshare", ...namespaces, "--fork", "--kill-child", "--mount-proc"];
	// The shell is PID 1 and reaps, like a node's holder.
	const reaper = ["sh", "-c", '"$@" & wait $!', "sh"];
	asOrdinaryUser(
		["process", "isolation", "mounts", "escapes", "target", "image-containers", "launcher/exec"].map(
			(name) => `src/runtime/process/${name}.test.ts`,
		),
		{
			inside: [...unshare, ...reaper],
		},
	);
});
