import { exitMeaning } from "./exit-codes.ts";
import type { Phrases } from "./phrases.ts";

export const english: Phrases = {
	running: () => ({ says: "The pod runs, and its containers are ready." }),
	succeeded: () => ({ says: "All containers have exited with 0: the pod has done its work and is not started again." }),
	failed: ({ reason, message }) => ({
		says: `The pod has failed${reason && `, with reason ${reason}`}${message && `: ${message}`}`,
		helps: "A failed pod is not started again: its Job or other owner creates a new one, a pod without one is gone.",
	}),
	exited: ({ container, exitCode, reason }) => ({
		says: `Container ${container} ended with exit code ${exitCode}${meaning(exitCode, reason)}, and its pod's restart policy does not start it again.`,
		helps: "The last lines of its log usually say why.",
	}),
	terminating: ({ seconds, grace }) => ({
		says: `The pod has been shutting down for ${seconds} s; after ${grace} s its containers are killed.`,
		helps: "A program that ignores SIGTERM always takes the whole grace period (terminationGracePeriodSeconds).",
	}),
	finalizers: ({ names }) => ({
		says: `The pod has ended, and is kept only by its finalizers: ${names}.`,
		helps: "The controller that set a finalizer must remove it. If that controller is gone, remove it by hand.",
	}),
	nodeLost: ({ node }) => ({
		says: `The pod is on node ${node}, which is not ready: what its containers do is unknown.`,
		helps:
			"After 5 minutes the pod is evicted and its owner creates another, except in a StatefulSet, whose pod must be confirmed gone first.",
	}),
	gated: ({ gates }) => ({
		says: `The scheduler does not look at the pod because of its scheduling gates: ${gates}.`,
		helps: "The controller that set a gate removes it when the pod may start.",
	}),
	notSeenByScheduler: () => ({
		says: "The scheduler has not tried the pod yet.",
		helps: "This takes milliseconds. If it lasts, see 'cox status': the scheduler may not be running.",
	}),
	otherScheduler: ({ scheduler }) => ({
		says: `The pod asks for the scheduler ${scheduler}, which has not looked at it.`,
		helps: "Start that scheduler, or remove spec.schedulerName.",
	}),
	unschedulable: ({ message }) => ({ says: `No node can take the pod: ${message}` }),
	insufficient: ({ resource, nodes }) => ({
		says: `${count(nodes, "node does", "nodes do")} not have enough ${resource} left for what the pod requests.`,
		helps: `Request less ${resource}, delete or scale down other pods, or add a node ('cox node add').`,
	}),
	tainted: ({ nodes }) => ({
		says: `${count(nodes, "node has a taint", "nodes have taints")} that the pod does not tolerate.`,
		helps: "Add a toleration to the pod, or remove the taint: kubectl taint nodes NODE KEY-",
	}),
	selectorUnmatched: ({ nodes, label }) => ({
		says: `${count(nodes, "node does", "nodes do")} not match the pod's nodeSelector or node affinity.`,
		helps: `Label a node (kubectl label node NODE ${label || "KEY=VALUE"}), or change the selector.`,
	}),
	nodesUnschedulable: ({ nodes }) => ({
		says: `${count(nodes, "node is", "nodes are")} cordoned or drained.`,
		helps: "kubectl uncordon NODE lets pods onto it again.",
	}),
	affinityUnmatched: ({ nodes }) => ({
		says: `On ${count(nodes, "node", "nodes")} the pod would break its own rules about which pods it runs beside or how it spreads.`,
		helps:
			"A required anti-affinity or spread needs as many nodes as there are replicas: add nodes, or prefer instead of require.",
	}),
	portsTaken: ({ nodes }) => ({
		says: `On ${count(nodes, "node", "nodes")} another pod uses the same hostPort.`,
		helps: "Only one pod of a node can have a hostPort: use a Service instead, or a DaemonSet.",
	}),
	volumeElsewhere: ({ nodes }) => ({
		says: `The pod's volume cannot be used on ${count(nodes, "node", "nodes")}: it is on another.`,
		helps: "The pod must run where its data are. If that node is gone for good, delete the claim (and its data).",
	}),
	noNodes: () => ({ says: "The cluster has no nodes.", helps: "Add one with 'cox node add'." }),
	claimMissing: ({ claim }) => ({
		says: `The PersistentVolumeClaim ${claim} does not exist.`,
		helps: "Create it, or correct claimName. A StatefulSet creates claims only from its volumeClaimTemplates.",
	}),
	claimPending: ({ claim, message }) => ({
		says: `The PersistentVolumeClaim ${claim} is not bound yet${message ? `: ${message}` : "."}`,
		helps: "Either a PersistentVolume must fit its size, access modes and class, or its class must have a provisioner.",
	}),
	claimClassMissing: ({ claim, storageClass }) => ({
		says: `The PersistentVolumeClaim ${claim} asks for the StorageClass ${storageClass}, which does not exist.`,
		helps:
			"Create the class, or use one that 'kubectl get storageclass' shows, or none for the default class. Neither the class of a claim nor volumeClaimTemplates can be changed: delete the claim, and its StatefulSet, and create them again.",
	}),
	claimWithoutClass: ({ claim }) => ({
		says: `The PersistentVolumeClaim ${claim} names no StorageClass, and the cluster has no default class.`,
		helps: "Name a class in the claim, or create a PersistentVolume that fits.",
	}),
	claimWaitsForPod: ({ claim }) => ({
		says: `The PersistentVolumeClaim ${claim} is bound only when a pod that uses it has a node (WaitForFirstConsumer).`,
		helps: "This is normal: create the pod, or see why that pod is not scheduled.",
	}),
	claimLost: ({ claim }) => ({
		says: `The PersistentVolumeClaim ${claim} has lost its PersistentVolume.`,
		helps: "Its data are gone with the volume: delete the claim and create it again.",
	}),
	claimBound: ({ claim, volume }) => ({ says: `The PersistentVolumeClaim ${claim} is bound to volume ${volume}.` }),
	imageMissing: ({ container, image, message }) => ({
		says: `The image ${image} of container ${container} cannot be pulled: ${message}`,
		helps:
			"Check the name and the tag. For a private registry the pod needs imagePullSecrets. 'cox images pull' tries it by hand.",
	}),
	imageNameInvalid: ({ container, image }) => ({
		says: `The image of container ${container}, ${JSON.stringify(image)}, is not a valid image name.`,
		helps: "A name has lower-case letters only, such as registry.example.com/team/app:1.2.",
	}),
	imageNeverPulled: ({ container, image }) => ({
		says: `The image ${image} of container ${container} is not on the node, and imagePullPolicy Never forbids to pull it.`,
		helps: "Load it with 'cox images import', or use the policy IfNotPresent.",
	}),
	configMissing: ({ container, message }) => ({
		says: `Container ${container} cannot be configured: ${message}`,
		helps: "Create the ConfigMap, Secret or key that is missing: the container starts by itself then.",
	}),
	containerNotCreated: ({ container, message }) => ({ says: `Container ${container} cannot be created: ${message}` }),
	volumeNotMounted: ({ message }) => ({
		says: `A volume cannot be mounted: ${message}`,
		helps: "If a ConfigMap or Secret is missing, create it: the pod goes on by itself.",
	}),
	sandboxFailed: ({ message }) => ({
		says: `The pod's sandbox (its network and namespaces) cannot be made: ${message}`,
	}),
	creating: () => ({ says: "The pod has a node, and its containers are being created." }),
	initRunning: ({ container, position, count: all }) => ({
		says: `Init container ${container} (${position} of ${all}) is still running; the pod's containers start when all have exited with 0.`,
		helps:
			"Its log usually shows what it waits for. The DNS name of a pod that is not ready is not resolved, unless its Service has publishNotReadyAddresses: true.",
	}),
	initFailing: ({ container }) => ({
		says: `Init container ${container} fails, so that the pod's containers do not start.`,
	}),
	crashing: ({ container, restarts, exitCode }) => ({
		says: `Container ${container} ends again and again: ${count(restarts, "restart", "restarts")}, the last exit code was ${exitCode}${meaning(exitCode, "")}. Each restart waits longer, up to 5 minutes.`,
		helps:
			exitCode === 0
				? "A container of this pod must not end. For work that ends, use a Job."
				: "The log of the previous attempt usually says why.",
	}),
	outOfMemory: ({ container, limit }) => ({
		says: `Container ${container} was killed because it used more memory than its limit${limit && ` of ${limit}`}.`,
		helps: "Raise resources.limits.memory, or make the program use less.",
	}),
	killedByProbe: ({ container, message }) => ({
		says: `Container ${container} is killed and started again because its probe fails: ${message}`,
		helps:
			"Check the probe's port and path. A program that starts slowly needs a startupProbe rather than a longer initialDelaySeconds.",
	}),
	notStarted: ({ container, message }) => ({
		says: `Container ${container} runs, but its startup probe has not succeeded yet${message ? `: ${message}` : "."}`,
		helps: "It has failureThreshold × periodSeconds to start before it is killed.",
	}),
	notReady: ({ container, message }) => ({
		says: `Container ${container} runs, but is not ready${message ? `: ${message}` : "."}`,
		helps:
			"Services send no traffic to it until its readiness probe succeeds. Check the probe's port and path, and the log.",
	}),
	readinessGates: ({ gates }) => ({
		says: `The containers are ready, but not the pod: another controller must set the conditions ${gates}.`,
	}),
	commandNotFound: ({ container, message }) => ({
		says: `The program of container ${container} cannot be started: ${message}`,
		helps: "Check command and args, and whether the program is in the image.",
	}),
	nodeNotReady: ({ node, message }) => ({
		says: `Node ${node} is not ready${message ? `: ${message}` : "."}`,
		helps: "'cox status' shows whether its agent runs.",
	}),
	nodeCordoned: ({ node }) => ({ says: `Node ${node} is cordoned: it takes no new pods.` }),
	nodePressure: ({ node, conditions }) => ({
		says: `Node ${node} is short of something: ${conditions}. It takes no new pods, and may evict some.`,
	}),
	nodeFine: ({ node }) => ({ says: `Node ${node} is ready and takes pods.` }),
	complete: ({ ready }) => ({ says: `All is as it should be: ${count(ready, "pod is", "pods are")} ready.` }),
	scaledToZero: () => ({ says: "It is scaled to 0: there should be no pods." }),
	cannotCreate: ({ message }) => ({
		says: `A pod cannot be created: ${message}`,
		helps: "Create what is missing, or correct the template: the controller tries again by itself.",
	}),
	quotaExceeded: ({ quota, message }) => ({
		says: `The ResourceQuota ${quota} does not leave enough: ${message}`,
		helps: "Raise the quota, or make room: request less, or delete what is no longer used.",
	}),
	quotaNeedsRequests: ({ quota, message }) => ({
		says: `The ResourceQuota ${quota} counts something that the containers do not specify: ${message}`,
		helps: "Set resources.requests and limits in the template, or create a LimitRange with defaults.",
	}),
	notYetObserved: () => ({ says: "The controller has not acted on it yet." }),
	waitsForPod: ({ pod, ready, wanted }) => ({
		says: `${ready} of ${wanted} pods are ready; the first that is not is ${pod}.`,
	}),
	waitsForEarlierPod: ({ pod, next, ready, wanted }) => ({
		says: `${ready} of ${wanted} pods are ready. ${next} is not created before ${pod} is ready: a StatefulSet starts its pods in order.`,
		helps: `Fix ${pod}, and the others follow. podManagementPolicy: Parallel starts all at once.`,
	}),
	podsNotReady: ({ pods, ready, wanted }) => ({
		says: `${ready} of ${wanted} pods are ready; not ready: ${pods}.`,
	}),
	serviceMissing: ({ service }) => ({
		says: `Its headless Service ${service} does not exist: pods start without it, but have no DNS names.`,
		helps: `Create a Service ${service} with clusterIP: None and the pods' labels as selector.`,
	}),
	serviceSelectsOthers: ({ service }) => ({
		says: `Its Service ${service} does not select its pods: they have no DNS names.`,
		helps: "Correct spec.selector of the Service: the labels of the StatefulSet's template.",
	}),
	partition: ({ partition, updated }) => ({
		says: `The update is held back by its partition: pods with an ordinal below ${partition} keep the old template (${updated} updated so far).`,
		helps: "Set spec.updateStrategy.rollingUpdate.partition to 0 to update all.",
	}),
	onDelete: ({ outdated }) => ({
		says: `${count(outdated, "pod has", "pods have")} the old template: with the strategy OnDelete a pod is updated only when you delete it.`,
	}),
	stuckRevision: ({ pod }) => ({
		says: `${pod} has an earlier template than the current one, and is replaced only once it is ready, which it may never be.`,
		helps: `Delete ${pod}: it is created again from the current template.`,
	}),
	paused: () => ({ says: "It is paused: changes of the template are not rolled out." }),
	progressDeadline: ({ seconds }) => ({
		says: `The rollout has made no progress for ${seconds} s (ProgressDeadlineExceeded). It goes on trying.`,
		helps: "Correct the template, or go back to the previous revision.",
	}),
	oldReplicas: ({ count: pods }) => ({
		says: `${count(pods, "pod", "pods")} of the previous revision keep running until new ones are ready.`,
	}),
	noNodeMatches: ({ label }) => ({
		says: "No node matches: its nodeSelector, affinity or tolerations exclude all nodes.",
		helps: `Label a node (kubectl label node NODE ${label || "KEY=VALUE"}), or change the template.`,
	}),
	jobSuspended: () => ({ says: "The Job is suspended: it has no pods until spec.suspend is false." }),
	jobComplete: ({ succeeded }) => ({ says: `The Job is complete: ${count(succeeded, "pod", "pods")} succeeded.` }),
	jobFailed: ({ reason, message }) => ({
		says: `The Job has failed${reason && `, with reason ${reason}`}${message && `: ${message}`}`,
		helps: "A failed Job is not tried again: fix the cause, delete it and create it again.",
	}),
	jobRetries: ({ failed, limit }) => ({
		says: `${count(failed, "pod has", "pods have")} failed; the Job fails after ${limit} retries (backoffLimit).`,
	}),
	jobBackingOff: () => ({
		says: "The next attempt waits: 10 s after the first failure, then twice as long each time, up to 6 minutes.",
	}),
	jobRunning: ({ active, succeeded, wanted }) => ({
		says: `The Job is running: ${count(active, "pod is", "pods are")} active, ${succeeded} of ${wanted} completions are done.`,
	}),
	cronSuspended: () => ({ says: "The CronJob is suspended: it starts no Jobs until spec.suspend is false." }),
	cronInvalid: ({ schedule, message }) => ({
		says: `The schedule ${JSON.stringify(schedule)} cannot be read: ${message}`,
	}),
	cronNever: ({ schedule }) => ({
		says: `The schedule ${JSON.stringify(schedule)} is never due, such as on the 30th of February.`,
	}),
	cronForbidden: ({ job }) => ({
		says: `The Job ${job} is still running, and concurrencyPolicy Forbid skips further runs until it ends.`,
	}),
	cronMissed: ({ message }) => ({ says: `A run was missed: ${message}` }),
	cronNext: ({ local, wait, schedule, zone }) => ({
		says: `The schedule "${schedule}" is next due in ${wait}, at ${local} (${zone}).`,
	}),
};

function count(number: number, one: string, many: string): string {
	return `${number} ${number === 1 ? one : many}`;
}

function meaning(exitCode: number, reason: string): string {
	const found = exitMeaning(exitCode);
	if (found === undefined) return reason && reason !== "Error" ? ` (${reason})` : "";
	return ` (${found.signal === undefined ? shellMeanings[found.kind] : `killed by ${found.signal}`})`;
}

const shellMeanings = { notExecutable: "the program cannot be executed", notFound: "the program was not found" };
