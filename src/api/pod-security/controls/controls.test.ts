/** Each control with the values that the Kubernetes documentation ("Pod Security Standards") allows and forbids. */
import { describe, expect, test } from "vitest";
import type { PodSpec } from "../../../kinds/generated/types.ts";
import { violations, violationText } from "../evaluate.ts";
import { type Level, parseVersion } from "../level.ts";
import { subjectOf } from "./control.ts";

type Spec = Record<string, unknown>;

/** Nothing that even `restricted` objects to. */
const unobjectionable = {
	runAsNonRoot: true,
	allowPrivilegeEscalation: false,
	capabilities: { drop: ["ALL"] },
	seccompProfile: { type: "RuntimeDefault" },
};

interface Rows {
	level: Exclude<Level, "privileged">;
	/** Pods' specs; of containers only what is special about them. */
	allowed: Spec[];
	forbidden: [spec: Spec, text: string][];
}

const container = (securityContext: Spec): Spec => ({ containers: [{ securityContext }] });
const pod = (securityContext: Spec): Spec => ({ securityContext });
const volume = (type: string): Spec => ({ volumes: [{ name: "v", [type]: {} }] });
const eachContainer = (field: string, what: Spec, who: string): [Spec, string] => [
	{ initContainers: [{ name: "a", ...what }], [field]: [{ name: "b", ...what }], containers: [{ name: "c", ...what }] },
	who,
];

