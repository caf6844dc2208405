/** The lines that two texts do not share, in order (longest common subsequence). */

export interface DiffLine {
	sign: "+" | "-";
	line: string;
}

/** Longer texts are compared only between their common beginning and end. */
const mostCells = 4_000_000;

export function diffLines(before: string, after: string): DiffLine[] {
	let a = before.split("\n");
	let b = after.split("\n");
	const head = commonHead(a, b);
	a = a.slice(head);
	b = b.slice(head);
	const tail = commonHead(a.toReversed(), b.toReversed());
	a = a.slice(0, a.length - tail);
	b = b.slice(0, b.length - tail);
	if (a.length * b.length > mostCells) return [...signed("-", a), ...signed("+", b)];
	return walk(a, b, lengths(a, b));
}

function commonHead(a: readonly string[], b: readonly string[]): number {
	let count = 0;
	while (count < a.length && count < b.length && a[count] === b[count]) count++;
	return count;
}

function signed(sign: DiffLine["sign"], lines: readonly string[]): DiffLine[] {
	return lines.map((line) => ({ sign, line }));
}

/** Of the longest common subsequence from each pair of places, row by row. */
function lengths(a: readonly string[], b: readonly string[]): Uint32Array {
	const width = b.length + 1;
	const table = new Uint32Array((a.length + 1) * width);
	for (let i = a.length - 1; i >= 0; i--)
		for (let j = b.length - 1; j >= 0; j--)
			table[i * width + j] =
				a[i] === b[j]
					? (table[(i + 1) * width + j + 1] ?? 0) + 1
					: Math.max(table[(i + 1) * width + j] ?? 0, table[i * width + j + 1] ?? 0);
	return table;
}

function walk(a: readonly string[], b: readonly string[], table: Uint32Array): DiffLine[] {
	const width = b.length + 1;
	const found: DiffLine[] = [];
	let [i, j] = [0, 0];
	while (i < a.length && j < b.length) {
		if (a[i] === b[j]) {
			i++;
			j++;
		} else if ((table[(i + 1) * width + j] ?? 0) >= (table[i * width + j + 1] ?? 0))
			found.push({ sign: "-", line: a[i++] ?? "" });
		else found.push({ sign: "+", line: b[j++] ?? "" });
	}
	return [...found, ...signed("-", a.slice(i)), ...signed("+", b.slice(j))];
}
