import { expect, test } from "vitest";
import { systemClock } from "../core/time/clock.ts";
import { serveProxyHealth } from "./proxy-health.ts";

test("a node's proxy says that the node takes traffic, and does without a port that is taken", async () => {
	const health = await serveProxyHealth({ clock: systemClock(), port: 0 });
	const ask = (path: string) => fetch(`http://127.0.0.1:${health.port}${path}`);
	expect(await (await ask("/healthz")).json()).toMatchObject({ nodeEligible: true, lastUpdated: expect.any(String) });
	expect((await ask("/livez")).status).toBe(200);
	expect((await ask("/")).status).toBe(404);
	const second = await serveProxyHealth({ clock: systemClock(), port: health.port ?? 0 });
	expect(second.port).toBeUndefined();
	await second.close();
	await health.close();
});
