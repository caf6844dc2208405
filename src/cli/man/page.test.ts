import { Command } from "commander";
import { expect, test } from "vitest";
import { manualPage } from "./page.ts";

test("the manual page has every command with its arguments and options", () => {
	const program = new Command("cox").description("A cluster");
	const node = new Command("node").addCommand(
		new Command("remove").description(".hidden is no request").argument("<name>").option("--data <dir>", "where"),
	);
	program.addCommand(node);
	program.addCommand(new Command("words"), { hidden: true });
	const page = manualPage(program, "1.2.3");
	expect(page).toMatch(/^\.TH COX 1 "" "Coxswain 1\.2\.3"/);
	expect(page).toContain(
		".B cox node remove \\fIname\\fR\n\\&.hidden is no request\n.RS\n.TP\n.B \\-\\-data <dir>\nwhere\n",
	);
	expect(page).not.toContain("words");
});
