/**
 * Expands `$(NAME)` in commands, arguments and values. Unknown names are left as they are; `$$` is a dollar sign (API
 * reference, "Container.command"). Pure.
 */
export function expand(text: string, lookUp: (name: string) => string | undefined): string {
	if (!text.includes("$")) return text;
	return text.replace(/\$(\$|\(([^)]*)\))/g, (whole, what: string, name: string | undefined) => {
		if (what === "$") return "$";
		return (name === undefined ? undefined : lookUp(name)) ?? whole;
	});
}
