/**
 * V8's compiled code of this package's programs, kept from one start to the next: compiling the server's anew takes a
 * third of its start. `module.enableCompileCache` does this for modules, from Node.js 22 on.
 */
import {
	closeSync,
	existsSync,
	fstatSync,
	mkdirSync,
	mkdtempSync,
	openSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { crc32 } from "node:zlib";

/** Names the folder; empty: nothing is kept. Programs pass it on, because agents without root have another user. */
export const folderVariable = "COX_CODE_CACHE";

/** Undefined for users without a home directory. Root does not use another user's, which `sudo` may leave in HOME. */
export function codeFolder(): string | undefined {
	const { [folderVariable]: named, XDG_CACHE_HOME: caches } = process.env;
	if (named !== undefined) return named || undefined;
	if (process.getuid?.() === 0) return "/var/cache/coxswain";
	if (caches !== undefined && isAbsolute(caches)) return join(caches, "coxswain");
	try {
		return join(homedir(), ".cache/coxswain");
	} catch {
		return undefined;
	}
}

/** Of one program: for a few versions of this package and of Node.js. */
const mostKept = 4;
const checksumBytes = 4;
const writableByOthers = 0o022;

/** The compiled code of one source, under the conditions of this process. */
export class CompiledCode {
	readonly #folder: string;
	readonly #program: string;
	readonly #file: string;

	/** @param program a part of the file's name */
	constructor(folder: string, program: string, source: Uint8Array) {
		// V8 compares only the length of the source.
		const conditions = [process.version, process.arch, ...process.execArgv, process.env.NODE_OPTIONS].join(" ");
		this.#folder = folder;
		this.#program = program;
		this.#file = join(folder, `${program}-${crc32(source, crc32(conditions)).toString(16).padStart(8, "0")}`);
	}

	/** Undefined if there is none, it is damaged (which V8 would not notice), or others could have written it. */
	read(): Buffer | undefined {
		try {
			const descriptor = openSync(this.#file, "r");
			try {
				const { uid, mode } = fstatSync(descriptor);
				if (uid !== process.geteuid?.() || (mode & writableByOthers) !== 0) return undefined;
				const bytes = readFileSync(descriptor);
				const code = bytes.subarray(0, -checksumBytes);
				return bytes.length > checksumBytes && crc32(code) === bytes.readUInt32LE(code.length) ? code : undefined;
			} finally {
				closeSync(descriptor);
			}
		} catch {
			return undefined;
		}
	}

	/** Does nothing if it cannot be written: every start works without it. */
	keep(code: Buffer): void {
		try {
			// Not `recursive`, which does not end below /proc.
			for (const path of [dirname(this.#folder), this.#folder]) if (!existsSync(path)) mkdirSync(path, { mode: 0o700 });
			const checksum = Buffer.alloc(checksumBytes);
			checksum.writeUInt32LE(crc32(code));
			// A folder, because the agents of several nodes have the same process ID.
			const draft = mkdtempSync(join(this.#folder, `${this.#program}-`));
			try {
				writeFileSync(join(draft, "code"), Buffer.concat([code, checksum]), { mode: 0o600 });
				renameSync(join(draft, "code"), this.#file);
			} finally {
				rmSync(draft, { recursive: true, force: true });
			}
			this.#removeOld();
		} catch {
			// A full disk, or a folder that this user may not write to.
		}
	}

	#removeOld(): void {
		const ofProgram = new RegExp(`^${this.#program}-[^-]+$`);
		const kept = readdirSync(this.#folder)
			.filter((name) => ofProgram.test(name))
			.map((name) => join(this.#folder, name))
			.map((file) => ({ file, writtenMs: statSync(file).mtimeMs }))
			.sort((a, b) => b.writtenMs - a.writtenMs);
		for (const { file } of kept.slice(mostKept)) rmSync(file, { recursive: true, force: true });
	}
}
