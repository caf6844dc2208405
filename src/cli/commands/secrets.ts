import { Command } from "commander";
import { control } from "../../cluster/control/control-client.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { say, sayJson } from "../options/output.ts";

export function secretsCommand(): Command {
	const secrets = new Command("secrets").description("manage the encryption of Secrets at rest");
	secrets.addCommand(
		clusterCommand("rotate", "create a new key, rewrite all Secrets with it, and delete the old key")
			.option("--json", "print JSON")
			.action(async (options: { data?: string; json?: true }) => {
				const { count } = await control(layoutFrom(options), "rotateSecrets");
				if (options.json) sayJson({ count });
				else say(`${count === 1 ? "1 Secret has" : `${count} Secrets have`} a new key; the old key was deleted`);
			}),
	);
	return secrets;
}
