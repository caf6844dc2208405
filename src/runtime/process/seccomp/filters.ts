/** The seccomp filters of one node: a program for what a pod's `seccompProfile` says. */

import { readFileSync, statSync } from "node:fs";
import { release } from "node:os";
import { resolve } from "node:path";
import { messageOf } from "../../../core/errors.ts";
import { canFilter, compileProfile } from "./compile.ts";
import { defaultProfile } from "./default-profile.ts";
import type { ProfileConditions } from "./profile.ts";
import { parseProfile } from "./profile-file.ts";

export interface SeccompFilters {
	/**
	 * The program to load before the container's own program starts, `struct sock_filter` for `struct sock_filter`;
	 * undefined: none. The process that loads it needs no_new_privs or CAP_SYS_ADMIN; the default profile allows all that
	 * is done afterwards to drop privileges and to start the program.
	 * @param profile `RuntimeDefault`, `Unconfined`, `Localhost/NAME`; undefined: the same as Unconfined
	 * @param capabilities of the container's bounding set: `CAP_CHOWN`
	 * @throws Error for a Localhost profile that is not there, is wrong, or cannot be enforced on this machine
	 */
	program(profile: string | undefined, capabilities: ReadonlySet<string>): Buffer | undefined;
}

const localhostPrefix = "Localhost/";
/** Profiles of a few kilobytes are usual; Docker's has 17. */
const longestProfileBytes = 1024 * 1024;
/** Filters differ by capabilities: a node has few of them. */
const mostFilters = 64;

/**
 * @param directory of the Localhost profiles; need not exist
 * @param machine `process.arch`
 */
export function createSeccompFilters(directory: string, machine: string = process.arch): SeccompFilters {
	const compiled = new Map<string, Buffer>();
	const compile = (key: string, make: () => Buffer): Buffer => {
		const before = compiled.get(key);
		if (before !== undefined) return before;
		if (compiled.size >= mostFilters) compiled.clear();
		const program = make();
		compiled.set(key, program);
		return program;
	};
	return {
		program(profile, capabilities) {
			if (profile === undefined || profile === "Unconfined") return undefined;
			const isDefault = profile === "RuntimeDefault";
			if (!canFilter(machine)) {
				if (isDefault) return undefined;
				throw new Error(
					`cannot load seccomp profile ${JSON.stringify(profile)}: no filters can be made for ${machine}`,
				);
			}
			const conditions: ProfileConditions = {
				capabilities,
				architecture: machine === "x64" ? "amd64" : machine,
				kernel: release(),
			};
			const granted = [...capabilities].sort().join(",");
			if (isDefault) return compile(granted, () => compileProfile(defaultProfile(conditions), machine));
			const path = profilePath(directory, profile);
			try {
				const { mtimeMs, size } = statSync(path);
				if (size > longestProfileBytes) throw new Error(`it has more than ${longestProfileBytes} bytes`);
				return compile(`${path} ${mtimeMs} ${size} ${granted}`, () =>
					compileProfile(parseProfile(readFileSync(path, "utf8"), conditions), machine),
				);
			} catch (error) {
				// Of what is no JSON an error would quote the beginning, whatever file it is.
				const why = error instanceof SyntaxError ? "it is no JSON" : messageOf(error);
				throw new Error(`cannot load seccomp profile ${JSON.stringify(path)}: ${why}`);
			}
		},
	};
}

/** The API refuses names that lead out of the directory; so does the node. */
function profilePath(directory: string, profile: string): string {
	const name = profile.startsWith(localhostPrefix) ? profile.slice(localhostPrefix.length) : "";
	const path = resolve(directory, name);
	if (name === "" || !path.startsWith(`${resolve(directory)}/`))
		throw new Error(`seccompProfile ${JSON.stringify(profile)} names no file below the node's directory of profiles`);
	return path;
}
