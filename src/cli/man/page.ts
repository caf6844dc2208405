/** The manual page `cox(1)`, from the commands themselves. Pure. */
import type { Command } from "commander";

/** @param program with all its commands */
export function manualPage(program: Command, version: string): string {
	const commands = leavesOf(program, "");
	return `${[
		`.TH COX 1 "" "Coxswain ${version}" "User Commands"`,
		".SH NAME",
		text(`cox - ${program.description()}`),
		".SH SYNOPSIS",
		".B cox",
		"[COMMAND] [OPTIONS]",
		".SH DESCRIPTION",
		"Without a command, cox says where things stand and what to do next.",
		".SH COMMANDS",
		...commands.flatMap(({ path, command }) => commandLines(path, command)),
		".SH EXIT STATUS",
		"0 if the command did what was asked, 1 if not. cox kubectl, cox test and cox tunnel end with the exit status of the",
		"program that they run.",
		".SH ENVIRONMENT",
		...item("COX_DATA", "the data directory of the cluster, unless --data is given"),
		...item("COX_DEBUG", "1: errors with their stack"),
		...item("NO_COLOR", "no colors"),
	].join("\n")}\n`;
}

function leavesOf(group: Command, path: string): { path: string; command: Command }[] {
	return group
		.createHelp()
		.visibleCommands(group)
		.filter((command) => command.name() !== "help")
		.flatMap((command) => {
			const name = `${path}${command.name()}`;
			return command.commands.length === 0 ? [{ path: name, command }] : leavesOf(command, `${name} `);
		});
}

function commandLines(path: string, command: Command): string[] {
	const help = command.createHelp();
	const names = command.registeredArguments.map((argument) => help.argumentTerm(argument));
	return [
		".TP",
		`.B ${escaped(`cox ${path}`)}${names.length === 0 ? "" : ` \\fI${escaped(names.join(" "))}\\fR`}`,
		text(command.description()),
		...(command.options.length === 0 ? [] : [".RS"]),
		...command.options
			.filter(({ hidden }) => !hidden)
			.flatMap((option) => item(help.optionTerm(option), help.optionDescription(option))),
		...(command.options.length === 0 ? [] : [".RE"]),
	];
}

function item(term: string, description: string): string[] {
	return [".TP", `.B ${escaped(term)}`, text(description)];
}

/** A line that begins with a dot or a quote would be a request. */
function text(line: string): string {
	return escaped(line).replace(/^([.'])/, "\\&$1");
}

function escaped(line: string): string {
	return line.replaceAll("\\", "\\e").replaceAll("-", "\\-");
}