const table: Record<string, Rows> = {
	"host processes of Windows": {
		level: "baseline",
		allowed: [container({ windowsOptions: { hostProcess: false } }), pod({ windowsOptions: {} })],
		forbidden: [
			[
				pod({ windowsOptions: { hostProcess: true } }),
				"hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)",
			],
			[
				{ ...pod({ windowsOptions: { hostProcess: true } }), ...container({ windowsOptions: { hostProcess: true } }) },
				'hostProcess (pod and container "c" must not set securityContext.windowsOptions.hostProcess=true)',
			],
		],
	},
	"host namespaces": {
		level: "baseline",
		allowed: [{ hostNetwork: false, hostPID: false, hostIPC: false }],
		forbidden: [
			[{ hostPID: true }, "host namespaces (hostPID=true)"],
			[
				{ hostIPC: true, hostPID: true, hostNetwork: true },
				"host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)",
			],
		],
	},
	"privileged containers": {
		level: "baseline",
		allowed: [container({ privileged: false })],
		forbidden: [
			[container({ privileged: true }), 'privileged (container "c" must not set securityContext.privileged=true)'],
			eachContainer(
				"ephemeralContainers",
				{ securityContext: { privileged: true } },
				'privileged (containers "a", "c", "b" must not set securityContext.privileged=true)',
			),
		],
	},
	"capabilities of baseline": {
		level: "baseline",
		allowed: [
			..."AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT"
				.split(" ")
				.map((capability) => container({ capabilities: { add: [capability] } })),
			container({ capabilities: {} }),
		],
		forbidden: ["NET_RAW", "SYS_ADMIN", "ALL", "CAP_CHOWN"].map((capability) => [
			container({ capabilities: { add: ["CHOWN", capability] } }),
			`non-default capabilities (container "c" must not include "${capability}" in securityContext.capabilities.add)`,
		]),
	},
	"hostPath volumes": {
		level: "baseline",
		allowed: [volume("emptyDir"), volume("nfs")],
		forbidden: [[volume("hostPath"), 'hostPath volumes (volume "v")']],
	},
	"host ports": {
		level: "baseline",
		allowed: [{ containers: [{ ports: [{ containerPort: 80 }, { containerPort: 81, hostPort: 0 }] }] }],
		forbidden: [
			[
				{ containers: [{ ports: [{ containerPort: 80, hostPort: 8080 }] }] },
				'hostPort (container "c" uses hostPort 8080)',
			],
			[
				{
					containers: [
						{ name: "a", ports: [{ containerPort: 80, hostPort: 8080 }] },
						{ name: "b", ports: [{ containerPort: 81, hostPort: 8081 }] },
					],
				},
				'hostPort (containers "a", "b" use hostPorts 8080, 8081)',
			],
		],
	},
	"hosts of probes and hooks": {
		level: "baseline",
		allowed: [{ containers: [{ livenessProbe: { httpGet: { port: 80 } }, lifecycle: { preStop: { sleep: {} } } }] }],
		forbidden: [
			[
				{ containers: [{ readinessProbe: { tcpSocket: { host: "127.0.0.1" } } }] },
				'probe or lifecycle host (container "c" uses probe or lifecycle host "127.0.0.1")',
			],
			[
				{
					containers: [
						{ name: "b", livenessProbe: { httpGet: { host: "b.com" } } },
						{
							name: "a",
							lifecycle: { postStart: { httpGet: { host: "a.com" } }, preStop: { tcpSocket: { host: "c" } } },
						},
					],
				},
				'probe or lifecycle host (containers "a", "b" use probe or lifecycle hosts "a.com", "b.com", "c")',
			],
		],
	},
	AppArmor: {
		level: "baseline",
		allowed: ["RuntimeDefault", "Localhost"].flatMap((type) => [
			pod({ appArmorProfile: { type } }),
			container({ appArmorProfile: { type } }),
		]),
		forbidden: [
			[
				pod({ appArmorProfile: { type: "Unconfined" } }),
				'forbidden AppArmor profile (pod must not set AppArmor profile type to "Unconfined")',
			],
			[
				container({ appArmorProfile: { type: "Unconfined" } }),
				'forbidden AppArmor profile (container "c" must not set AppArmor profile type to "Unconfined")',
			],
		],
	},
	SELinux: {
		level: "baseline",
		allowed: ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"].map((type) =>
			pod({ seLinuxOptions: { type, user: "", level: "s0" } }),
		),
		forbidden: [
			[
				pod({ seLinuxOptions: { type: "unconfined_t" } }),
				'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "unconfined_t")',
			],
			[
				{
					...pod({ seLinuxOptions: { type: "foo" } }),
					...container({ seLinuxOptions: { type: "bar", user: "u", role: "r" } }),
				},
				'seLinuxOptions (pod and container "c" set forbidden securityContext.seLinuxOptions: types "bar", "foo"; user may not be set; role may not be set)',
			],
		],
	},
	"the mount of /proc": {
		level: "baseline",
		allowed: [container({ procMount: "Default" }), { hostUsers: false, ...container({ procMount: "Unmasked" }) }],
		forbidden: [
			[
				container({ procMount: "Unmasked" }),
				'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
			],
		],
	},
	"seccomp of baseline": {
		level: "baseline",
		allowed: ["RuntimeDefault", "Localhost"].flatMap((type) => [
			pod({ seccompProfile: { type } }),
			container({ seccompProfile: { type } }),
		]),
		forbidden: [
			[
				pod({ seccompProfile: { type: "Unconfined" } }),
				'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
			],
			[
				{
					...pod({ seccompProfile: { type: "Unconfined" } }),
					...container({ seccompProfile: { type: "Unconfined" } }),
				},
				'seccompProfile (pod and container "c" must not set securityContext.seccompProfile.type to "Unconfined")',
			],
		],
	},
	sysctls: {
		level: "baseline",
		allowed: [
			pod({
				sysctls: [
					"kernel.shm_rmid_forced",
					"net.ipv4.ip_local_port_range",
					"net.ipv4.ip_unprivileged_port_start",
					"net.ipv4.tcp_syncookies",
					"net.ipv4.ping_group_range",
					"net.ipv4.ip_local_reserved_ports",
					"net.ipv4.tcp_keepalive_time",
					"net.ipv4.tcp_fin_timeout",
					"net.ipv4.tcp_keepalive_intvl",
					"net.ipv4.tcp_keepalive_probes",
					"net.ipv4.tcp_rmem",
					"net.ipv4.tcp_wmem",
				].map((name) => ({ name, value: "1" })),
			}),
		],
		forbidden: [
			[
				pod({ sysctls: [{ name: "kernel.msgmax" }, { name: "net.core.somaxconn" }] }),
				"forbidden sysctls (kernel.msgmax, net.core.somaxconn)",
			],
		],
	},
	"volumes of restricted": {
		level: "restricted",
		allowed: [
			"configMap",
			"csi",
			"downwardAPI",
			"emptyDir",
			"ephemeral",
			"image",
			"persistentVolumeClaim",
			"projected",
			"secret",
		].map(volume),
		forbidden: [
			[volume("hostPath"), 'restricted volume types (volume "v" uses restricted volume type "hostPath")'],
			[
				{
					volumes: [
						{ name: "a", nfs: {} },
						{ name: "b", gitRepo: {} },
						{ name: "c", nfs: {} },
					],
				},
				'restricted volume types (volumes "a", "b", "c" use restricted volume types "gitRepo", "nfs")',
			],
		],
	},
	"privilege escalation": {
		level: "restricted",
		allowed: [{ os: { name: "windows" }, ...container({ allowPrivilegeEscalation: undefined }) }],
		forbidden: [true, undefined].map((allowPrivilegeEscalation) => [
			container({ allowPrivilegeEscalation }),
			'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false)',
		]),
	},
	"running as non-root": {
		level: "restricted",
		allowed: [
			{ ...pod({ runAsNonRoot: true }), ...container({ runAsNonRoot: undefined }) },
			{ hostUsers: false, ...container({ runAsNonRoot: undefined }) },
		],
		forbidden: [
			[
				container({ runAsNonRoot: undefined }),
				'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true)',
			],
			[pod({ runAsNonRoot: false }), "runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)"],
			[
				{ ...pod({ runAsNonRoot: true }), ...container({ runAsNonRoot: false }) },
				'runAsNonRoot != true (container "c" must not set securityContext.runAsNonRoot=false)',
			],
		],
	},
	"running as a user": {
		level: "restricted",
		allowed: [pod({ runAsUser: 1000 }), container({ runAsUser: 1 }), { hostUsers: false, ...pod({ runAsUser: 0 }) }],
		forbidden: [
			[pod({ runAsUser: 0 }), "runAsUser=0 (pod must not set runAsUser=0)"],
			[container({ runAsUser: 0 }), 'runAsUser=0 (container "c" must not set runAsUser=0)'],
		],
	},
	"seccomp of restricted": {
		level: "restricted",
		allowed: [
			{ ...pod({ seccompProfile: { type: "Localhost" } }), ...container({ seccompProfile: undefined }) },
			{ os: { name: "windows" }, ...container({ seccompProfile: undefined }) },
		],
		forbidden: [
			[
				container({ seccompProfile: undefined }),
				'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
			],
			[
				container({ seccompProfile: { type: "Unconfined" } }),
				'seccompProfile (container "c" must not set securityContext.seccompProfile.type to "Unconfined")',
			],
		],
	},
	"capabilities of restricted": {
		level: "restricted",
		allowed: [
			container({ capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] } }),
			{ os: { name: "windows" }, ...container({ capabilities: undefined }) },
		],
		forbidden: [
			[
				container({ capabilities: undefined }),
				'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"])',
			],
			[
				container({ capabilities: { drop: ["all"], add: ["CHOWN"] } }),
				'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]; container "c" must not include "CHOWN" in securityContext.capabilities.add)',
			],
		],
	},
	"the mount of /proc in a user namespace": {
		level: "restricted",
		allowed: [{ hostUsers: false }],
		forbidden: [
			[
				{ hostUsers: false, ...container({ procMount: "Unmasked" }) },
				'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
			],
		],
	},
};

