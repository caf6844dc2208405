import { describe, expect, test } from "vitest";
import type { Container, Pod, PodSpec } from "../generated/types.ts";
import { createFrom, texts, updateProblems } from "../testing.ts";
import { pods } from "./pod.ts";
import { validateEphemeralContainersUpdate, validatePodStatusUpdate, validateResize } from "./pod-update.ts";

const container = (more: object = {}): Container => ({ name: "c", image: "busybox:1.36", ...more });
const manifest = (spec: object = {}) => ({
	apiVersion: "v1",
	kind: "Pod",
	metadata: { name: "web" },
	spec: { containers: [container()], ...spec },
});
const create = (spec: object = {}) => createFrom(manifest(spec));
const stored = (spec: object = {}) => create(spec).object as Pod;
const problems = (spec: object) => create(spec).problems;

describe("defaults of a pod", () => {
	test("are upstream's", () => {
		expect(stored().spec).toEqual({
			containers: [
				{
					name: "c",
					image: "busybox:1.36",
					imagePullPolicy: "IfNotPresent",
					resources: {},
					terminationMessagePath: "/dev/termination-log",
					terminationMessagePolicy: "File",
				},
			],
			dnsPolicy: "ClusterFirst",
			enableServiceLinks: true,
			restartPolicy: "Always",
			schedulerName: "default-scheduler",
			securityContext: {},
			terminationGracePeriodSeconds: 30,
		});
		expect(stored().status).toEqual({ phase: "Pending", qosClass: "BestEffort" });
	});

	test("a negative time to end is one second", () => {
		expect(stored({ terminationGracePeriodSeconds: -1 }).spec.terminationGracePeriodSeconds).toBe(1);
	});

	test.each([
		["nginx", "Always"],
		["nginx:latest", "Always"],
		["nginx:1.27", "IfNotPresent"],
		["localhost:5000/nginx", "Always"],
		["nginx@sha256:abc", "IfNotPresent"],
	])("image %s is pulled %s", (image, policy) => {
		expect(stored({ containers: [container({ image })] }).spec.containers[0]?.imagePullPolicy).toBe(policy);
	});

	test("requests are the limits, where they are missing", () => {
		const resources = { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "500m" } };
		expect(stored({ containers: [container({ resources })] }).spec.containers[0]?.resources?.requests).toEqual({
			cpu: "500m",
			memory: "1Gi",
		});
	});

	test("probes, ports, volumes and variables have theirs", () => {
		const spec = stored({
			containers: [
				container({
					ports: [{ containerPort: 80 }],
					livenessProbe: { httpGet: { port: 80 } },
					env: [{ name: "N", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
				}),
			],
			volumes: [{ name: "a" }, { name: "b", secret: { secretName: "s" } }, { name: "c", hostPath: { path: "/x" } }],
		}).spec;
		expect(spec.containers[0]).toMatchObject({
			ports: [{ containerPort: 80, protocol: "TCP" }],
			livenessProbe: {
				failureThreshold: 3,
				httpGet: { path: "/", port: 80, scheme: "HTTP" },
				periodSeconds: 10,
				successThreshold: 1,
				timeoutSeconds: 1,
			},
			env: [{ name: "N", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } } }],
		});
		expect(spec.volumes).toEqual([
			{ name: "a", emptyDir: {} },
			{ name: "b", secret: { secretName: "s", defaultMode: 420 } },
			{ name: "c", hostPath: { path: "/x", type: "" } },
		]);
	});

	test("a service account is named twice, as old clients expect", () => {
		expect(stored({ serviceAccountName: "robot" }).spec.serviceAccount).toBe("robot");
		expect(stored({ serviceAccount: "robot" }).spec.serviceAccountName).toBe("robot");
	});
});

