/** Unpacks one layer into a directory for overlayfs: decompress, check, rewrite, and GNU tar, which writes it. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { statfsSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { toolEnvironment } from "../../linux/command.ts";
import { ImageFailure } from "../model/failure.ts";
import { decompressed } from "./decompress.ts";
import { type LayerFacts, LayerFilter } from "./layer-filter.ts";

export interface UnpackOptions {
	/** Empty, and not in use yet. */
	directory: string;
	/** The layer as it was pulled. Errors of it reject. */
	source: AsyncIterable<Buffer>;
	/** Digest of the decompressed archive. */
	diffId: string;
	/** Whether owners cannot be kept: the store belongs to an ordinary user. */
	rootless: boolean;
	/** Size as it was pulled, in bytes. */
	compressedBytes: number;
	/** Content up to this size is never too large for its compressed size. Default: 1 GiB. */
	harmlessBytes?: number;
}

/** More than any real layer is, compressed: only zeros are smaller. */
const largestRatio = 250;
const usuallyHarmlessBytes = 1 << 30;
const largestBytes = 64 * 2 ** 30;
/** A full disk harms more than the image that is missing. */
const spareShare = 0.05;
const spareBytes = 512 << 20;
const checkEveryBytes = 64 << 20;

/**
 * @returns what the directory does not tell
 * @throws ImageFailure if the layer is damaged, hostile, too large, or not what its digest says
 */
export async function unpackLayer(options: UnpackOptions): Promise<LayerFacts> {
	const { directory, source, diffId, rootless } = options;
	const tar = startTar(directory, rootless);
	const { stdin } = tar.child;
	try {
		const hash = createHash("sha256");
		let draining = false;
		const filter = new LayerFilter({
			emit: (chunk) => {
				draining = !stdin.write(chunk);
			},
			namespace: rootless ? "user" : "trusted",
		});
		const bound = boundedSize(options);
		for await (const chunk of decompressed(source)) {
			bound(chunk.length);
			hash.update(chunk);
			stdin.cork();
			filter.push(chunk);
			stdin.uncork();
			if (draining && stdin.writableNeedDrain) await Promise.race([drained(stdin), tar.ended]);
		}
		const facts = filter.end();
		stdin.end();
		await tar.ended;
		const found = `sha256:${hash.digest("hex")}`;
		if (found !== diffId)
			throw new ImageFailure(
				"invalid",
				`the layer is not what the image says: its content has ${found}, not ${diffId}`,
			);
		return facts;
	} catch (error) {
		stdin.destroy();
		tar.child.kill("SIGKILL");
		// It may be the cause.
		await tar.ended.catch((cause: unknown) => {
			if (isBrokenPipe(error)) throw cause;
		});
		throw asFailure(error);
	}
}

interface Tar {
	child: ChildProcessByStdio<Writable, null, Readable>;
	/** Rejects if it fails. */
	ended: Promise<void>;
}

function startTar(directory: string, rootless: boolean): Tar {
	const args = [
		"-x",
		"-C",
		directory,
		"--numeric-owner",
		"--xattrs",
		"--xattrs-include=*",
		"-p",
		rootless ? "--no-same-owner" : "--same-owner",
		"--delay-directory-restore",
		"--warning=no-timestamp",
	];
	// In a user namespace, attributes and modes of any file may be set.
	const command = rootless ? ["unshare", "--user", "--map-root-user", "tar", ...args] : ["tar", ...args];
	const [program = "tar", ...rest] = command;
	const child = spawn(program, rest, { stdio: ["pipe", "ignore", "pipe"], env: toolEnvironment, cwd: "/" });
	let said = "";
	child.stderr.on("data", (chunk) => {
		if (said.length < 2000) said += chunk;
	});
	// Its exit code says why it stopped reading.
	child.stdin.on("error", () => {});
	const ended = new Promise<void>((resolve, reject) => {
		child.on("error", (error) =>
			reject(new ImageFailure("failed", `layers are unpacked with GNU tar, which cannot be run: ${error.message}`)),
		);
		child.on("close", (code) => {
			if (code === 0) return resolve();
			const [first = ""] = said.split("\n");
			reject(new ImageFailure("failed", `the layer cannot be unpacked: ${first || `tar ended with code ${code}`}`));
		});
	});
	ended.catch(() => {});
	return { child, ended };
}

/** Called with each decompressed size; throws when it is too much. */
function boundedSize({
	directory,
	compressedBytes,
	harmlessBytes = usuallyHarmlessBytes,
}: UnpackOptions): (bytes: number) => void {
	const most = Math.min(largestBytes, Math.max(harmlessBytes, compressedBytes * largestRatio));
	let [total, checkAt] = [0, 0];
	return (bytes) => {
		total += bytes;
		if (total > most)
			throw new ImageFailure("refused", `the layer has ${compressedBytes} bytes and over ${most} bytes when unpacked`);
		if (total < checkAt) return;
		checkAt = total + checkEveryBytes;
		const { bavail, blocks, bsize } = statfsSync(directory);
		if (bavail * bsize < Math.min(blocks * bsize * spareShare, spareBytes))
			throw new ImageFailure("failed", "the layer cannot be unpacked: no space left on device");
	};
}

function drained(stream: Writable): Promise<void> {
	return new Promise((resolve) => {
		const go = () => {
			stream.off("drain", go).off("close", go);
			resolve();
		};
		stream.once("drain", go).once("close", go);
	});
}

function isBrokenPipe(error: unknown): boolean {
	return error instanceof Error && "code" in error && ["EPIPE", "ERR_STREAM_DESTROYED"].includes(String(error.code));
}

function asFailure(error: unknown): unknown {
	// zlib's and fzstd's errors.
	const isData =
		error instanceof Error && (("code" in error && /^Z_/.test(String(error.code))) || "code" in error === false);
	if (error instanceof ImageFailure || !isData) return error;
	return new ImageFailure("invalid", `the layer is damaged: ${error.message}`);
}
