/** Manifests to apply: typed, or files dropped anywhere on the page. The server checks them first. */
import { signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { type Applied, applyManifests } from "../state/apply.ts";
import { namespace } from "../state/route.ts";
import { session } from "../state/session.ts";
import { words } from "../text/words.ts";
import { Action } from "./action.tsx";
import { Mark } from "./status.tsx";

const text = signal("");
export const isApplyOpen = signal(false);
/** Larger files are no manifests that someone drops. */
const largestBytes = 4 * 1024 * 1024;

export function ApplyDialog() {
	const w = words();
	const dialog = useRef<HTMLDialogElement>(null);
	const results = useSignal<readonly Applied[]>([]);
	useEffect(() => {
		const { current } = dialog;
		if (isApplyOpen.value && !current?.open) {
			results.value = [];
			current?.showModal();
		} else if (!isApplyOpen.value && current?.open) current.close();
	}, [isApplyOpen.value]);
	const send = async (dryRun: boolean) => {
		results.value = await applyManifests(text.value, namespace.value || "default", dryRun);
	};
	return (
		<dialog
			ref={dialog}
			class="palette"
			aria-label={w.applyManifest}
			onClose={() => {
				isApplyOpen.value = false;
			}}
		>
			<h2>{w.applyManifest}</h2>
			<textarea
				class="manifest"
				spellcheck={false}
				aria-label="YAML"
				value={text.value}
				onInput={(event) => {
					text.value = event.currentTarget.value;
				}}
			/>
			<ul>
				{results.value.map(({ name, problem }) => (
					<li key={name}>
						<Mark tone={problem === undefined ? "good" : "bad"} /> {name} {problem}
					</li>
				))}
			</ul>
			<div class="bar">
				<Action run={() => send(true)}>{w.check}</Action>
				<Action run={() => send(false)}>{w.apply}</Action>
				<button type="button" onClick={() => dialog.current?.close()}>
					{w.close}
				</button>
			</div>
		</dialog>
	);
}

/** Files that are dropped open the dialog; a read-only session does not take them. */
export function startDrop(): void {
	addEventListener("dragover", (event) => event.preventDefault());
	addEventListener("drop", (event) => {
		event.preventDefault();
		const files = [...(event.dataTransfer?.files ?? [])].filter(({ size }) => size <= largestBytes);
		if (files.length === 0 || session.value?.readOnly !== false) return;
		void Promise.all(files.map((file) => file.text())).then((texts) => {
			text.value = texts.join("\n---\n");
			isApplyOpen.value = true;
		});
	});
}