/** A container of the table with the rest that makes a pod, and for `restricted` with all that it demands. */
function complete(spec: Spec, level: Level): PodSpec {
	const more = (list: unknown) =>
		// The table holds lists of such objects.
		(list as Spec[]).map((one) => ({
			name: "c",
			...one,
			securityContext: {
				...(level === "restricted" ? unobjectionable : {}),
				...(one["securityContext"] as Spec | undefined),
			},
		}));
	const fields = ["initContainers", "containers", "ephemeralContainers"];
	const lists = fields.flatMap((field) => (spec[field] === undefined ? [] : [[field, more(spec[field])]]));
	return { containers: more([{}]), ...spec, ...Object.fromEntries(lists) };
}

function verdict(level: Level, spec: PodSpec, version = "latest", annotations: Record<string, string> = {}): string {
	const parsed = parseVersion(version) ?? Number.NaN;
	return violationText(violations({ level, version: parsed }, subjectOf(spec, annotations)));
}

describe.each(Object.entries(table))("%s", (_, { level, allowed, forbidden }) => {
	test.each(allowed.map((spec) => [JSON.stringify(spec), spec] as const))("allowed: %s", (_text, spec) => {
		expect(verdict(level, complete(spec, level))).toBe("");
	});
	test.each(forbidden.map(([spec, text]) => [JSON.stringify(spec), spec, text] as const))(
		"forbidden: %s",
		(_text, spec, text) => {
			expect(verdict(level, complete(spec, level))).toBe(text);
			expect(verdict("privileged", complete(spec, level))).toBe("");
		},
	);
});

