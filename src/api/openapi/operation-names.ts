/** Names that generators of clients derive from a group version. */

/** `AppsV1`, `CoreV1`, `RbacAuthorizationV1`. */
export function idPrefix(group: string, version: string): string {
	const words = (group === "" ? "core" : group.replace(/\.k8s\.io$/, "")).split(/[.-]/);
	return [...words, version].map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join("");
}

/** `core_v1`, the tag by which generators group operations. */
export function tagOf(group: string, version: string): string {
	const words = (group === "" ? "core" : group.replace(/\.k8s\.io$/, "")).split(/[.-]/);
	return `${words.map((word, index) => (index === 0 ? word : word[0]?.toUpperCase() + word.slice(1))).join("")}_${version}`;
}
