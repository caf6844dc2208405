import { describe, expect, test } from "vitest";
import type { CronJob, Event, Job, PersistentVolumeClaim, Pod, StatefulSet } from "../kinds/generated/types.ts";
import { type Explained, explain, headline, problems, typesOf } from "./explain.ts";
import type { Evidence } from "./findings/evidence.ts";

const nothing: Evidence = {
	nowMs: Date.parse("2026-03-01T12:00:00Z"),
	namespace: "default",
	pods: [],
	events: [],
	claims: [],
	services: [],
	statefulSets: [],
	deployments: [],
	daemonSets: [],
	replicaSets: [],
	jobs: [],
	cronJobs: [],
	nodes: [],
	storageClasses: [],
};

function meta(name: string, more: object = {}) {
	const creationTimestamp = "2026-03-01T11:59:00Z";
	return { name, namespace: "default", uid: `uid-${name}`, resourceVersion: "1", creationTimestamp, ...more };
}

interface PodFields {
	spec?: object;
	status?: object;
	metadata?: object;
}

function pod(name: string, { spec, status, metadata }: PodFields = {}): Pod {
	return {
		apiVersion: "v1",
		kind: "Pod",
		metadata: meta(name, metadata),
		spec: { containers: [{ name: "app", image: "app:1" }], nodeName: "n1", ...spec },
		status: { phase: "Pending", ...status },
	} as Pod;
}

function container(state: object, more: object = {}) {
	return { name: "app", image: "app:1", imageID: "", ready: false, restartCount: 0, state, ...more };
}

function event(about: string, reason: string, message: string, at = "2026-03-01T11:59:30Z"): Event {
	return {
		apiVersion: "v1",
		kind: "Event",
		metadata: meta(`${about}.${reason}`),
		involvedObject: { uid: `uid-${about}`, name: about },
		reason,
		message,
		lastTimestamp: at,
	};
}

const codesOf = (type: Explained, name: string, evidence: Partial<Evidence>) =>
	explain(type, name, { ...nothing, ...evidence })?.map(({ code }) => code);

const unscheduled = (message: string, spec: object = {}) =>
	pod("a", {
		spec: { nodeName: undefined, ...spec },
		status: { conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message }] },
	});

const claimed = { volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }] };
const claim: PersistentVolumeClaim = {
	apiVersion: "v1",
	kind: "PersistentVolumeClaim",
	metadata: meta("data"),
	spec: { storageClassName: "fast" },
	status: { phase: "Pending" },
};
const standard = {
	apiVersion: "storage.k8s.io/v1",
	kind: "StorageClass",
	metadata: meta("standard"),
	provisioner: "p",
};

