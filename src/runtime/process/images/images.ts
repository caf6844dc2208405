/**
 * Images without files: what a container with an image name runs on this machine unless the pod says so. Tags and
 * registries do not matter unless a user's own table says so.
 */

import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { isExecutable } from "../../../linux/if-there.ts";
import { parseImageReference } from "../../reference.ts";
import { type Image, ImageError, type ImageWanted } from "../../runtime.ts";
import { builtinImages, type ImageEntry } from "./builtin-images.ts";
import { createImageFile, type ImageFile } from "./image-file.ts";

/** The search path of containers. The directory of the stand-ins is last, so that real programs take precedence. */
export const standInDirectory = "/usr/lib/coxswain/stand-ins/bin";
export const containerPath = `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${standInDirectory}`;

export interface ImageTable {
	/** The entry for an image; undefined if the table has none. */
	find(image: string): ImageEntry | undefined;
	/**
	 * Programs of the image at absolute paths: their location on the machine, and their paths.
	 * @param variables names in the container's environment
	 */
	programs(image: string, variables: Iterable<string>): { source: string; path: string }[];
	/** Whether it names a program of the machine itself, or the user's own table has it. */
	isReal(image: string): boolean;
	/** @throws ImageError */
	resolve(image: string, wanted: Pick<ImageWanted, "pullPolicy" | "hasCommand">): Image;
}

/**
 * @param userFile see image-file.ts
 * @param assets the directory of the stand-ins on the machine
 */
export function createImageTable(options: { userFile?: string; assets: string }): ImageTable {
	const own: () => ImageFile =
		options.userFile === undefined ? () => ({ entries: [] }) : createImageFile(options.userFile);
	const table: ImageTable = {
		find(image) {
			const { registry, repository, name, tag } = parseImageReference(image);
			const whole = [repository, registry === "" ? repository : `${registry}/${repository}`];
			const forms = new Set([name, ...whole, ...whole.map((form) => `${form}:${tag}`), `${name}:${tag}`, image]);
			const fits = (pattern: string) =>
				pattern.includes("*") ? [...forms].some((form) => glob(pattern).test(form)) : forms.has(pattern);
			return [...own().entries, ...builtinImages].find((entry) => entry.names.some(fits));
		},
		programs(image, variables) {
			const entry = table.find(image);
			const entries = Object.entries(entry?.programs ?? {});
			const programs = entries.map(([path, name]) => ({
				source: `${options.assets}/${name.includes("/") ? name : `bin/${name}`}`,
				path,
			}));
			const isAlpine = parseImageReference(image).tag.includes("alpine");
			const shell = entry?.busyboxShell === true || isAlpine ? busyboxShell(variables) : undefined;
			return shell === undefined ? programs : [...programs, { source: shell, path: "/bin/sh" }];
		},
		isReal(image) {
			const entry = table.find(image);
			if (entry === undefined || entry.problem !== undefined) return false;
			if (own().entries.includes(entry)) return true;
			const program =
				entry.requires ?? [...entry.entrypoint, ...(entry.args ?? [])].find((word) => !isEntrypoint(word));
			return program !== undefined && isOnMachine(program);
		},
		resolve(image, { hasCommand }) {
			const entry = table.find(image);
			if (entry?.problem !== undefined) throw new ImageError("ErrImagePull", entry.problem);
			if (entry === undefined && !hasCommand) {
				const { problem } = own();
				const message = unknownImage(image, options.userFile);
				throw new ImageError("ErrImagePull", problem === undefined ? message : `${message}. ${problem}`);
			}
			if (entry?.requires !== undefined && !hasCommand && !isOnPath(entry.requires, options.assets)) {
				const remedy = entry.package === undefined ? "install it" : `sudo apt-get install ${entry.package}`;
				const problem = `image "${image}" stands for the program ${entry.requires}, which is not on this machine`;
				throw new ImageError("ErrImagePull", `${problem}: ${remedy}, or add "command:" to the container`);
			}
			const id = `sha256:${createHash("sha256").update(image).digest("hex")}`;
			return { id, sizeBytes: 0, ...(entry?.user === undefined ? {} : { user: entry.user }) };
		},
	};
	return table;
}

/** The best replacement for busybox's shell on this machine: busybox, otherwise bash. Undefined if there is neither. */
function busyboxShell(variables: Iterable<string>): string | undefined {
	// Variables whose names are not valid in a shell are inherited through bash, but not through busybox.
	const plain = [...variables].every((name) => /^\w+$/.test(name));
	return [...(plain ? ["/bin/busybox"] : []), "/bin/bash"].find(isExecutable);
}

function unknownImage(image: string, userFile: string | undefined): string {
	const file = userFile === undefined ? "" : `, or an entry for it to ${userFile}`;
	return (
		`image "${image}" cannot be pulled: the process runtime runs the programs of this machine and knows no default command for ` +
		`this image; add "command:" to the container${file}`
	);
}

function glob(pattern: string): RegExp {
	const escaped = pattern.split("*").map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"));
	return new RegExp(`^${escaped.join(".*")}$`);
}

function isOnPath(program: string, assets: string): boolean {
	return isOnMachine(program) || isExecutable(`${assets}/bin/${program}`);
}

function isOnMachine(program: string): boolean {
	const directories = containerPath.split(":").filter((path) => path !== standInDirectory);
	return [...directories, ...postgresDirectories()].some((directory) => isExecutable(`${directory}/${program}`));
}

/** Words before the program of official images. */
function isEntrypoint(word: string): boolean {
	return word === "image-entrypoint" || word.startsWith("-");
}

/**
 * Debian installs the programs of PostgreSQL's versions in these directories, which are not in PATH; its entrypoint
 * searches them, too.
 */
function postgresDirectories(): string[] {
	const folder = "/usr/lib/postgresql";
	return existsSync(folder) ? readdirSync(folder).map((version) => `${folder}/${version}/bin`) : [];
}
