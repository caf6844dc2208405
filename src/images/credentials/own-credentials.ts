/** The credentials of the user who runs the cluster: ~/.docker/config.json, and the programs that it names. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../core/errors.ts";
import { run } from "../../linux/command.ts";
import { isCode } from "../../linux/descriptors.ts";
import type { FullReference } from "../model/reference.ts";
import type { Credential } from "./credential.ts";
import { configNames, type DockerConfig, matchingCredentials, parseDockerConfig } from "./docker-config.ts";

const helperTimeoutMs = 20_000;
/** A user name that says that the password is an identity token. */
const tokenUser = "<token>";

/**
 * @param directory Docker's own, with config.json; need not exist
 * @throws Error that names the file or program
 */
export async function ownCredentials(directory: string, image: FullReference): Promise<Credential[]> {
	const config = readConfig(join(directory, "config.json"));
	if (config === undefined) return [];
	const names = configNames(image);
	const helper = names.map((name) => config.helpers.get(name)).find((name) => name !== undefined) ?? config.store;
	const [name = ""] = names;
	const helped = helper === undefined ? undefined : await askHelper(helper, name);
	return [...(helped === undefined ? [] : [helped]), ...matchingCredentials(config.auths, image)];
}

function readConfig(file: string): DockerConfig | undefined {
	try {
		return parseDockerConfig(readFileSync(file, "utf8"));
	} catch (error) {
		if (isCode(error, "ENOENT", "ENOTDIR", "EACCES")) return undefined;
		throw new Error(`${file}: ${messageOf(error)}`);
	}
}

/** The protocol of Docker's credential helpers: the registry on standard input, JSON on standard output. */
async function askHelper(helper: string, registry: string): Promise<Credential | undefined> {
	if (!/^[\w.-]+$/.test(helper)) throw new Error(`${JSON.stringify(helper)} is no name of a credential helper`);
	const program = `docker-credential-${helper}`;
	let answer: unknown;
	try {
		answer = JSON.parse(await run([program, "get"], { input: registry, timeoutMs: helperTimeoutMs, env: process.env }));
	} catch (error) {
		// It has none for this registry: its message is the same in all helpers.
		if (/credentials not found/i.test(messageOf(error))) return undefined;
		throw new Error(`${program}: ${error instanceof SyntaxError ? "its answer is not JSON" : messageOf(error)}`);
	}
	if (typeof answer !== "object" || answer === null) return undefined;
	const { Username: username = "", Secret: secret = "" } = { ...answer } as { Username?: string; Secret?: string };
	if (secret === "") return undefined;
	return username === tokenUser
		? { username: "", password: "", identityToken: secret }
		: { username, password: secret };
}