describe("a pod", () => {
	const running = { running: {} };
	const cases: [string, Pod, string[], Partial<Evidence>?][] = [
		["is ready", pod("a", { status: { conditions: [{ type: "Ready", status: "True" }] } }), ["running"]],
		["has gates", pod("a", { spec: { nodeName: undefined, schedulingGates: [{ name: "g" }] } }), ["gated"]],
		["is new", pod("a", { spec: { nodeName: undefined } }), ["notSeenByScheduler"]],
		["has another scheduler", pod("a", { spec: { nodeName: undefined, schedulerName: "s" } }), ["otherScheduler"]],
		[
			"does not fit",
			unscheduled(
				"0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu, 2 Insufficient memory.",
			),
			["unschedulable", "insufficient", "insufficient", "tainted"],
		],
		["has no nodes", unscheduled("no nodes available to schedule pods"), ["unschedulable", "noNodes"]],
		[
			"has a claim of a class that does not exist",
			unscheduled("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.", claimed),
			["unschedulable", "claimClassMissing"],
			{ claims: [claim], storageClasses: [standard] },
		],
		[
			"has no claim",
			unscheduled('0/1 nodes are available: persistentvolumeclaim "data" not found.', claimed),
			["unschedulable", "claimMissing"],
		],
		[
			"has no image",
			pod("a", { status: { containerStatuses: [container({ waiting: { reason: "ImagePullBackOff" } })] } }),
			["imageMissing"],
			{ events: [event("a", "Failed", "not found")] },
		],
		[
			"crashes",
			pod("a", {
				status: {
					containerStatuses: [
						container(
							{ waiting: { reason: "CrashLoopBackOff" } },
							{ restartCount: 3, lastState: { terminated: { exitCode: 3, reason: "Error" } } },
						),
					],
				},
			}),
			["crashing"],
		],
		[
			"runs out of memory",
			pod("a", {
				status: {
					containerStatuses: [container({ terminated: { exitCode: 137, reason: "OOMKilled" } }, { restartCount: 1 })],
				},
			}),
			["outOfMemory"],
		],
		[
			"is killed by its probe",
			pod("a", {
				status: {
					containerStatuses: [container(running, { restartCount: 1, lastState: { terminated: { exitCode: 137 } } })],
				},
			}),
			["killedByProbe"],
			{ events: [event("a", "Killing", "Container app failed liveness probe, will be restarted")] },
		],
		["is not ready", pod("a", { status: { phase: "Running", containerStatuses: [container(running)] } }), ["notReady"]],
		[
			"is not ready after a restart",
			pod("a", {
				status: {
					containerStatuses: [container(running, { restartCount: 1, lastState: { terminated: { exitCode: 137 } } })],
				},
			}),
			["notReady"],
		],
		[
			"waits for an init container",
			pod("a", {
				spec: { initContainers: [{ name: "init", image: "i" }] },
				status: { initContainerStatuses: [{ ...container(running), name: "init" }] },
			}),
			["initRunning"],
		],
		["has no volume", pod("a"), ["volumeNotMounted"], { events: [event("a", "FailedMount", "no secret")] }],
		["was evicted", pod("a", { status: { phase: "Failed", reason: "Evicted", message: "low on memory" } }), ["failed"]],
		[
			"is held by a finalizer",
			pod("a", {
				metadata: { deletionTimestamp: "2026-03-01T11:59:50Z", finalizers: ["x/y"] },
				status: { phase: "Failed" },
			}),
			["finalizers"],
		],
		[
			"is on a lost node",
			pod("a"),
			["nodeLost", "nodeNotReady"],
			{
				nodes: [
					{
						apiVersion: "v1",
						kind: "Node",
						metadata: meta("n1"),
						spec: {},
						status: { conditions: [{ type: "Ready", status: "Unknown" }] },
					},
				],
			},
		],
	];
	test.each(cases)("that %s", (_, one, codes, evidence = {}) => {
		expect(codesOf("pod", "a", { pods: [one], ...evidence })).toEqual(codes);
	});
});

describe("a StatefulSet", () => {
	const set: StatefulSet = {
		apiVersion: "apps/v1",
		kind: "StatefulSet",
		metadata: meta("web"),
		spec: { replicas: 3, serviceName: "web", selector: {}, template: { metadata: {}, spec: { containers: [] } } },
		status: { replicas: 1, updateRevision: "r2" },
	} as unknown as StatefulSet;
	const owned = {
		ownerReferences: [{ apiVersion: "apps/v1", kind: "StatefulSet", name: "web", uid: "uid-web", controller: true }],
	};
	const member = (name: string, revision: string, status: object) =>
		pod(name, { metadata: { ...owned, labels: { "controller-revision-hash": revision } }, status });
	const ready = { conditions: [{ type: "Ready", status: "True" }] };
	const services = [{ apiVersion: "v1", kind: "Service", metadata: meta("web"), spec: {} }];

	test("names the pod that the others wait for, and its reason", () => {
		const statuses = { containerStatuses: [container({ waiting: { reason: "ErrImagePull", message: "no" } })] };
		const found = explain("statefulset", "web", {
			...nothing,
			services,
			statefulSets: [set],
			pods: [member("web-0", "r2", ready), member("web-1", "r2", statuses)],
		});
		expect(found).toMatchObject([
			{ code: "waitsForEarlierPod", params: { pod: "web-1", next: "web-2", ready: 1, wanted: 3 } },
			{ code: "imageMissing", about: { name: "web-1" } },
		]);
	});

	test("has the cause as its headline, which is the pull that failed and not that it did", () => {
		const waits = { containerStatuses: [container({ waiting: { reason: "ImagePullBackOff", message: "Back-off" } })] };
		const pull = event("web-0", "Failed", 'Failed to pull image "app:1": no such host');
		const later = event("web-0", "Failed", "Error: ImagePullBackOff", "2026-03-01T11:59:50Z");
		const pods = [member("web-0", "r2", waits)];
		const found = explain("statefulset", "web", { ...nothing, statefulSets: [set], pods, events: [pull, later] });
		expect(headline(found ?? [])).toMatchObject({ about: { name: "web-0" }, params: { message: "no such host" } });
	});

	test("tells to delete a pod of a bad revision", () => {
		const evidence = { services, statefulSets: [set], pods: [member("web-0", "r1", { phase: "Pending" })] };
		expect(codesOf("statefulset", "web", evidence)).toContain("stuckRevision");
	});

	test("misses its Service, and cannot create pods beyond a quota", () => {
		const events = [event("web", "FailedCreate", "create Pod web-0 failed: exceeded quota: few, requested: pods=1")];
		const codes = codesOf("statefulset", "web", { statefulSets: [set], events });
		expect(codes).toEqual(["waitsForEarlierPod", "quotaExceeded", "serviceMissing"]);
	});

	test("has pods without resources that a quota counts", () => {
		const events = [event("web", "FailedCreate", "create Pod web-0 failed: failed quota: few: must specify cpu")];
		expect(codesOf("statefulset", "web", { services, statefulSets: [set], events })).toContain("quotaNeedsRequests");
	});

	test("has a Service that selects other pods, and gives its own no names", () => {
		const spec = { clusterIP: "None", selector: { app: "other" } };
		const one = { apiVersion: "v1", kind: "Service", metadata: meta("web"), spec };
		expect(codesOf("statefulset", "web", { statefulSets: [set], services: [one] })).toContain("serviceSelectsOthers");
	});
});

