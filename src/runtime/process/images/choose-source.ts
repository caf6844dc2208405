/** Which files a container with an image name runs: those of the store, of a registry, or the machine's own. Pure. */

/** `--images`, or the annotation of a pod. */
export const imageSources = ["auto", "registry", "machine"] as const;
export type ImageSource = (typeof imageSources)[number];

/** What the machine has for an image: a real program, something that stands in for it, or nothing. */
export type MachineOffer = "program" | "stand-in" | "nothing";

export interface Choice {
	/** In this order: the next one, if the registry cannot be reached. */
	steps: readonly ("stored" | "pull" | "machine")[];
}

/** By the rules of docs/images.md. */
export function chooseSource(input: {
	source: ImageSource;
	/** `Always`, `IfNotPresent`, `Never` */
	pullPolicy: string;
	stored: boolean;
	/** The manifest names a digest: nothing else will do. */
	pinned: boolean;
	offer: MachineOffer;
}): Choice {
	const { source, pullPolicy, stored, pinned, offer } = input;
	if (source === "machine") return { steps: ["machine"] };
	const keeps = source === "auto";
	const always = pullPolicy === "Always" && !(pinned && stored);
	if (stored && !always) return { steps: ["stored"] };
	const fallback = keeps && !pinned && offer !== "nothing";
	if (stored) return { steps: keeps ? ["pull", "stored"] : ["pull"] };
	if (fallback && offer === "program") return { steps: ["machine"] };
	if (pullPolicy === "Never") return { steps: fallback ? ["machine"] : [] };
	return { steps: fallback ? ["pull", "machine"] : ["pull"] };
}
