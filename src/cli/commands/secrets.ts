import { Command } from "commander";
import { control } from "../../cluster/control/control-client.ts";
import { clusterCommand, layoutFrom } from "../options/data-option.ts";
import { say } from "../options/output.ts";

export function secretsCommand(): Command {
	const secrets = new Command("secrets").description("manage the encryption of Secrets at rest");
	secrets.addCommand(
		clusterCommand("rotate", "create a new key, rewrite all Secrets with it, and delete the old key").action(
			async (options: { data?: string }) => {
				const { count } = await control(layoutFrom(options), "rotateSecrets");
				say(`${count === 1 ? "1 Secret has" : `${count} Secrets have`} a new key; the old key was deleted`);
			},
		),
	);
	return secrets;
}
