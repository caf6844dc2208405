import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { followResolvers } from "./resolvers.ts";

test("resolvers follow a file that is written, replaced, and led elsewhere by a link", async () => {
	const folder = mkdtempSync(join(tmpdir(), "cox-resolvers-"));
	const file = join(folder, "resolv.conf");
	writeFileSync(file, "search example\n nameserver 192.0.2.1\nnameserver nonsense\nnameserver 2001:db8::1\n");
	const resolvers = followResolvers(file);
	onTestFinished(() => {
		resolvers.close();
		rmSync(folder, { recursive: true });
	});
	const become = (...addresses: string[]) => vi.waitFor(() => expect(resolvers.addresses).toEqual(addresses));
	await become("192.0.2.1", "2001:db8::1");
	writeFileSync(file, "nameserver 192.0.2.2\n");
	await become("192.0.2.2");
	writeFileSync(join(folder, "new"), "nameserver 192.0.2.3\n");
	renameSync(join(folder, "new"), file);
	await become("192.0.2.3");
	const elsewhere = mkdtempSync(join(folder, "stub-"));
	writeFileSync(join(elsewhere, "stub.conf"), "nameserver 192.0.2.4\n");
	symlinkSync(join(elsewhere, "stub.conf"), join(folder, "link"));
	renameSync(join(folder, "link"), file);
	await become("192.0.2.4");
	writeFileSync(join(elsewhere, "stub.conf"), "nameserver 192.0.2.5\n");
	await become("192.0.2.5");
});
