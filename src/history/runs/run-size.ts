/** Limits the size of a run, whatever its Job and pods contain. Pure. */
import { encode } from "../../api/cache/cached.ts";
import type { Run, RunPod } from "../../kinds/history/types.ts";
import { dispensableFirst } from "./pods-of.ts";

/** The maximum size of a stored run: together with the largest log, it fits in one commit of any store. */
export const mostRunBytes = 256 * 1024;

const shortText = 100;
const fewAttempts = 3;

/** The run, shortened if it would be too large, and its JSON for the store. */
export function boundedRun(whole: Run): { run: Run; value: Uint8Array } {
	let run = whole;
	let value = encode(run);
	for (const smaller of [withFewerPods, withShorterTexts, withFewerContainers, withoutLabels]) {
		if (value.length <= mostRunBytes) break;
		run = smaller(run, value.length - mostRunBytes);
		value = encode(run);
	}
	return { run, value };
}

type Smaller = (run: Run, excess: number) => Run;

/** At least one pod is kept. */
const withFewerPods: Smaller = (run, excess) => {
	const { pods = [] } = run.status;
	const dropped = new Set<RunPod>();
	let left = excess;
	for (const pod of dispensableFirst(pods).slice(0, -1)) {
		if (left <= 0) break;
		dropped.add(pod);
		left -= bytesOf(pod);
	}
	const podsLeftOut = Math.max(run.status.podsLeftOut ?? 0, dropped.size);
	return withPods({ ...run, status: { ...run.status, podsLeftOut } }, (pod) => (dropped.has(pod) ? [] : [pod]));
};

const withShorterTexts: Smaller = (run) => {
	const { reason, message } = run.status;
	const status = { ...run.status, ...shortened({ reason, message }) };
	return withPods({ ...run, status }, ({ reason, message, containers = [], ...pod }) => [
		{
			...pod,
			...shortened({ reason, message }),
			containers: containers.map(({ image, imageID, attempts, ...container }) => ({
				...container,
				...shortened({ image, imageID }),
				...(attempts && {
					attempts: attempts
						.slice(-fewAttempts)
						.map(({ reason, message, ...attempt }) => ({ ...attempt, ...shortened({ reason, message }) })),
				}),
			})),
		},
	]);
};

const withFewerContainers: Smaller = (run, excess) => {
	let left = excess;
	return withPods(run, ({ containers = [], ...pod }) => {
		let kept = containers.length;
		for (; kept > 1 && left > 0; kept--) left -= bytesOf(containers[kept - 1] ?? {});
		return [{ ...pod, containers: containers.slice(0, kept) }];
	});
};

/** Except those that identify the run. */
const withoutLabels: Smaller = ({ metadata, ...run }) => {
	const labels = Object.entries(metadata.labels ?? {}).filter(([name]) => name === "job-name" || name === "cronjob");
	const { annotations: _, ...others } = metadata;
	return {
		apiVersion: run.apiVersion,
		kind: run.kind,
		metadata: { ...others, labels: Object.fromEntries(labels) },
		spec: run.spec,
		status: run.status,
	};
};

function withPods(run: Run, change: (pod: RunPod) => RunPod[]): Run {
	return { ...run, status: { ...run.status, pods: (run.status.pods ?? []).flatMap(change) } };
}

/** The texts that are not undefined. */
function shortened(texts: Record<string, string | undefined>): Record<string, string> {
	return Object.fromEntries(
		Object.entries(texts).flatMap(([name, text]) => (text === undefined ? [] : [[name, text.slice(0, shortText)]])),
	);
}

/** Including the comma. */
function bytesOf(part: object): number {
	return Buffer.byteLength(JSON.stringify(part)) + 1;
}
