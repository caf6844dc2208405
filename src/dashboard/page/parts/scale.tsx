import { useSignal } from "@preact/signals";
import { patch } from "../state/api.ts";
import { type Plural, pathOf } from "../state/objects.ts";
import { session } from "../state/session.ts";
import { words } from "../text/words.ts";
import { Action } from "./action.tsx";

interface Scalable {
	metadata: { name: string; namespace?: string };
	spec: { replicas?: number };
}

/** The number of replicas, to change it. */
export function Scale({ plural, object }: { plural: Plural; object: Scalable }) {
	const w = words();
	const wanted = useSignal<number | undefined>(undefined);
	const current = object.spec.replicas ?? 1;
	if (session.value?.readOnly !== false) return null;
	return (
		<span class="scale">
			<label>
				{w.replicas}{" "}
				<input
					type="number"
					min={0}
					max={10_000}
					value={wanted.value ?? current}
					onInput={(event) => (wanted.value = event.currentTarget.valueAsNumber)}
				/>
			</label>
			<Action
				disabled={wanted.value === undefined || Number.isNaN(wanted.value) || wanted.value === current}
				run={async () => {
					await patch(`${pathOf(plural, object.metadata)}/scale`, { merge: { spec: { replicas: wanted.value } } });
					wanted.value = undefined;
				}}
			>
				{w.scale}
			</Action>
		</span>
	);
}

/** As `kubectl rollout restart` does it. */
export function RestartAction({ plural, object }: { plural: Plural; object: Pick<Scalable, "metadata"> }) {
	const restartedAt = () => new Date().toISOString();
	const change = () => ({
		spec: { template: { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": restartedAt() } } } },
	});
	return <Action run={() => patch(pathOf(plural, object.metadata), { strategic: change() })}>{words().restart}</Action>;
}
