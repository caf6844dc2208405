/** What may come next on a command line of `cox`, from the commands themselves. Pure. */
import type { Argument, Command, Option } from "commander";

export interface Candidate {
	value: string;
	description: string;
}

/** Names that only the cluster or its data directory knows. */
export type Lookup =
	| "clusters"
	| "cronJobs"
	| "data"
	| "explained"
	| "images"
	| "namespaces"
	| "nodes"
	| "policies"
	| "runOwners"
	| "runs";

export interface Next {
	candidates: Candidate[];
	lookup?: Lookup;
	/** Values of the options before, by their long name without dashes. */
	options: Readonly<Record<string, string>>;
}

const argumentLookups: Readonly<Record<string, Lookup>> = {
	"clusters use name": "clusters",
	"clusters unuse name": "clusters",
	"images export image": "images",
	"images inspect image": "images",
	"images remove image": "images",
	"logs what": "runOwners",
	"node remove name": "nodes",
	"notify test policy": "policies",
	"run cronjob/NAME": "cronJobs",
	"runs name": "runOwners",
	"why type/name": "explained",
};
const optionLookups: Readonly<Record<string, Lookup>> = { data: "data", namespace: "namespaces", run: "runs" };

/**
 * @param program with all its commands
 * @param words after the program's name; the last one is being typed
 */
export function nextOn(program: Command, words: readonly string[]): Next {
	const options: Record<string, string> = {};
	const typed = words.at(-1) ?? "";
	let command = program;
	let path = "";
	let position = 0;
	/** The option whose value comes next. */
	let open: Option | undefined;
	for (const word of words.slice(0, -1)) {
		if (open !== undefined) {
			options[longName(open)] = word;
			open = undefined;
		} else if (word === "--") {
			return { candidates: [], options };
		} else if (word.startsWith("-")) {
			const [name, value] = word.split("=", 2);
			const option = command.options.find(({ long, short }) => name === long || name === short);
			if (option === undefined || !(option.required || option.optional)) continue;
			if (value === undefined) open = option;
			else options[longName(option)] = value;
		} else {
			const named = command.commands.find((one) => one.name() === word);
			if (named === undefined) position++;
			else {
				command = named;
				path = path === "" ? word : `${path} ${word}`;
				position = 0;
			}
		}
	}
	if (open !== undefined) return { ...valuesOf(open, optionLookups[longName(open)]), options };
	if (typed.startsWith("-")) return { candidates: optionsOf(command), options };
	const argument = command.registeredArguments[position] ?? lastVariadic(command.registeredArguments);
	const found = argument && valuesOf(argument, argumentLookups[`${path} ${argument.name()}`]);
	return { ...found, candidates: [...commandsOf(command), ...(found?.candidates ?? [])], options };
}

function longName(option: Option): string {
	return option.long?.slice(2) ?? "";
}

function valuesOf({ argChoices = [] }: Argument | Option, lookup: Lookup | undefined): Omit<Next, "options"> {
	const candidates = argChoices.map((value) => ({ value, description: "" }));
	return { candidates, ...(lookup !== undefined && { lookup }) };
}

function optionsOf(command: Command): Candidate[] {
	return command
		.createHelp()
		.visibleOptions(command)
		.map(({ long, short, description }) => ({ value: long ?? short ?? "", description }));
}

function commandsOf(command: Command): Candidate[] {
	return command
		.createHelp()
		.visibleCommands(command)
		.map((one) => ({ value: one.name(), description: one.description() }));
}

function lastVariadic(all: readonly Argument[]): Argument | undefined {
	const last = all.at(-1);
	return last?.variadic ? last : undefined;
}
