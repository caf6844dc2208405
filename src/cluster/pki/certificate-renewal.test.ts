import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listen } from "../../api/listen.ts";
import { testApi } from "../../api/testing/test-api.ts";
import { defaultNetwork } from "../settings/cluster-network.ts";
import { authorityWarning, CertificateRenewal } from "./certificate-renewal.ts";
import { ensureCertificates } from "./certificates.ts";
import { serverNames } from "./server-names.ts";

const dayMs = 24 * 3600 * 1000;
let folder: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "renewal-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const ensure = (nowMs: number) => ensureCertificates(folder, serverNames(defaultNetwork), nowMs);

/** A clock that can be set; the tests call the checks themselves. */
class SetClock {
	nowMs = Date.parse("2026-01-01T00:00:00Z");
	readonly random = () => 0;
	now = () => this.nowMs;
	monotonicMs = () => this.nowMs;
	after = () => ({ cancel: () => {} });
	sleep = () => new Promise<void>(() => {});
	advance(byMs: number): void {
		this.nowMs += byMs;
	}
}

function renewal(clock: SetClock, used: string[] = [], said: string[] = []) {
	const current = ensure(clock.now());
	const kept = new CertificateRenewal({
		current,
		ensure,
		use: ({ server }) => void used.push(server.cert),
		report: (text) => void said.push(text),
		clock,
	});
	return { kept, current };
}

test("certificates are replaced while a third of their life is left, each time, whatever the clock does", () => {
	const clock = new SetClock();
	const used: string[] = [];
	const { kept, current } = renewal(clock, used);
	clock.advance(200 * dayMs);
	kept.look();
	expect(used).toEqual([]);
	clock.advance(60 * dayMs);
	kept.look();
	expect(used).toHaveLength(1);
	const renewed = new X509Certificate(used[0] ?? "");
	expect(Date.parse(renewed.validTo) - clock.now()).toBeGreaterThan(364 * dayMs);
	// The machine slept for years.
	clock.advance(700 * dayMs);
	kept.look();
	expect(used).toHaveLength(2);
	const last = new X509Certificate(used.at(-1) ?? "");
	expect(Date.parse(last.validTo)).toBeGreaterThan(clock.now());
	expect(last.checkIssued(new X509Certificate(current.authority.ca))).toBe(true);
	kept.stop();
});

test("a clock that was ahead when a certificate was made does not leave one that is not valid yet", () => {
	const nowMs = Date.parse("2026-01-01T00:00:00Z");
	const ahead = ensure(nowMs + 400 * dayMs);
	const back = ensure(nowMs);
	expect(back.server.cert).not.toBe(ahead.server.cert);
	expect(Date.parse(new X509Certificate(back.server.cert).validFrom)).toBeLessThan(nowMs);
});

test("a key that does not belong to its certificate, as after a crash between the two files, is replaced", () => {
	const nowMs = Date.parse("2026-01-01T00:00:00Z");
	ensure(nowMs);
	copyFileSync(join(folder, "admin.key"), join(folder, "server.key"));
	const { server } = ensure(nowMs);
	expect(new X509Certificate(server.cert).checkPrivateKey(createPrivateKey(server.key))).toBe(true);
});

test("no certificate outlives the authority, whose end is announced", () => {
	const clock = new SetClock();
	const said: string[] = [];
	const { kept, current } = renewal(clock, [], said);
	expect(kept.warning).toBeUndefined();
	clock.advance(3300 * dayMs);
	kept.look();
	expect(kept.warning).toMatch(/certificate authority ends on .*delete pki\/ca/);
	expect(said.filter((text) => text.includes("authority ends"))).not.toEqual([]);
	const { server } = ensure(clock.now() + 300 * dayMs);
	expect(new X509Certificate(server.cert).validTo).toBe(new X509Certificate(current.authority.ca).validTo);
	expect(authorityWarning(current.authority.ca, clock.now() + 4000 * dayMs)).toContain("authority ended on");
	kept.stop();
});

test("a listener shows the new certificate to new connections and cuts none that is open", async () => {
	const clock = new SetClock();
	const certificates = ensure(clock.now());
	const listener = await listen(await testApi(), {
		tls: { ...certificates.server, clientCa: certificates.authority.ca },
	});
	const shown = async () => {
		const socket: TLSSocket = connect({ host: "127.0.0.1", port: listener.port ?? 0, rejectUnauthorized: false });
		await once(socket, "secureConnect");
		const { raw } = socket.getPeerCertificate();
		socket.destroy();
		return new X509Certificate(raw).fingerprint256;
	};
	const session = connectHttp2(`https://127.0.0.1:${listener.port}`, { rejectUnauthorized: false });
	const status = async () => {
		const stream = session.request({ ":path": "/livez" });
		const [headers] = await once(stream, "response");
		stream.close();
		return headers[":status"];
	};
	try {
		expect(await status()).toBe(200);
		expect(await shown()).toBe(new X509Certificate(certificates.server.cert).fingerprint256);
		const renewed = ensure(clock.now() + 300 * dayMs);
		listener.useCertificate(renewed.server);
		expect(await shown()).toBe(new X509Certificate(renewed.server.cert).fingerprint256);
		expect(await status()).toBe(200);
		// A client certificate signed by the authority is still accepted.
		const admin = connectHttp2(`https://127.0.0.1:${listener.port}`, { rejectUnauthorized: false, ...renewed.admin });
		const stream = admin.request({ ":path": "/api/v1/namespaces" });
		expect((await once(stream, "response"))[0][":status"]).toBe(200);
		admin.close();
		stream.close();
	} finally {
		session.close();
		await listener.close();
	}
});

test("an authority without its key is not replaced, and a damaged file is named with the remedy", () => {
	const nowMs = Date.parse("2026-01-01T00:00:00Z");
	const { authority } = ensure(nowMs);
	const [key, cert, leaf] = ["ca.key", "ca.crt", "server.crt"].map((name) => join(folder, name));
	truncateSync(leaf ?? "", 100);
	expect(() => ensure(nowMs)).toThrow(`${leaf} is damaged, it holds no certificate in PEM: delete ${leaf}`);
	rmSync(leaf ?? "");
	expect(ensure(nowMs).authority.ca).toBe(authority.ca);
	rmSync(key ?? "");
	expect(() => ensure(nowMs)).toThrow(`${key} is missing: put it back from a copy; or delete ${cert}`);
	expect(readFileSync(cert ?? "", "utf8")).toBe(authority.ca);
	rmSync(cert ?? "");
	expect(ensure(nowMs).authority.ca).not.toBe(authority.ca);
});

test("the key of tokens is not replaced while its public key is there, which it restores", () => {
	const nowMs = Date.parse("2026-01-01T00:00:00Z");
	const { serviceAccountPublicKey } = ensure(nowMs);
	const [key, publicKey] = ["sa.key", "sa.pub"].map((name) => join(folder, name)) as [string, string];
	rmSync(publicKey);
	expect(ensure(nowMs).serviceAccountPublicKey).toBe(serviceAccountPublicKey);
	truncateSync(key, 100);
	expect(() => ensure(nowMs)).toThrow(`${key} is damaged, it holds no private key in PEM: put it back from a copy`);
	rmSync(key);
	expect(() => ensure(nowMs)).toThrow(`${key} is missing: put it back from a copy; or delete ${key} and ${publicKey}`);
	expect(readFileSync(publicKey, "utf8")).toBe(serviceAccountPublicKey);
	rmSync(publicKey);
	expect(ensure(nowMs).serviceAccountPublicKey).not.toBe(serviceAccountPublicKey);
});
