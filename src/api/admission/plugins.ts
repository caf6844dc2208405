/** Upstream's names of admission plugins, as `--enable-admission-plugins` takes them. */
import { admissionSteps, allocationSteps, checkingSteps } from "./admission.ts";

/** Enabled by default upstream; here part of something else, or unnecessary: naming them has no effect. */
const always: ReadonlySet<string> = new Set(["NamespaceExists", "NodeRestriction", "TaintNodesByCondition"]);

/**
 * Reads the comma-separated list of upstream's flag.
 * @throws Error that names unknown and unsupported plugins
 */
export function parsePlugins(text: string): string[] {
	const names = text
		.split(",")
		.map((name) => name.trim())
		.filter((name) => name !== "");
	checkPlugins(names);
	return [...new Set(names)];
}

/** @throws Error that names unknown and unsupported plugins */
export function checkPlugins(names: readonly string[]): void {
	const steps = [...admissionSteps, ...allocationSteps, ...checkingSteps];
	const known = new Set([...steps.map(({ name }) => name), ...always]);
	const unknown = names.filter((name) => !known.has(name));
	if (unknown.length === 0) return;
	const optional = steps.filter(({ isOptional }) => isOptional).map(({ name }) => name);
	throw new Error(
		`there is no admission plugin ${unknown.join(", ")}; those that can be enabled are ${[...new Set(optional)].sort().join(", ")}`,
	);
}
