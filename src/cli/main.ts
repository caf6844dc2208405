/** `cox`: loads the command that is named, and runs it; without one, says where things stand. */
import type { Command } from "commander";
import { commands } from "./commands/all.ts";
import { layoutFrom } from "./options/data-option.ts";
import { reportFailure, say } from "./options/output.ts";
import { withOwnCommand } from "./options/own-command.ts";
import { emptyProgram } from "./program.ts";

const program = emptyProgram();

async function main(): Promise<void> {
	const [word] = process.argv.slice(2);
	if (word === undefined) return showOverview();
	// Only the named command is loaded; help, error messages and completion need all of them.
	const named = word === "completion" ? undefined : new Map(Object.entries(commands)).get(word);
	const wanted = named === undefined ? Object.values(commands) : [named];
	for (const command of await Promise.all(wanted.map((load) => load()))) program.addCommand(command);
	sayMistakes(program);
	const bare = bareGroup(program, process.argv.slice(2));
	if (bare !== undefined) bare.outputHelp();
	else await program.parseAsync();
}

main().catch(reportFailure);

async function showOverview(): Promise<void> {
	const { overview } = await import("./overview/overview.ts");
	say(await overview(layoutFrom({})));
}

/** Reports mistakes on the command line like other errors, and calls the program in its help as users do. */
function sayMistakes(command: Command): void {
	command.configureOutput({
		writeOut: (text) => process.stdout.write(withOwnCommand(text)),
		outputError: (text, write) => write(text.replace(/^error: /, "cox: ")),
	});
	for (const one of command.commands) sayMistakes(one);
}

/** Groups that show something when they are alone: the time, and the clusters. */
const showing: ReadonlySet<string> = new Set(["clock", "clusters"]);

/** The group that was named without one of its commands, which shows its help and is not a mistake. */
function bareGroup(group: Command, [word, ...more]: readonly string[]): Command | undefined {
	if (word === undefined) return group.commands.length === 0 || showing.has(group.name()) ? undefined : group;
	const named = group.commands.find((command) => command.name() === word);
	return named && bareGroup(named, more);
}
