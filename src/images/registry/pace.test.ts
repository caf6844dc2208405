/** Transfers that do not get on, and hosts that registries must not send us to. */
import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { isOnlyHere } from "./loopback.ts";
import { paced, progressBytes, progressMs } from "./pace.ts";

it("ends a transfer that drips, and not one that is read slowly", async () => {
	const clock = new VirtualClock();
	const drips = new PassThrough();
	const drip = () => {
		if (!drips.destroyed) drips.write("x");
		clock.after(1000, drip);
	};
	drip();
	const dripped = (async () => {
		for await (const _chunk of paced(drips, clock));
	})();
	const failed = expect(dripped).rejects.toThrow("the pull made no progress: less than 64 KiB arrived in 60 s");
	await clock.advance(progressMs + 1000);
	await failed;
	const slow = new PassThrough();
	for (let count = 0; count < 3; count++) slow.write(Buffer.alloc(progressBytes / 8));
	slow.end();
	let bytes = 0;
	for await (const chunk of paced(slow, clock)) {
		bytes += chunk.length;
		await clock.advance(progressMs);
	}
	expect(bytes).toBe((3 * progressBytes) / 8);
});

it.each([
	["127.0.0.1", true],
	["169.254.169.254", true],
	["0.0.0.0", true],
	["[::1]", true],
	["[fe80::1]", true],
	["[::ffff:7f00:1]", true],
	["localhost", true],
	["registry.localhost", true],
	["10.0.0.1", false],
	["[2001:db8::1]", false],
	["registry.example", false],
])("only this machine reaches %s: %s", (host, expected) => {
	expect(isOnlyHere(host)).toBe(expected);
});
