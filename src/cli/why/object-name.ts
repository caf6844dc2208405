/** What `cox why` is asked about: `pod/web-0`, `sts/web`, or a name alone. */
import { catalog } from "../../kinds/catalog.ts";
import { type Explained, explainedTypes, namesOf, typesOf } from "../../why/explain.ts";
import type { Evidence } from "../../why/findings/evidence.ts";

/** @throws Error that says what there is instead */
export function objectNamed(what: string, evidence: Evidence): { type: Explained; name: string } {
	const [, word, name = what] = /^([^/]+)\/(.+)$/.exec(what) ?? [];
	const types = word === undefined ? typesOf(name, evidence) : [typeNamed(word)];
	const [type, other] = types;
	if (type === undefined)
		throw new Error(
			`nothing in namespace ${evidence.namespace} is named ${name}; expected TYPE/NAME, such as pod/web-0`,
		);
	// A workload and its pod rarely share a name, a CronJob and a Service often do.
	if (other !== undefined) throw new Error(`expected ${types.map((one) => `${one}/${name}`).join(" or ")}`);
	const names = namesOf(type, evidence);
	if (names.includes(name)) return { type, name };
	const where = type === "node" ? "" : ` in namespace ${evidence.namespace}`;
	const known = names.length === 0 ? "there is none" : `there is ${names.slice(0, 5).join(", ")}`;
	throw new Error(`no ${type} ${name}${where}: ${known}`);
}

/** By singular, plural or short name, with or without the API group. */
function typeNamed(word: string): Explained {
	const short = word.toLowerCase().replace(/\..*$/, "");
	const kind = catalog.find(
		({ singular, plural, shortNames }) => singular === short || plural === short || shortNames.includes(short),
	);
	const type = explainedTypes.find((one) => one === kind?.singular);
	if (type === undefined) throw new Error(`${word} cannot be explained; expected one of ${explainedTypes.join(", ")}`);
	return type;
}
