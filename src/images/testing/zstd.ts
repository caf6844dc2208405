import { spawnSync } from "node:child_process";

/** By the program of Debian's package of the same name. */
export function zstdCompress(data: Buffer): Buffer {
	const { stdout, status } = spawnSync("zstd", ["-c"], { input: data, maxBuffer: 1 << 30 });
	if (status !== 0) throw new Error("zstd is missing");
	return stdout;
}
