/** Where the page is, as the part of the address after `#`: `#/statefulset/default/web`. */
import { signal } from "@preact/signals";

export interface Route {
	/** `cluster`, `workloads`, `events`, or the type of an object. */
	view: string;
	namespace: string;
	name: string;
	/** Of an object's view. */
	tab: string;
}

export const route = signal<Route>(parse(location.hash));
/** Empty: all. */
export const namespace = signal("");
export const search = signal("");

/** Whether the object is in the chosen namespace, and has what is searched for in its name. */
export function isChosen({ metadata }: { metadata: { name: string; namespace?: string | undefined } }): boolean {
	return (namespace.value === "" || metadata.namespace === namespace.value) && metadata.name.includes(search.value);
}

export function href(view: string, space = "", name = "", tab = ""): string {
	return `#/${[view, space, name, tab].map(encodeURIComponent).join("/").replace(/\/+$/, "")}`;
}

export function startRouting(): void {
	addEventListener("hashchange", () => {
		route.value = parse(location.hash);
		document.querySelector<HTMLElement>("main")?.focus();
	});
}

function parse(hash: string): Route {
	const [view = "", space = "", name = "", tab = ""] = hash.replace(/^#\//, "").split("/").map(decoded);
	return { view: view || "cluster", namespace: space, name, tab };
}

/** The address is what someone typed. */
function decoded(part: string): string {
	try {
		return decodeURIComponent(part);
	} catch {
		return part;
	}
}
