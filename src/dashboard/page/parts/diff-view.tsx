import { diffLines } from "./diff.ts";

/** What changes from one text to another. */
export function DiffView({ before, after }: { before: string; after: string }) {
	return (
		<pre class="diff">
			{diffLines(before, after).map(({ sign, line }, index) => (
				<div key={`${index}${sign}`} class={sign === "+" ? "added" : "removed"}>
					{sign} {line}
				</div>
			))}
		</pre>
	);
}