describe("requests of a pod that is limited as a whole", () => {
	const requests = (resources: object, ...containers: object[]) =>
		stored({ resources, containers: containers.map((one, index) => container({ ...one, name: `c${index}` })) }).spec
			.resources?.requests;

	test("are its containers', and of what they do not ask for as much as the limit", () => {
		const asks = { resources: { requests: { cpu: "100m", "example.com/x": "1" } } };
		const limits = { cpu: "1", memory: "1Gi" };
		expect(requests({ limits }, asks, asks)).toEqual({ cpu: "200m", memory: "1Gi" });
		expect(requests({ limits, requests: { cpu: "500m" } }, asks)).toEqual({ cpu: "500m", memory: "1Gi" });
		expect(requests({ limits }, {})).toEqual(limits);
	});

	test("stay as they are where there is no limit", () => {
		expect(requests({ requests: { cpu: "1" } }, { resources: { requests: { memory: "1Gi" } } })).toEqual({ cpu: "1" });
		expect(requests({}, { resources: { requests: { memory: "1Gi" } } })).toBeUndefined();
	});
});

describe("variables from files", () => {
	const found = (fileKeyRef: object) =>
		problems({
			volumes: [{ name: "v", emptyDir: {} }],
			containers: [container({ env: [{ name: "A", valueFrom: { fileKeyRef: { volumeName: "v", ...fileKeyRef } } }] })],
		});

	test("name a key and a path below the volume", () => {
		expect(found({ path: "a/env", key: "A" })).toEqual([]);
		const at = "spec.containers[0].env[0].valueFrom.fileKeyRef";
		expect(found({ path: "/env", key: "A=B" })).toEqual([
			`${at}.key: Invalid value: "A=B": must be printable ASCII without '='`,
			`${at}.path: Invalid value: "/env": must be a relative path`,
		]);
		expect(found({ path: "../env", key: "k".repeat(129) })).toEqual([
			`${at}.key: Too long: may not be more than 128 bytes`,
			`${at}.path: Invalid value: "../env": must not contain '..'`,
		]);
	});
});

describe("quality of service", () => {
	const qos = (...resources: object[]) =>
		stored({ containers: resources.map((each, index) => container({ name: `c${index}`, resources: each })) }).status
			?.qosClass;
	const full = { limits: { cpu: "1", memory: "1Gi" } };
	test("is Guaranteed when every container has limits that equal its requests", () => {
		expect(qos(full, full)).toBe("Guaranteed");
		expect(qos(full, {})).toBe("Burstable");
		expect(qos({ ...full, requests: { cpu: "1000m" } })).toBe("Guaranteed");
		expect(qos({ ...full, requests: { cpu: "500m" } })).toBe("Burstable");
		expect(qos({ requests: { cpu: "0" } })).toBe("BestEffort");
	});
});

describe("what is wrong with a pod", () => {
	test.each<[string, object, string[]]>([
		["no containers", { containers: [] }, ["spec.containers: Required value"]],
		["no image", { containers: [{ name: "c" }] }, ["spec.containers[0].image: Required value"]],
		[
			"two containers of one name",
			{ containers: [container(), container()] },
			['spec.containers[1].name: Duplicate value: "c"'],
		],
		[
			"a restart policy that does not exist",
			{ restartPolicy: "Sometimes" },
			['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure"'],
		],
		[
			"a mount of no volume",
			{ containers: [container({ volumeMounts: [{ name: "v", mountPath: "/v" }] })] },
			['spec.containers[0].volumeMounts[0].name: Not found: "v"'],
		],
		[
			"requests above limits",
			{ containers: [container({ resources: { limits: { cpu: "1" }, requests: { cpu: "2" } } })] },
			['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
		],
		[
			"a probe that does nothing",
			{ containers: [container({ readinessProbe: {} })] },
			["spec.containers[0].readinessProbe: Required value: must specify a handler type"],
		],
		[
			"an image as a volume",
			{ volumes: [{ name: "v", image: { pullPolicy: "Sometimes" } }] },
			[
				"spec.volumes[0].image.reference: Required value",
				'spec.volumes[0].image.pullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"',
			],
		],
		[
			"a volume of two kinds",
			{ volumes: [{ name: "v", emptyDir: {}, hostPath: { path: "/" } }] },
			["spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"],
		],
		[
			"a toleration of nothing",
			{ tolerations: [{ operator: "Equal", value: "x" }] },
			[
				'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
			],
		],
		[
			"a hook on an init container",
			{ initContainers: [container({ name: "i", livenessProbe: { exec: { command: ["true"] } } })] },
			[
				"spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
			],
		],
		[
			"a port out of range",
			{ containers: [container({ ports: [{ containerPort: 70_000 }] })] },
			["spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"],
		],
	])("%s", (_name, spec, expected) => {
		expect(problems(spec)).toEqual(expected);
	});

	test("nothing is wrong with one that uses most of what there is", () => {
		const spec: Partial<PodSpec> = {
			initContainers: [
				container({ name: "wait", command: ["true"] }),
				container({ name: "log", restartPolicy: "Always", startupProbe: { exec: { command: ["true"] } } }),
			],
			volumes: [
				{ name: "info", downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
				{
					name: "all",
					projected: {
						sources: [
							{ serviceAccountToken: { path: "token" } },
							{ configMap: { name: "m", items: [{ key: "k", path: "k" }] } },
						],
					},
				},
			],
			affinity: {
				nodeAffinity: {
					requiredDuringSchedulingIgnoredDuringExecution: {
						nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["n"] }] }],
					},
				},
				podAntiAffinity: {
					preferredDuringSchedulingIgnoredDuringExecution: [
						{ weight: 1, podAffinityTerm: { topologyKey: "kubernetes.io/hostname", labelSelector: {} } },
					],
				},
			},
			tolerations: [{ operator: "Exists" }, { key: "a", effect: "NoExecute", tolerationSeconds: 3 }],
			topologySpreadConstraints: [
				{ maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "DoNotSchedule", labelSelector: {} },
			],
			hostNetwork: true,
			securityContext: { sysctls: [{ name: "kernel.shm_rmid_forced", value: "1" }], runAsUser: 0 },
		};
		expect(problems(spec)).toEqual([]);
	});
});

