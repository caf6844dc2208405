/** How violations name what they are about. */

/** `"a", "b"` */
export function quoted(names: readonly string[]): string {
	return names.map((name) => `"${name}"`).join(", ");
}

export function plural(names: readonly unknown[], one: string, several = `${one}s`): string {
	return names.length === 1 ? one : several;
}

/** `container "a"`, `containers "a", "b"` */
export function containersNamed(names: readonly string[]): string {
	return `${plural(names, "container")} ${quoted(names)}`;
}

/** `pod`, `container "a"`, `pod and containers "a", "b"` */
export function podAndContainers(pod: boolean, names: readonly string[]): string {
	if (names.length === 0) return "pod";
	return `${pod ? "pod and " : ""}${containersNamed(names)}`;
}

/** Each once, in the order of their bytes. */
export function distinct(values: Iterable<string>): string[] {
	return [...new Set(values)].sort();
}
