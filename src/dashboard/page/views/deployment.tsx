/** A Deployment: its revisions, what changed between them, and how far a rollout has come. */
import { useSignal } from "@preact/signals";
import { stringify } from "yaml";
import type { Deployment, ReplicaSet } from "../../../kinds/generated/types.ts";
import { Action } from "../parts/action.tsx";
import { DiffView } from "../parts/diff-view.tsx";
import { PodTile } from "../parts/pod-tile.tsx";
import { RestartAction, Scale } from "../parts/scale.tsx";
import { get, patch, put } from "../state/api.ts";
import { controlled, pathOf } from "../state/objects.ts";
import { age } from "../text/times.ts";
import { words } from "../text/words.ts";
import { Frame } from "./frame.tsx";

const revisionAnnotation = "deployment.kubernetes.io/revision";
const hashLabel = "pod-template-hash";

export function DeploymentView({ deployment }: { deployment: Deployment }) {
	const w = words();
	const { metadata, spec } = deployment;
	const sets = controlled("replicasets", metadata.uid).toSorted((a, b) => revisionOf(b) - revisionOf(a));
	const pods = sets.flatMap((set) => controlled("pods", set.metadata.uid));
	const path = pathOf("deployments", metadata);
	const actions = (
		<>
			<Scale plural="deployments" object={deployment} />
			<RestartAction plural="deployments" object={deployment} />
			<Action run={() => patch(path, { merge: { spec: { paused: spec.paused ? null : true } } })}>
				{spec.paused ? w.resume : w.pause}
			</Action>
		</>
	);
	const uids = sets.map((set) => set.metadata.uid);
	return (
		<Frame type="deployment" plural="deployments" object={deployment} pods={pods} uids={uids} actions={actions}>
			<h2>{w.revisions}</h2>
			<ol class="revisions" reversed>
				{sets.map((set, index) => (
					<Revision key={set.metadata.uid} set={set} path={path} newest={index === 0 ? undefined : sets[0]} />
				))}
			</ol>
		</Frame>
	);
}

function Revision({ set, path, newest }: { set: ReplicaSet; path: string; newest: ReplicaSet | undefined }) {
	const w = words();
	const isOpen = useSignal(false);
	return (
		<li class="card">
			<strong>
				{w.revision} {revisionOf(set)}
			</strong>{" "}
			<small>
				{set.metadata.name}, {age(set.metadata.creationTimestamp)}
			</small>
			<div class="tiles">
				{controlled("pods", set.metadata.uid).map((pod) => (
					<PodTile key={pod.metadata.uid} pod={pod} />
				))}
			</div>
			{newest !== undefined && (
				<>
					<button type="button" aria-expanded={isOpen.value} onClick={() => (isOpen.value = !isOpen.value)}>
						{w.changes}
					</button>
					<Action run={() => replaceTemplate(path, set)}>{w.undo}</Action>
					{isOpen.value && <DiffView before={templateText(set)} after={templateText(newest)} />}
				</>
			)}
		</li>
	);
}

/** As `kubectl rollout undo --to-revision` does it: the Deployment gets the template of the ReplicaSet. */
async function replaceTemplate(path: string, set: ReplicaSet): Promise<void> {
	const deployment = (await get(path)) as Deployment;
	await put(path, { ...deployment, spec: { ...deployment.spec, template: templateOf(set) } });
}

function templateOf({ spec }: ReplicaSet): Deployment["spec"]["template"] {
	const { metadata = {}, ...template } = spec.template ?? {};
	const { [hashLabel]: _, ...labels } = metadata.labels ?? {};
	return { ...template, metadata: { ...metadata, labels } } as Deployment["spec"]["template"];
}

function templateText(set: ReplicaSet): string {
	return stringify(templateOf(set));
}

function revisionOf({ metadata }: ReplicaSet): number {
	return Number(metadata.annotations?.[revisionAnnotation] ?? 0);
}
