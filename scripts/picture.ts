/**
 * Turns what a terminal showed (standard input, with colours) into a picture (standard output, SVG): `script -qefc "npx
 * coxswain tour" | tsx scripts/picture.ts > docs/tour.svg`
 */
import { readFileSync } from "node:fs";

const lineHeight = 18;
const charWidth = 8;
const columns = 100;
const classes: Record<string, string> = { "1": "bold", "2": "dim", "36": "command" };

function escapeText(text: string): string {
	return text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
}

// From its code: a control character in a pattern is easily overlooked.
const colour = new RegExp(`${String.fromCharCode(27)}\\[(\\d+)m`);

/** One terminal line as spans; the tour uses one colour a span and resets it. */
function spans(line: string): string {
	let open = "";
	return line
		.split(colour)
		.map((part, index) => {
			if (index % 2 === 1) {
				open = classes[part] ?? "";
				return "";
			}
			return open === "" ? escapeText(part) : `<tspan class="${open}">${escapeText(part)}</tspan>`;
		})
		.join("");
}

const shown = readFileSync(0, "utf8")
	.replace(/\r/g, "")
	.split("\n")
	// A pod is Pending only briefly.
	.filter((line) => !/ Pending( on \S+)?$/.test(line));
while (shown[0]?.trim() === "") shown.shift();
while (shown.at(-1)?.trim() === "") shown.pop();
const width = columns * charWidth + 32;
const height = shown.length * lineHeight + 32;
const text = shown
	.map((line, index) => `<text x="16" y="${30 + index * lineHeight}" xml:space="preserve">${spans(line)}</text>`)
	.join("\n");
process.stdout.write(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<style>text{font:13px ui-monospace,Menlo,Consolas,monospace;fill:#d7dde5}.bold{font-weight:bold;fill:#fff}.dim{fill:#8b97a5}.command{fill:#56c2d6}</style>
<rect width="100%" height="100%" rx="8" fill="#10161d"/>
${text}
</svg>
`);
