import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseCertificateRequest } from "../../kinds/certificates/certificate-request.ts";
import { testRequest } from "../../kinds/certificates/testing/certificate-requests.ts";
import { ensureCertificates } from "./certificates.ts";

const folder = mkdtempSync(join(tmpdir(), "signer-"));
afterAll(() => rmSync(folder, { recursive: true }));
const nowMs = Date.UTC(2026, 0, 1);

async function signed(name: string, usages: string[], names: Parameters<typeof testRequest>[1] = []) {
	const { authority } = ensureCertificates(folder, { dnsNames: [], addresses: [] }, nowMs);
	const { pem, key } = await testRequest(name, names);
	const times = { notBeforeMs: nowMs - 300_000, notAfterMs: nowMs + 3_600_000 };
	const text = authority.sign(parseCertificateRequest(pem), { usages, ...times });
	return { certificate: new X509Certificate(text), authority: new X509Certificate(authority.ca), key };
}

test("a certificate has the request's name and key, is the authority's, and holds as long as it says", async () => {
	const { certificate, authority, key } = await signed("CN=ann, O=dev", ["client auth", "digital signature"]);
	expect(certificate.subject.split("\n").sort()).toEqual(["CN=ann", "O=dev"]);
	expect(certificate.verify(authority.publicKey)).toBe(true);
	expect(certificate.checkIssued(authority)).toBe(true);
	expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
	expect([certificate.ca, certificate.keyUsage]).toEqual([false, ["1.3.6.1.5.5.7.3.2"]]);
	expect([certificate.validFrom, certificate.validTo]).toEqual([
		"Dec 31 23:55:00 2025 GMT",
		"Jan  1 01:00:00 2026 GMT",
	]);
});

test("a server's certificate has the names that it asked for", async () => {
	const names = [
		{ type: "dns", value: "n1.example" },
		{ type: "ip", value: "10.0.0.1" },
		{ type: "ip", value: "fd00::1" },
		{ type: "email", value: "a@b.c" },
		{ type: "url", value: "spiffe://a/b" },
	] as const;
	const { certificate } = await signed("CN=system:node:n1, O=system:nodes", ["server auth"], [...names]);
	expect(certificate.checkHost("n1.example")).toBe("n1.example");
	expect(certificate.checkIP("10.0.0.1")).toBe("10.0.0.1");
	expect(certificate.checkIP("fd00::1")).toBe("fd00::1");
	expect(certificate.subjectAltName?.split(", ")).toEqual(expect.arrayContaining(["email:a@b.c", "URI:spiffe://a/b"]));
	expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
});

test("nothing outlives the authority", async () => {
	const { authority } = ensureCertificates(folder, { dnsNames: [], addresses: [] }, nowMs);
	const { pem } = await testRequest("CN=ann");
	const times = { notBeforeMs: nowMs, notAfterMs: nowMs + 100 * 365 * 86_400_000 };
	const text = authority.sign(parseCertificateRequest(pem), { usages: ["client auth"], ...times });
	expect(new X509Certificate(text).validTo).toBe(new X509Certificate(authority.ca).validTo);
	expect(readFileSync(join(folder, "ca.crt"), "utf8")).toBe(authority.ca);
});
