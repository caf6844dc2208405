import { Command } from "commander";
import { nextOn } from "../completion/candidates.ts";
import { type Shell, scripts } from "../completion/scripts.ts";
import { say } from "../options/output.ts";

/** Its parent has all commands (see main.ts). */
export function completionCommand(): Command {
	const completion = new Command("completion").description("print a script that completes commands in a shell");
	// An object's own keys are those of its type.
	for (const shell of Object.keys(scripts) as Shell[])
		completion.addCommand(
			new Command(shell).description(`the script for ${shell}`).action(() => {
				process.stdout.write(scripts[shell]);
			}),
		);
	completion.addCommand(
		new Command("words")
			.description("candidates for the last of these words, each with a tab and its description")
			.argument("[words...]")
			.action((words: string[]) => candidates(completion.parent ?? completion, words)),
		{ hidden: true },
	);
	return completion;
}

async function candidates(program: Command, words: readonly string[]): Promise<void> {
	const { candidates, lookup, options } = nextOn(program, words);
	const lines = candidates.map(({ value, description }) => `${value}\t${description}`);
	if (lookup !== undefined) {
		const { namesFor } = await import("../completion/names.ts");
		// The shell shows no errors while somebody types: without a cluster there are no names.
		lines.push(...new Set(await namesFor(lookup, options).catch(() => [])));
	}
	if (lines.length > 0) say(lines.join("\n"));
}
