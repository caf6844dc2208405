/** The seccomp filters of one node: the program for a pod's `seccompProfile`. */

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
	 * The program to load before the container's own program starts, a sequence of `struct sock_filter`; undefined: none.
	 * Loading it requires no_new_privs or CAP_SYS_ADMIN; the default profile allows everything that is necessary
	 * afterwards to drop privileges and to start the program.
	 * @param profile `RuntimeDefault`, `Unconfined`, `Localhost/NAME`; undefined: Unconfined
	 * @param capabilities of the container's bounding set: `CAP_CHOWN`
	 * @throws Error for a Localhost profile that does not exist, is invalid, or is not supported on this machine
	 */
	program(profile: string | undefined, capabilities: ReadonlySet<string>): Buffer | undefined;
}

const localhostPrefix = "Localhost/";
/** Profiles usually have a few kilobytes; Docker's has 17. */
const longestProfileBytes = 1024 * 1024;
/** Filters depend on capabilities, of which a node has few combinations. */
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
				// A JSON parser error would quote the beginning of the file, whatever file it is.
				const why = error instanceof SyntaxError ? "it is no JSON" : messageOf(error);
				throw new Error(`cannot load seccomp profile ${JSON.stringify(path)}: ${why}`);
			}
		},
	};
}

/** Like the API, rejects names that lead out of the directory. */
function profilePath(directory: string, profile: string): string {
	const name = profile.startsWith(localhostPrefix) ? profile.slice(localhostPrefix.length) : "";
	const path = resolve(directory, name);
	if (name === "" || !path.startsWith(`${resolve(directory)}/`))
		throw new Error(`seccompProfile ${JSON.stringify(profile)} names no file below the node's directory of profiles`);
	return path;
}
