/** Names and comments of generated TypeScript. */

const widest = 110;

/** Each name is given once: a second one gets a number. */
export class Names {
	readonly #used = new Set(["KubeObject", "customResource"]);

	free(wanted: string): string {
		let name = wanted;
		for (let number = 2; this.#used.has(name); number++) name = `${wanted}${number}`;
		this.#used.add(name);
		return name;
	}
}

/** `pod-template` and `podTemplate` become `PodTemplate`. */
export function pascal(text: string): string {
	const words = text.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
	const name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
	return /^[A-Za-z]/.test(name) ? name : `Field${name}`;
}

export function fieldName(field: string): string {
	return /^[A-Za-z_$][\w$]*$/.test(field) ? field : JSON.stringify(field);
}

/** A docstring, in lines without indentation. */
export function comment(text: string): string[] {
	const lines = text.replaceAll("*/", "*\\/").trim().split("\n").flatMap(wrapped);
	const [only = ""] = lines;
	return lines.length === 1 ? [`/** ${only} */`] : ["/**", ...lines.map((line) => ` * ${line}`.trimEnd()), " */"];
}

function wrapped(line: string): string[] {
	const lines: string[] = [];
	let current = "";
	for (const word of line.trim().split(/\s+/)) {
		if (current !== "" && current.length + word.length >= widest) {
			lines.push(current);
			current = word;
		} else current = current === "" ? word : `${current} ${word}`;
	}
	return [...lines, current];
}
