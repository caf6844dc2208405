/**
 * The image of the process that holds a sandbox: one program of a few instructions, which waits for ever and whose
 * children the kernel reaps. It is made here, so that sandboxes need no registry. Pure.
 */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { blocks } from "../../../images/layers/tar-reader.ts";
import { endOfArchive, tarHeader } from "../../../images/layers/tar-writer.ts";
import { mediaTypes } from "../../../images/model/manifest.ts";

/** No registry has it: names of `.invalid` do not resolve (RFC 2606). */
export const pauseImage = "coxswain.invalid/pause:1";

export interface PauseImage {
	/** Digest of the manifest. */
	digest: string;
	/** By digest. */
	blobs: ReadonlyMap<string, { mediaType: string; body: Buffer }>;
}

const layerType = "application/vnd.oci.image.layer.v1.tar+gzip";

/** @param architecture Node's name of it */
export function makePauseImage(architecture: string): PauseImage {
	const program = pauseProgram(architecture);
	const header = tarHeader({
		name: "pause",
		link: "",
		type: "0",
		mode: 0o755,
		uid: 0,
		gid: 0,
		mtime: 0,
		size: program.length,
	});
	const padding = Buffer.alloc(blocks(program.length) - program.length);
	const archive = Buffer.concat([header, program, padding, endOfArchive]);
	const layer = { mediaType: layerType, body: gzipSync(archive) };
	const config = {
		mediaType: mediaTypes.ociConfig,
		body: json({
			architecture: architecture === "x64" ? "amd64" : architecture,
			os: "linux",
			config: { Entrypoint: ["/pause"] },
			rootfs: { type: "layers", diff_ids: [digestOf(archive)] },
		}),
	};
	const describe = ({ mediaType, body }: { mediaType: string; body: Buffer }) => ({
		mediaType,
		digest: digestOf(body),
		size: body.length,
	});
	const manifest = {
		mediaType: mediaTypes.ociManifest,
		body: json({
			schemaVersion: 2,
			mediaType: mediaTypes.ociManifest,
			config: describe(config),
			layers: [describe(layer)],
		}),
	};
	const blobs = new Map([manifest, config, layer].map((blob) => [digestOf(blob.body), blob]));
	return { digest: digestOf(manifest.body), blobs };
}

/** Where the program is in memory, and the sizes of the headers before it in the file. */
const base = 0x40_0000;
const headerBytes = 64 + 56;

/**
 * A static ELF executable: `rt_sigaction(SIGCHLD, SIG_IGN)`, then it waits again and again.
 * @throws Error for an architecture that it is not written for
 */
function pauseProgram(architecture: string): Buffer {
	const known = programs[architecture];
	if (known === undefined) throw new Error(`sandboxes of containerd are not supported on ${architecture}`);
	// struct sigaction of the kernel: SIG_IGN, no flags, no restorer, no mask.
	const action = Buffer.alloc(32);
	action.writeUInt8(1);
	const body = Buffer.concat([known.code, action]);
	const size = headerBytes + body.length;
	const header = Buffer.alloc(headerBytes);
	header.write("\x7fELF\x02\x01\x01", 0, "latin1");
	header.writeUInt16LE(2, 16); // an executable
	header.writeUInt16LE(known.machine, 18);
	header.writeUInt32LE(1, 20);
	header.writeBigUInt64LE(BigInt(base + headerBytes), 24); // where it starts
	header.writeBigUInt64LE(64n, 32); // program headers
	header.writeUInt16LE(64, 52);
	header.writeUInt16LE(56, 54);
	header.writeUInt16LE(1, 56);
	header.writeUInt16LE(64, 58);
	header.writeUInt32LE(1, 64); // is loaded
	header.writeUInt32LE(5, 68); // to be read and executed
	header.writeBigUInt64LE(BigInt(base), 80);
	header.writeBigUInt64LE(BigInt(base), 88);
	header.writeBigUInt64LE(BigInt(size), 96);
	header.writeBigUInt64LE(BigInt(size), 104);
	header.writeBigUInt64LE(0x1000n, 112);
	return Buffer.concat([header, body]);
}

/** The action follows the code. */
const programs: Readonly<Record<string, { machine: number; code: Buffer }>> = {
	x64: {
		machine: 62,
		code: Buffer.from(
			[
				"b80d000000", // mov eax, 13 (rt_sigaction)
				"bf11000000", // mov edi, SIGCHLD
				"488d3514000000", // lea rsi, [rip + 20]
				"31d2", // xor edx, edx
				"41ba08000000", // mov r10d, 8
				"0f05", // syscall
				"b822000000", // mov eax, 34 (pause)
				"0f05", // syscall
				"ebf7", // jmp to the one before
				"90", // nop
			].join(""),
			"hex",
		),
	},
	arm64: {
		machine: 183,
		code: words([
			0xd28010c8, // mov x8, 134 (rt_sigaction)
			0xd2800220, // mov x0, SIGCHLD
			0x100001a1, // adr x1, 52 bytes ahead
			0xd2800002, // mov x2, 0
			0xd2800103, // mov x3, 8
			0xd4000001, // svc 0
			0xd2800928, // mov x8, 73 (ppoll)
			0xd2800000, // mov x0, 0
			0xd2800001, // mov x1, 0
			0xd2800002, // mov x2, 0
			0xd2800003, // mov x3, 0
			0xd2800004, // mov x4, 0
			0xd4000001, // svc 0
			0x17fffff9, // b 7 back
			0xd503201f, // nop
		]),
	},
};

function words(code: readonly number[]): Buffer {
	const bytes = Buffer.alloc(4 * code.length);
	for (const [at, word] of code.entries()) bytes.writeUInt32LE(word, 4 * at);
	return bytes;
}

function json(value: unknown): Buffer {
	return Buffer.from(JSON.stringify(value));
}

function digestOf(body: Buffer): string {
	return `sha256:${createHash("sha256").update(body).digest("hex")}`;
}
