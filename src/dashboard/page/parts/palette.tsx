/** The command palette: objects and views by name, without a mouse (Ctrl-K or /). */
import { signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { all, type Plural } from "../state/objects.ts";
import { href } from "../state/route.ts";
import { words } from "../text/words.ts";

export const isPaletteOpen = signal(false);

const types: readonly [Plural, string][] = [
	["statefulsets", "statefulset"],
	["deployments", "deployment"],
	["daemonsets", "daemonset"],
	["cronjobs", "cronjob"],
	["jobs", "job"],
	["nodes", "node"],
	["persistentvolumeclaims", "persistentvolumeclaim"],
	["pods", "pod"],
];
const mostHits = 12;

interface Hit {
	label: string;
	to: string;
}

function hits(text: string): Hit[] {
	const w = words();
	const views = ["cluster", "workloads", "events", "lessons"] as const;
	const found: Hit[] = views.map((view) => ({ label: w[view], to: href(view) }));
	const isMatch = ({ label }: Hit) => label.toLowerCase().includes(text.toLowerCase());
	const matching = found.filter(isMatch);
	for (const [plural, type] of types)
		for (const { metadata } of all(plural)) {
			if (matching.length >= mostHits) return matching;
			const { name, namespace } = metadata as { name: string; namespace?: string };
			const hit = { label: `${type}/${name}${namespace ? ` (${namespace})` : ""}`, to: href(type, namespace, name) };
			if (isMatch(hit)) matching.push(hit);
		}
	return matching;
}

export function Palette() {
	const w = words();
	const dialog = useRef<HTMLDialogElement>(null);
	const text = useSignal("");
	const chosen = useSignal(0);
	useEffect(() => {
		const { current } = dialog;
		if (isPaletteOpen.value && !current?.open) {
			text.value = "";
			chosen.value = 0;
			current?.showModal();
		} else if (!isPaletteOpen.value && current?.open) current.close();
	}, [isPaletteOpen.value]);
	const found = isPaletteOpen.value ? hits(text.value) : [];
	const go = (hit: Hit | undefined) => {
		// First, because it gives the focus back to where it was; the view that opens takes it then.
		dialog.current?.close();
		if (hit !== undefined) location.hash = hit.to;
	};
	const onKeyDown = (event: KeyboardEvent) => {
		const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
		if (move !== undefined) {
			event.preventDefault();
			chosen.value = Math.max(0, Math.min(found.length - 1, chosen.value + move));
		} else if (event.key === "Enter") {
			event.preventDefault();
			go(found[chosen.value]);
		}
	};
	return (
		<dialog ref={dialog} class="palette" aria-label={w.commands} onClose={() => (isPaletteOpen.value = false)}>
			<input
				role="combobox"
				aria-expanded="true"
				aria-controls="palette-hits"
				aria-activedescendant={`hit-${chosen.value}`}
				aria-label={w.commandHint}
				placeholder={w.commandHint}
				value={text.value}
				onInput={(event) => {
					text.value = event.currentTarget.value;
					chosen.value = 0;
				}}
				onKeyDown={onKeyDown}
			/>
			<div id="palette-hits" class="hits" role="listbox" aria-label={w.commands}>
				{found.map((hit, index) => (
					// biome-ignore lint/a11y/useKeyWithClickEvents: the combobox above has the keys.
					<div
						key={hit.to}
						id={`hit-${index}`}
						role="option"
						tabIndex={-1}
						aria-selected={index === chosen.value}
						onClick={() => go(hit)}
					>
						{hit.label}
					</div>
				))}
			</div>
		</dialog>
	);
}

export function startPalette(): void {
	addEventListener("keydown", (event) => {
		const isTyping = event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
		if ((event.key === "k" && (event.ctrlKey || event.metaKey)) || (event.key === "/" && !isTyping)) {
			event.preventDefault();
			isPaletteOpen.value = true;
		}
	});
}
