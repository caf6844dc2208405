/** An object as YAML, which can be edited: the server checks it without writing, or takes it. */
import { useSignal } from "@preact/signals";
import { parse, stringify } from "yaml";
import { put } from "../state/api.ts";
import { session } from "../state/session.ts";
import { words } from "../text/words.ts";
import { Action, CancelDraft } from "./action.tsx";
import { DiffView } from "./diff-view.tsx";

interface YamlProps {
	object: { metadata: { resourceVersion: string; managedFields?: unknown } };
	path: string;
}

export function Yaml({ object, path }: YamlProps) {
	const w = words();
	const current = text(object);
	const draft = useSignal<string | undefined>(undefined);
	const message = useSignal("");
	const edited = draft.value ?? current;
	const send = async (query: string, done: string) => {
		message.value = "";
		await put(`${path}${query}`, parse(edited) as object);
		message.value = done;
	};
	return (
		<section class="yaml" aria-label={w.yaml}>
			<textarea
				spellcheck={false}
				readOnly={session.value?.readOnly !== false}
				value={edited}
				onInput={(event) => (draft.value = event.currentTarget.value)}
				aria-label={w.yaml}
			/>
			{draft.value !== undefined && draft.value !== current && <DiffView before={current} after={draft.value} />}
			<div class="bar">
				<Action run={() => send("?dryRun=All&fieldValidation=Strict", w.checked)} disabled={draft.value === undefined}>
					{w.check}
				</Action>
				<Action
					run={async () => {
						await send("?fieldValidation=Strict", w.applied);
						draft.value = undefined;
					}}
					disabled={draft.value === undefined}
				>
					{w.apply}
				</Action>
				<CancelDraft draft={draft} />
				<output>{message.value}</output>
			</div>
		</section>
	);
}

/** Without managedFields, which nobody edits. */
function text(object: YamlProps["object"]): string {
	const { managedFields: _, ...metadata } = object.metadata;
	return stringify({ ...object, metadata });
}