describe("updates of a pod", () => {
	test("may change images, tolerations that are added, and a deadline that comes nearer", () => {
		const pod = stored({ activeDeadlineSeconds: 100, tolerations: [{ operator: "Exists" }] });
		const change = ({ spec }: Pod) => {
			for (const each of spec.containers) each.image = "busybox:2";
			spec.activeDeadlineSeconds = 50;
			spec.tolerations?.push({ key: "a", operator: "Exists" });
		};
		expect(updateProblems(pod, change)).toEqual([]);
	});

	test("may change nothing else, and say what was changed", () => {
		expect(
			updateProblems(stored(), ({ spec }) => {
				spec.hostname = "other";
				for (const each of spec.containers) each.command = ["true"];
			}),
		).toEqual([
			"spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n+ spec.containers[0].command\n+ spec.hostname\n",
		]);
	});

	test("may not add containers or take tolerations away", () => {
		const pod = stored({ tolerations: [{ operator: "Exists" }] });
		expect(updateProblems(pod, ({ spec }) => spec.containers.push(container({ name: "d" })))).toEqual([
			"spec.containers: Forbidden: pod updates may not add or remove containers",
		]);
		expect(
			updateProblems(pod, ({ spec }) => {
				delete spec.tolerations;
			}),
		).toEqual(["spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"]);
	});

	test("may lift scheduling gates, and narrow where a gated pod may run", () => {
		const pod = stored({ schedulingGates: [{ name: "example.com/wait" }], nodeSelector: { a: "b" } });
		const narrow = ({ spec }: Pod) => {
			delete spec.schedulingGates;
			spec.nodeSelector = { a: "b", c: "d" };
		};
		expect(updateProblems(pod, narrow)).toEqual([]);
		expect(
			updateProblems(pod, ({ spec }) => {
				spec.nodeSelector = { c: "d" };
			})[0],
		).toContain("only additions are allowed");
	});

	test("leave the status to its own subresource", () => {
		const pod = stored();
		const next: Pod = { ...pod, status: { phase: "Running" } };
		pods.prepareForUpdate?.(next, pod, { now: "2026-01-01T00:00:00Z" });
		expect(next.status?.phase).toBe("Pending");
	});

	test("a container that ended for good stays so, by its own policy and rules or else by the pod's", () => {
		const change = (code: number, restartPolicy: string, own: Partial<Container> = {}) => {
			const pod = stored({ restartPolicy, containers: [container({ name: "c", ...own })] });
			const of = (state: object) => ({ containerStatuses: [{ name: "c", state }] });
			// The fields of a status that are used.
			const statuses = [of({ terminated: { exitCode: code } }), of({ waiting: {} })] as unknown as Pod["status"][];
			const [old, next] = statuses.map((status) => ({ ...pod, status }) as Pod);
			return old && next ? texts(validatePodStatusUpdate(next, old)) : [];
		};
		const refused = ["status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state"];
		const rule = (action: string) => ({
			restartPolicy: "Never",
			restartPolicyRules: [{ action, exitCodes: { operator: "In", values: [42] } }],
		});
		expect(change(1, "Always")).toEqual([]);
		expect(change(1, "OnFailure")).toEqual([]);
		expect(change(0, "OnFailure")).toEqual(refused);
		expect(change(1, "Never")).toEqual(refused);
		expect(change(1, "Never", { restartPolicy: "Always" })).toEqual([]);
		expect(change(42, "Never", rule("Restart"))).toEqual([]);
		expect(change(1, "Never", rule("Restart"))).toEqual(refused);
		expect(change(1, "Never", rule("RestartAllContainers"))).toEqual([]);
	});

	test("addresses of a status are addresses", () => {
		const pod = stored();
		const addresses = { podIP: "evil; x", podIPs: [{ ip: "999.1.1.1" }], hostIPs: [{ ip: "::1" }] };
		const next = { ...pod, status: { ...pod.status, ...addresses } };
		const wanted = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
		expect(texts(validatePodStatusUpdate(next, pod))).toEqual([
			`status.podIPs[0]: Invalid value: "evil; x": ${wanted}`,
			`status.podIPs[0]: Invalid value: "999.1.1.1": ${wanted}`,
		]);
		expect(validatePodStatusUpdate(next, next)).toEqual([]);
	});

	test("ephemeral containers are added, and stay", () => {
		const pod = stored();
		const with1: Pod = { ...pod, spec: { ...pod.spec, ephemeralContainers: [{ name: "debug", image: "busybox" }] } };
		expect(validateEphemeralContainersUpdate(with1, pod)).toEqual([]);
		expect(texts(validateEphemeralContainersUpdate(pod, with1))).toEqual([
			'spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be removed',
		]);
	});

	test("a resize changes CPU and memory, and not the quality of service", () => {
		const sized = (requests: Record<string, string>) =>
			stored({ containers: [container({ resources: { requests } })] });
		expect(validateResize(sized({ cpu: "2" }), sized({ cpu: "1" }))).toEqual([]);
		expect(texts(validateResize(stored(), sized({ cpu: "1" })))).toContain(
			'spec: Invalid value: "BestEffort": Pod QOS Class may not change as a result of resizing',
		);
	});
});

