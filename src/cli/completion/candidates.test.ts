import { Command, Option } from "commander";
import { expect, test } from "vitest";
import { nextOn } from "./candidates.ts";

function program(): Command {
	const program = new Command("cox");
	const node = new Command("node").description("nodes");
	node.addCommand(new Command("remove").argument("<name>").option("--data <dir>", "where"));
	program.addCommand(node);
	program.addCommand(new Command("up").addOption(new Option("--clock <clock>").choices(["system", "virtual"])));
	program.addCommand(new Command("images").addCommand(new Command("remove").argument("<image...>")));
	return program;
}

const valuesAfter = (...words: string[]) => nextOn(program(), words).candidates.map(({ value }) => value);

test("commands and their commands come next, with what they do", () => {
	expect(nextOn(program(), [""]).candidates).toContainEqual({ value: "node", description: "nodes" });
	expect(valuesAfter("node", "")).toEqual(["remove", "help"]);
});

test("options come after a dash, and the values that an option allows after it", () => {
	expect(valuesAfter("node", "remove", "--")).toEqual(["--data", "--help"]);
	expect(valuesAfter("up", "--clock", "v")).toEqual(["system", "virtual"]);
});

test("names that only the cluster knows are asked for, with the options before them", () => {
	const next = nextOn(program(), ["node", "remove", "--data", "here", "n"]);
	expect(next).toEqual({ candidates: [], lookup: "nodes", options: { data: "here" } });
	expect(nextOn(program(), ["images", "remove", "a", "b", ""]).lookup).toBe("images");
	expect(nextOn(program(), ["node", "remove", "a", ""]).lookup).toBeUndefined();
	expect(nextOn(program(), ["node", "remove", "--data", ""]).lookup).toBe("data");
});

test("what comes after two dashes belongs to another program", () => {
	expect(nextOn(program(), ["up", "--", ""])).toEqual({ candidates: [], options: {} });
});
