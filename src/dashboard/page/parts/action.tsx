/** Buttons that change something: hidden in read-only sessions; what the server refuses is shown beside them. */
import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { messageOf } from "../../../core/errors.ts";
import { session } from "../state/session.ts";
import { words } from "../text/words.ts";

interface ActionProps {
	children: ComponentChildren;
	/** @throws Error to show */
	run(): Promise<unknown>;
	/** Asked before it is done. */
	confirm?: string;
	disabled?: boolean;
}

export function Action({ children, run, confirm, disabled }: ActionProps) {
	const problem = useSignal("");
	const isRunning = useSignal(false);
	const isAsking = useSignal(false);
	if (session.value?.readOnly !== false) return null;
	const start = async () => {
		isAsking.value = false;
		isRunning.value = true;
		problem.value = "";
		try {
			await run();
		} catch (error) {
			problem.value = messageOf(error);
		} finally {
			isRunning.value = false;
		}
	};
	return (
		<span class="action">
			<button
				type="button"
				disabled={disabled === true || isRunning.value}
				onClick={() => {
					if (confirm === undefined) void start();
					else isAsking.value = true;
				}}
			>
				{children}
			</button>
			{isAsking.value && (
				<span class="confirm" role="alertdialog" aria-label={confirm}>
					{confirm}{" "}
					<button type="button" class="danger" onClick={() => void start()}>
						{children}
					</button>
					<button type="button" onClick={() => (isAsking.value = false)}>
						{words().cancel}
					</button>
				</span>
			)}
			{problem.value !== "" && (
				<span class="refusal" role="alert">
					{problem.value}
				</span>
			)}
		</span>
	);
}

/** Drops what was typed; shown while there is something. */
export function CancelDraft({ draft }: { draft: Signal<string | undefined> }) {
	if (draft.value === undefined) return null;
	return (
		<button type="button" onClick={() => (draft.value = undefined)}>
			{words().cancel}
		</button>
	);
}
