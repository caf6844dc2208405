/** The messages of CRI v1 (runtime.v1) that this runtime sends and reads, with the numbers of their fields. */
import { flag, integer, list, message, text, textMap } from "./message.ts";

/** Values of `NamespaceMode`. */
export const namespaceMode = { pod: 0, container: 1, node: 2, target: 3 } as const;
/** Values of `ContainerState`. */
export const containerState = { created: 0, running: 1, exited: 2, unknown: 3 } as const;
/** Value of `PodSandboxState`. */
export const sandboxReady = 0;
/** Values of `SecurityProfile.ProfileType`. */
export const profileType = { RuntimeDefault: 0, Unconfined: 1, Localhost: 2 } as const;
/** Values of `MountPropagation`. */
export const mountPropagation = { None: 0, HostToContainer: 1, Bidirectional: 2 } as const;

/** Names of `Signal` from 1 on. */
const signals =
	"ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN".split(
		" ",
	);

/** Value of `Signal` for `SIGTERM` and the like; 0, the runtime's default, for others. */
export function signalNumber(name: string): number {
	return signals.indexOf(name.replace(/^SIG/, "")) + 1;
}

/** A number that may be 0 and still is there. */
const wrapped = message({ value: [1, integer] });
const securityProfile = message({ profileType: [1, integer], localhostRef: [2, text] });
const namespaceOptions = message({
	network: [1, integer],
	pid: [2, integer],
	ipc: [3, integer],
	targetId: [4, text],
});

const sandboxMetadata = message({ name: [1, text], uid: [2, text], namespace: [3, text], attempt: [4, integer] });

const sandboxConfig = message({
	metadata: [1, sandboxMetadata],
	hostname: [2, text],
	logDirectory: [3, text],
	labels: [6, textMap],
	annotations: [7, textMap],
	linux: [
		8,
		message({
			cgroupParent: [1, text],
			securityContext: [
				2,
				message({
					namespaceOptions: [1, namespaceOptions],
					privileged: [6, flag],
					seccomp: [9, securityProfile],
				}),
			],
			sysctls: [3, textMap],
		}),
	],
});

const imageSpec = message({ image: [1, text], userSpecifiedImage: [18, text] });

const resources = message({
	cpuPeriod: [1, integer],
	cpuQuota: [2, integer],
	cpuShares: [3, integer],
	memoryLimitInBytes: [4, integer],
	oomScoreAdj: [5, integer],
	unified: [9, textMap],
});

const containerMetadata = message({ name: [1, text], attempt: [2, integer] });

const containerConfig = message({
	metadata: [1, containerMetadata],
	image: [2, imageSpec],
	command: [3, list(text)],
	args: [4, list(text)],
	workingDir: [5, text],
	envs: [6, list(message({ key: [1, text], value: [2, text] }))],
	mounts: [
		7,
		list(
			message({
				containerPath: [1, text],
				hostPath: [2, text],
				readonly: [3, flag],
				propagation: [5, integer],
			}),
		),
	],
	labels: [9, textMap],
	annotations: [10, textMap],
	logPath: [11, text],
	stdin: [12, flag],
	stdinOnce: [13, flag],
	tty: [14, flag],
	linux: [
		15,
		message({
			resources: [1, resources],
			securityContext: [
				2,
				message({
					capabilities: [1, message({ addCapabilities: [1, list(text)], dropCapabilities: [2, list(text)] })],
					privileged: [2, flag],
					namespaceOptions: [3, namespaceOptions],
					runAsUser: [5, wrapped],
					runAsUsername: [6, text],
					readonlyRootfs: [7, flag],
					supplementalGroups: [8, list(integer)],
					noNewPrivs: [11, flag],
					runAsGroup: [12, wrapped],
					maskedPaths: [13, list(text)],
					readonlyPaths: [14, list(text)],
					seccomp: [15, securityProfile],
					apparmor: [16, securityProfile],
					supplementalGroupsPolicy: [17, integer],
				}),
			],
		}),
	],
	stopSignal: [18, integer],
});

const sandboxFields = {
	id: [1, text],
	metadata: [2, sandboxMetadata],
	state: [3, integer],
	createdAt: [4, integer],
} as const;

