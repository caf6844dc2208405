/** What is found out about an object: codes with parameters, so that each language has its own sentences. */

/** An object, as people name it: `pod/web-0`. */
export interface Subject {
	/** Lower-case singular: `pod`, `statefulset`. */
	type: string;
	name: string;
}

/** Where a container's output explains more. */
export interface LogRef {
	pod: string;
	container: string;
	/** The log of the previous attempt. */
	previous: boolean;
}

/** Code → the parameters of its sentences. */
export interface FindingParams {
	// Pods: their end
	running: object;
	succeeded: object;
	failed: { reason: string; message: string };
	exited: { container: string; exitCode: number; reason: string };
	terminating: { seconds: number; grace: number };
	finalizers: { names: string };
	nodeLost: { node: string };
	// Pods: scheduling
	gated: { gates: string };
	notSeenByScheduler: { scheduler: string };
	otherScheduler: { scheduler: string };
	unschedulable: { message: string };
	insufficient: { resource: string; nodes: number };
	tainted: { nodes: number };
	/** `label`: what a node lacks, such as `disk=ssd`; empty if it is not as simple as that. */
	selectorUnmatched: { nodes: number; label: string };
	nodesUnschedulable: { nodes: number };
	affinityUnmatched: { nodes: number };
	portsTaken: { nodes: number };
	volumeElsewhere: { nodes: number };
	noNodes: object;
	// Claims
	claimMissing: { claim: string };
	claimPending: { claim: string; message: string };
	claimClassMissing: { claim: string; storageClass: string };
	claimWithoutClass: { claim: string };
	claimWaitsForPod: { claim: string };
	claimLost: { claim: string };
	claimBound: { claim: string; volume: string };
	// Pods: start
	imageMissing: { container: string; image: string; message: string };
	imageNameInvalid: { container: string; image: string };
	imageNeverPulled: { container: string; image: string };
	configMissing: { container: string; message: string };
	containerNotCreated: { container: string; message: string };
	volumeNotMounted: { message: string };
	sandboxFailed: { message: string };
	creating: object;
	initRunning: { container: string; position: number; count: number };
	initFailing: { container: string };
	// Pods: run
	crashing: { container: string; restarts: number; exitCode: number };
	outOfMemory: { container: string; limit: string };
	killedByProbe: { container: string; message: string };
	notStarted: { container: string; message: string };
	notReady: { container: string; message: string };
	readinessGates: { gates: string };
	commandNotFound: { container: string; message: string };
	// Nodes
	nodeNotReady: { node: string; message: string };
	nodeCordoned: { node: string };
	nodePressure: { node: string; conditions: string };
	nodeFine: { node: string };
	// Workloads
	complete: { ready: number };
	scaledToZero: object;
	cannotCreate: { message: string };
	quotaExceeded: { quota: string; message: string };
	quotaNeedsRequests: { quota: string; message: string };
	notYetObserved: object;
	waitsForPod: { pod: string; ready: number; wanted: number };
	waitsForEarlierPod: { pod: string; next: string; ready: number; wanted: number };
	podsNotReady: { pods: string; ready: number; wanted: number };
	serviceMissing: { service: string };
	serviceSelectsOthers: { service: string };
	partition: { partition: number; updated: number };
	onDelete: { outdated: number };
	stuckRevision: { pod: string };
	paused: object;
	progressDeadline: { seconds: number };
	oldReplicas: { count: number };
	noNodeMatches: { label: string };
	jobSuspended: object;
	jobComplete: { succeeded: number };
	jobFailed: { reason: string; message: string };
	jobRetries: { failed: number; limit: number };
	jobBackingOff: { failed: number };
	jobRunning: { active: number; succeeded: number; wanted: number };
	cronSuspended: object;
	cronInvalid: { schedule: string; message: string };
	cronNever: { schedule: string };
	cronForbidden: { job: string };
	cronMissed: { message: string };
	/** `at`: RFC 3339; `local`: the same in the zone, such as `2026-03-01 03:00:00`; `wait`: until then, such as `9h`. */
	cronNext: { at: string; local: string; wait: string; schedule: string; zone: string };
}

export type Code = keyof FindingParams;

export type Finding = {
	[C in Code]: {
		code: C;
		about: Subject;
		params: FindingParams[C];
		/** Commands that show it, most useful first. */
		commands: readonly string[];
		log?: LogRef;
	};
}[Code];

export function finding<C extends Code>(
	about: Subject,
	code: C,
	params: FindingParams[C],
	commands: readonly string[] = [],
	log?: LogRef,
): Finding {
	// The compiler does not relate the code to its parameters through the union.
	return { code, about, params, commands, ...(log !== undefined && { log }) } as unknown as Finding;
}
