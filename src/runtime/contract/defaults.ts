/** Configurations of sandboxes and containers for tests, and helpers that read their output. */
import type { ContainerConfig, ExecSession, SandboxConfig } from "../runtime.ts";

/** The defaults of a sandbox for tests. */
export function sandboxConfig(podUid: string, changes: Partial<SandboxConfig> = {}): SandboxConfig {
	return {
		podUid,
		namespace: "default",
		name: podUid,
		attempt: 0,
		hostname: podUid,
		hostNetwork: false,
		hostPid: false,
		hostIpc: false,
		sharePid: false,
		sysctls: {},
		labels: {},
		annotations: {},
		...changes,
	};
}

/** Of a container without special settings. */
export const plainSecurity: ContainerConfig["security"] = {
	supplementalGroups: [],
	privileged: false,
	readOnlyRootFilesystem: false,
	capabilities: { add: [], drop: [] },
	noNewPrivileges: false,
};

/** The defaults of a container for tests: `busybox` with a shell command. */
export function containerConfig(
	directory: string,
	name: string,
	changes: Partial<ContainerConfig> = {},
): ContainerConfig {
	return {
		name,
		attempt: 0,
		image: "busybox",
		env: [],
		mounts: [],
		tty: false,
		stdin: false,
		stdinOnce: false,
		logPath: `${directory}/${name}.log`,
		security: plainSecurity,
		limits: {},
		labels: {},
		annotations: {},
		...changes,
	};
}

/** The output of a session, and its exit code. */
export async function collect(session: ExecSession): Promise<{ stdout: string; stderr: string; exitCode: number }> {
	const read = async (stream: AsyncIterable<Buffer | string> | undefined) => {
		let text = "";
		if (stream !== undefined) for await (const chunk of stream) text += chunk.toString();
		return text;
	};
	const [stdout, stderr, exitCode] = await Promise.all([read(session.stdout), read(session.stderr), session.exitCode]);
	return { stdout, stderr, exitCode };
}

/** The payload of CRI log lines, joined. */
export function logPayload(text: string, stream?: "stdout" | "stderr"): string {
	let payload = "";
	for (const [, from, tag, line] of text.matchAll(/^\S+ (stdout|stderr) ([FP])[^ ]* (.*)$/gm)) {
		if (stream === undefined || from === stream) payload += tag === "F" ? `${line}\n` : line;
	}
	return payload;
}

/** `RuntimeContractOptions.server` where containers have this machine's programs. */
export function nodeServer(port: number): readonly string[] {
	const program = `require("net").createServer(s => s.end("from inside")).listen(${port}, "127.0.0.1", () => console.log("up"))`;
	return [process.execPath, "-e", program];
}