const job = (status: object, spec: object = {}): Job =>
	({ apiVersion: "batch/v1", kind: "Job", metadata: meta("j"), spec: { backoffLimit: 2, ...spec }, status }) as Job;

test.each([
	["complete", job({ conditions: [{ type: "Complete", status: "True" }], succeeded: 1 }), ["jobComplete"]],
	["failed", job({ conditions: [{ type: "Failed", status: "True", reason: "BackoffLimitExceeded" }] }), ["jobFailed"]],
	["suspended", job({}, { suspend: true }), ["jobSuspended"]],
	["backing off", job({ failed: 1 }), ["jobRunning", "jobRetries", "jobBackingOff"]],
])("a Job that is %s", (_, one, codes) => {
	expect(codesOf("job", "j", { jobs: [one] })).toEqual(codes);
});

test.each([
	[{ schedule: "0 3 * * *", timeZone: "Europe/Berlin" }, ["cronNext"]],
	[{ schedule: "0 3 30 2 *" }, ["cronNever"]],
	[{ schedule: "0 3 * * *", suspend: true }, ["cronSuspended"]],
	[{ schedule: "* * * * *", concurrencyPolicy: "Forbid" }, ["cronForbidden", "cronNext"]],
	[{ schedule: "0 3 * * *", concurrencyPolicy: "Forbid" }, ["cronNext"]],
])("a CronJob with %o", (spec, codes) => {
	const status = { active: [{ name: "running" }] };
	const cronJob = { apiVersion: "batch/v1", kind: "CronJob", metadata: meta("c"), spec, status } as unknown as CronJob;
	expect(codesOf("cronjob", "c", { cronJobs: [cronJob] })).toEqual(codes);
});

test("the next run of a CronJob is told in its time zone", () => {
	const spec = { schedule: "0 3 * * *", timeZone: "Europe/Berlin" };
	const cronJob = { apiVersion: "batch/v1", kind: "CronJob", metadata: meta("c"), spec } as unknown as CronJob;
	const params = { at: "2026-03-02T02:00:00.000Z", local: "2026-03-02 03:00:00", wait: "14h" };
	expect(explain("cronjob", "c", { ...nothing, cronJobs: [cronJob] })).toMatchObject([{ params }]);
});

test("problems are those of objects that nothing manages, and what is well is none", () => {
	const well = pod("well", { status: { conditions: [{ type: "Ready", status: "True" }] } });
	const evidence = { ...nothing, pods: [well, pod("ill", { spec: { nodeName: undefined } })] };
	expect(problems(evidence).map(({ type, name }) => `${type}/${name}`)).toEqual(["pod/ill"]);
	expect(typesOf("ill", evidence)).toEqual(["pod"]);
	expect(explain("pod", "none", evidence)).toBeUndefined();
});