test("restricted demands all that baseline does, and lists what both forbid once", () => {
	const spec = complete({ hostPID: true, ...volume("hostPath"), ...container({ privileged: true }) }, "restricted");
	expect(verdict("restricted", spec)).toBe(
		"host namespaces (hostPID=true), " +
			'privileged (container "c" must not set securityContext.privileged=true), ' +
			'restricted volume types (volume "v" uses restricted volume type "hostPath")',
	);
});

test("a plain pod violates four controls of restricted", () => {
	expect(verdict("restricted", { containers: [{ name: "nginx", image: "nginx" }] })).toBe(
		'allowPrivilegeEscalation != false (container "nginx" must set securityContext.allowPrivilegeEscalation=false), ' +
			'unrestricted capabilities (container "nginx" must set securityContext.capabilities.drop=["ALL"]), ' +
			'runAsNonRoot != true (pod or container "nginx" must set securityContext.runAsNonRoot=true), ' +
			'seccompProfile (pod or container "nginx" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
	);
});

describe("versions", () => {
	const sysctl = (name: string) => complete(pod({ sysctls: [{ name, value: "1" }] }), "baseline");
	const probe = complete({ containers: [{ livenessProbe: { httpGet: { host: "h" } } }] }, "baseline");
	const windows = complete(
		{ os: { name: "windows" }, ...container({ allowPrivilegeEscalation: undefined }) },
		"restricted",
	);
	const inUserNamespace = complete(
		{ hostUsers: false, ...container({ procMount: "Unmasked", runAsUser: 0 }) },
		"baseline",
	);
	const asRoot = complete(pod({ runAsUser: 0 }), "restricted");
	/** Specs with the newest version in which the check says otherwise than in the one after it. */
	test.each<[string, Level, PodSpec, string, boolean]>([
		["reserved ports", "baseline", sysctl("net.ipv4.ip_local_reserved_ports"), "v1.27", true],
		["keepalive", "baseline", sysctl("net.ipv4.tcp_keepalive_time"), "v1.29", true],
		["socket buffers", "baseline", sysctl("net.ipv4.tcp_rmem"), "v1.32", true],
		["hosts of probes", "baseline", probe, "v1.34", false],
		[
			"engines' SELinux type",
			"baseline",
			complete(pod({ seLinuxOptions: { type: "container_engine_t" } }), "baseline"),
			"v1.31",
			true,
		],
		["unmasked /proc in a user namespace", "baseline", inUserNamespace, "v1.35", true],
		[
			"seccomp fields",
			"baseline",
			complete(pod({ seccompProfile: { type: "Unconfined" } }), "baseline"),
			"v1.19",
			false,
		],
		["escalation on Windows", "restricted", windows, "v1.25", true],
		["escalation", "restricted", complete(container({ allowPrivilegeEscalation: true }), "restricted"), "v1.8", false],
		["dropping capabilities", "restricted", complete(container({ capabilities: {} }), "restricted"), "v1.22", false],
		["running as root", "restricted", asRoot, "v1.23", false],
		["root in a user namespace", "restricted", { ...asRoot, hostUsers: false }, "v1.35", true],
	])("%s: %s", (_, level, spec, since, allows) => {
		const before = `v1.${Number(since.slice(3)) - 1}`;
		expect(verdict(level, spec, since) === "").toBe(allows);
		expect(verdict(level, spec, before) === "").toBe(!allows);
		expect(verdict(level, spec, "v1.99")).toBe(verdict(level, spec));
	});

	test("before there were fields, annotations choose profiles", () => {
		const annotations = {
			"seccomp.security.alpha.kubernetes.io/pod": "unconfined",
			"container.seccomp.security.alpha.kubernetes.io/c": "localhost/x",
			"container.seccomp.security.alpha.kubernetes.io/none": "unconfined",
		};
		const spec = complete({}, "baseline");
		expect(verdict("baseline", spec, "v1.18", annotations)).toBe(
			'seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod="unconfined")',
		);
		expect(verdict("baseline", spec, "v1.19", annotations)).toBe("");
		const armour = { "container.apparmor.security.beta.kubernetes.io/c": "unconfined" };
		expect(verdict("baseline", spec, "v1.0", armour)).toBe(
			"forbidden AppArmor profile (annotation must not set AppArmor profile type to " +
				'"container.apparmor.security.beta.kubernetes.io/c="unconfined"")',
		);
	});
});
