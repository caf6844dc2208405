import type { ComponentChildren } from "preact";
import { href } from "../state/route.ts";

interface ObjectLinkProps {
	type: string;
	of: { namespace?: string | undefined; name: string };
	/** The text. Default: the name. */
	children?: ComponentChildren;
}

/** A link to the view of an object. */
export function ObjectLink({ type, of: { namespace, name }, children = name }: ObjectLinkProps) {
	// A node has no namespace, even where something in a namespace is about it.
	return <a href={href(type, type === "node" ? "" : namespace, name)}>{children}</a>;
}

/** With the type in the text, as kubectl names objects: `pod/web-0`. */
export function TypedLink({ type, of }: Pick<ObjectLinkProps, "type" | "of">) {
	return (
		<ObjectLink type={type} of={of}>
			{type}/{of.name}
		</ObjectLink>
	);
}
