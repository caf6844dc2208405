/** Compiles native/launcher for each architecture into assets/launcher, reproducibly, and notes what it was made of. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const sources = join(root, "native/launcher");
const target = join(root, "assets/launcher");

/** By Node's name of the architecture, the compiler and the Debian package that has it. */
export const launcherCompilers = {
	x64: { compiler: "x86_64-linux-gnu-gcc", package: "gcc" },
	arm64: { compiler: "aarch64-linux-gnu-gcc", package: "gcc-aarch64-linux-gnu" },
} as const;

export type LauncherArchitecture = keyof typeof launcherCompilers;

/** Static, without loader, and independent of the build machine. */
const flags = [
	"-std=gnu11 -Os -static -nostdlib -ffreestanding -fno-pie -no-pie -fno-stack-protector",
	"-fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -Wall -Wextra -Werror -s",
	"-Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,norelro -Wl,--gc-sections -Wl,-z,max-page-size=4096",
].flatMap((line) => line.split(" "));

/** The sources and compilers of assets/launcher. */
export interface LauncherManifest {
	/** SHA-256 of all sources, in hex. */
	sources: string;
	/** By architecture: the compiler's own version, and SHA-256 of the program. */
	programs: Record<string, { compiler: string; sha256: string }>;
}

export function launcherManifest(): LauncherManifest {
	// Written by this script.
	return JSON.parse(readFileSync(join(target, "manifest.json"), "utf8")) as LauncherManifest;
}

export function launcherProgram(architecture: LauncherArchitecture): string {
	return join(target, `launcher-${architecture}`);
}

/** SHA-256 of names and contents of the sources, in the order of the names. */
export function sourceDigest(): string {
	const hash = createHash("sha256");
	for (const name of readdirSync(sources).sort()) hash.update(`${name}\0`).update(readFileSync(join(sources, name)));
	return hash.digest("hex");
}

/** First line of `--version`; undefined where the compiler is not installed. */
export function compilerVersion(architecture: LauncherArchitecture): string | undefined {
	try {
		const text = execFileSync(launcherCompilers[architecture].compiler, ["--version"], { encoding: "utf8" });
		return text.split("\n")[0]?.replace(/^\S+ /, "");
	} catch {
		return undefined;
	}
}

export function compileLauncher(architecture: LauncherArchitecture, output: string): void {
	const { compiler } = launcherCompilers[architecture];
	// Relative, so that no path of this machine gets into the file.
	execFileSync(compiler, [...flags, "-o", output, "launcher.c"], { cwd: sources, stdio: "inherit" });
}

export function sha256(path: string): string {
	return createHash("sha256").update(readFileSync(path)).digest("hex");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	mkdirSync(target, { recursive: true });
	const programs: LauncherManifest["programs"] = {};
	for (const architecture of Object.keys(launcherCompilers) as LauncherArchitecture[]) {
		const compiler = compilerVersion(architecture);
		if (compiler === undefined) {
			const { package: name } = launcherCompilers[architecture];
			throw new Error(`no compiler for ${architecture}: sudo apt-get install ${name}`);
		}
		compileLauncher(architecture, launcherProgram(architecture));
		programs[architecture] = { compiler, sha256: sha256(launcherProgram(architecture)) };
	}
	const manifest: LauncherManifest = { sources: sourceDigest(), programs };
	writeFileSync(join(target, "manifest.json"), `${JSON.stringify(manifest, undefined, "\t")}\n`);
}
