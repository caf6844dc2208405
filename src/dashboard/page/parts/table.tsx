import type { ComponentChildren } from "preact";

interface TableProps {
	headings: readonly string[];
	class?: string;
	/** The rows. */
	children: ComponentChildren;
}

export function Table({ headings, class: name, children }: TableProps) {
	return (
		<table class={name}>
			<thead>
				<tr>
					{headings.map((heading) => (
						<th scope="col" key={heading}>
							{heading}
						</th>
					))}
				</tr>
			</thead>
			<tbody>{children}</tbody>
		</table>
	);
}