const containerStatus = message({
	id: [1, text],
	metadata: [2, containerMetadata],
	state: [3, integer],
	createdAt: [4, integer],
	startedAt: [5, integer],
	finishedAt: [6, integer],
	exitCode: [7, integer],
	image: [8, imageSpec],
	imageRef: [9, text],
	reason: [10, text],
	message: [11, text],
	annotations: [13, textMap],
});

const image = message({
	id: [1, text],
	repoTags: [2, list(text)],
	repoDigests: [3, list(text)],
	size: [4, integer],
	uid: [5, wrapped],
	username: [6, text],
	pinned: [8, flag],
});

const nothing = message({});
const sandboxId = message({ podSandboxId: [1, text] });
const containerId = message({ containerId: [1, text] });
const url = message({ url: [1, text] });

export const messages = {
	nothing,
	sandboxId,
	containerId,
	url,
	sandboxConfig,
	containerConfig,
	resources,
	imageSpec,
	version: message({ version: [1, text], runtimeName: [2, text], runtimeVersion: [3, text] }),
	statusResponse: message({
		status: [
			1,
			message({
				conditions: [1, list(message({ type: [1, text], status: [2, flag], reason: [3, text], message: [4, text] }))],
			}),
		],
	}),
	runSandbox: message({ config: [1, sandboxConfig] }),
	sandboxStatusRequest: message({ podSandboxId: [1, text], verbose: [2, flag] }),
	sandboxStatusResponse: message({
		status: [1, message({ ...sandboxFields, annotations: [8, textMap] })],
		info: [2, textMap],
	}),
	listSandboxesRequest: message({ filter: [1, message({ id: [1, text], labelSelector: [3, textMap] })] }),
	listSandboxesResponse: message({
		items: [1, list(message({ ...sandboxFields, labels: [5, textMap], annotations: [6, textMap] }))],
	}),
	createContainer: message({
		podSandboxId: [1, text],
		config: [2, containerConfig],
		sandboxConfig: [3, sandboxConfig],
	}),
	stopContainer: message({ containerId: [1, text], timeout: [2, integer] }),
	listContainersRequest: message({ filter: [1, message({ id: [1, text], labelSelector: [4, textMap] })] }),
	listContainersResponse: message({
		containers: [
			1,
			list(
				message({
					id: [1, text],
					podSandboxId: [2, text],
					metadata: [3, containerMetadata],
					imageRef: [5, text],
					state: [6, integer],
					createdAt: [7, integer],
					annotations: [9, textMap],
				}),
			),
		],
	}),
	containerStatusResponse: message({ status: [1, containerStatus] }),
	updateResources: message({ containerId: [1, text], linux: [2, resources] }),
	exec: message({
		containerId: [1, text],
		cmd: [2, list(text)],
		tty: [3, flag],
		stdin: [4, flag],
		stdout: [5, flag],
		stderr: [6, flag],
	}),
	attach: message({ containerId: [1, text], stdin: [2, flag], tty: [3, flag], stdout: [4, flag], stderr: [5, flag] }),
	statsRequest: message({ filter: [1, message({ labelSelector: [3, textMap] })] }),
	statsResponse: message({
		stats: [
			1,
			list(
				message({
					attributes: [1, message({ id: [1, text] })],
					cpu: [2, message({ usageCoreNanoSeconds: [2, wrapped] })],
					memory: [3, message({ workingSetBytes: [2, wrapped], usageBytes: [4, wrapped] })],
				}),
			),
		],
	}),
	imageRequest: message({ image: [1, imageSpec] }),
	imageStatusResponse: message({ image: [1, image] }),
	listImagesResponse: message({ images: [1, list(image)] }),
	pullImage: message({
		image: [1, imageSpec],
		auth: [
			2,
			message({ username: [1, text], password: [2, text], serverAddress: [4, text], identityToken: [5, text] }),
		],
		sandboxConfig: [3, sandboxConfig],
	}),
	pullImageResponse: message({ imageRef: [1, text] }),
	event: message({ containerId: [1, text], type: [2, integer], podSandboxStatus: [4, message(sandboxFields)] }),
};
