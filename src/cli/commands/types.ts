import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { readDefinitions } from "../../cluster/files/definition-files.ts";
import { typesModule } from "../types/generate.ts";

export function typesCommand(): Command {
	return new Command("types")
		.description("write TypeScript types of custom resources, for the client of 'coxswain'")
		.argument("<crds...>", "files, or folders of files, with CustomResourceDefinitions")
		.option("-o, --output <file>", "file to write (default: standard output)")
		.action((sources: string[], { output }: { output?: string }) => {
			const text = typesModule(readDefinitions(sources));
			if (output === undefined) process.stdout.write(text);
			else writeFileSync(output, text);
		});
}
