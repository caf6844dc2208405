/**
 * `$(NAME)` in commands, arguments and values: replaced where NAME is known, left as it stands where not; `$$` is a
 * dollar (API reference, "Container.command"). Pure.
 */
export function expand(text: string, lookUp: (name: string) => string | undefined): string {
	if (!text.includes("$")) return text;
	return text.replace(/\$(\$|\(([^)]*)\))/g, (whole, what: string, name: string | undefined) => {
		if (what === "$") return "$";
		return (name === undefined ? undefined : lookUp(name)) ?? whole;
	});
}