test("deletion waits for the grace period, unless nobody runs the pod", () => {
	const running = stored({ nodeName: "n" });
	expect(pods.gracePeriodSeconds?.(running, undefined)).toBe(30);
	expect(pods.gracePeriodSeconds?.(running, 5)).toBe(5);
	expect(pods.gracePeriodSeconds?.(stored(), undefined)).toBe(0);
	expect(pods.gracePeriodSeconds?.({ ...running, status: { phase: "Failed" } }, undefined)).toBe(0);
});

test("warnings name what is most likely a mistake", () => {
	const { warnings } = create({
		nodeSelector: { "beta.kubernetes.io/os": "linux" },
		containers: [
			container({
				env: [
					{ name: "A", value: "1" },
					{ name: "A", value: "2" },
				],
			}),
		],
	});
	expect(warnings).toEqual([
		'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
		'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
	]);
});

test("search domains may have labels that begin with an underscore, and nothing stranger", () => {
	const searching = (...searches: string[]) => problems({ dnsConfig: { searches } });
	expect(searching("_sip._tcp.abc_d.example.com", "example.com.", ".", "a-b.c")).toEqual([]);
	expect(searching("__sip.example.com")).toHaveLength(1);
	expect(searching("Sip.example.com")).toHaveLength(1);
});

test("of capabilities only the literal CAP_SYS_ADMIN contradicts allowPrivilegeEscalation: false", () => {
	const adding = (...add: string[]) => {
		const securityContext = { allowPrivilegeEscalation: false, capabilities: { add } };
		return problems({ containers: [container({ securityContext })] });
	};
	expect(adding("SYS_ADMIN")).toEqual([]);
	expect(adding("CAP_SYS_ADMIN")).toHaveLength(1);
});
