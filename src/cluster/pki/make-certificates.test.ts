import { createPrivateKey, webcrypto, X509Certificate } from "node:crypto";
import "reflect-metadata";
import { AsnConvert } from "@peculiar/asn1-schema";
import { Certificate, id_ce_keyUsage, KeyUsage, KeyUsageFlags } from "@peculiar/asn1-x509";
import * as x509 from "@peculiar/x509";
import { expect, test } from "vitest";
import { parseCertificateRequest } from "../../kinds/certificates/certificate-request.ts";
import { makeAuthority, makeLeaf, makeRequest } from "./make-certificates.ts";

const validity = { notBeforeMs: Date.UTC(2026, 0, 1), notAfterMs: Date.UTC(2055, 0, 1) };

/** As another reader than OpenSSL finds them. */
function read(pem: string) {
	const { raw } = new X509Certificate(pem);
	const certificate = AsnConvert.parse(raw, Certificate);
	// What the library writes of it is the same: nothing was lost, and all of it is DER.
	expect(Buffer.from(AsnConvert.serialize(certificate)).equals(raw)).toBe(true);
	const extensions = certificate.tbsCertificate.extensions ?? [];
	const usage = extensions.find(({ extnID }) => extnID === id_ce_keyUsage);
	return { extensions, usage: usage && AsnConvert.parse(usage.extnValue, KeyUsage).toNumber() };
}

test("an authority signs itself, and may sign nothing but certificates and their revocations", () => {
	const { cert, key } = makeAuthority({ commonName: "ca" }, validity);
	const authority = new X509Certificate(cert);
	expect([authority.ca, authority.subject, authority.issuer]).toEqual([true, "CN=ca", "CN=ca"]);
	expect(authority.verify(authority.publicKey)).toBe(true);
	expect(authority.checkPrivateKey(createPrivateKey(key))).toBe(true);
	expect([authority.validFrom, authority.validTo]).toEqual(["Jan  1 00:00:00 2026 GMT", "Jan  1 00:00:00 2055 GMT"]);
	expect(read(cert).usage).toBe(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign);
});

test("a leaf is its authority's, with the names and the use that were asked for", () => {
	const ca = makeAuthority({ commonName: "ca" }, validity);
	const authority = new X509Certificate(ca.cert);
	const names = { dnsNames: ["localhost", "a.example"], addresses: ["127.0.0.1", "10.96.0.1"] };
	const name = { organizations: ["one", "zwei, drei"], commonName: "Jürgen" };
	const server = makeLeaf(authority, createPrivateKey(ca.key), { name, server: names, validity });
	const certificate = new X509Certificate(server.cert);
	expect(certificate.checkIssued(authority)).toBe(true);
	expect(certificate.verify(authority.publicKey)).toBe(true);
	expect(certificate.checkPrivateKey(createPrivateKey(server.key))).toBe(true);
	expect(certificate.ca).toBe(false);
	expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
	expect(certificate.subjectAltName).toBe("DNS:localhost, DNS:a.example, IP Address:127.0.0.1, IP Address:10.96.0.1");
	expect(new x509.X509Certificate(server.cert).subject).toBe("O=one, O=zwei\\, drei, CN=Jürgen");
	expect(read(server.cert).usage).toBe(KeyUsageFlags.digitalSignature);

	const client = new X509Certificate(makeLeaf(authority, createPrivateKey(ca.key), { name, validity }).cert);
	expect(client.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
	expect(client.subjectAltName).toBeUndefined();
	expect(client.serialNumber).not.toBe(certificate.serialNumber);
});

test("a leaf repeats the name and the key's identifier of an authority that another program has made", async () => {
	const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
	const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
	const ca = await x509.X509CertificateGenerator.createSelfSigned({
		serialNumber: "01",
		name: "C=DE, O=Ours, CN=coxswain-ca",
		notBefore: new Date(validity.notBeforeMs),
		notAfter: new Date(validity.notAfterMs),
		signingAlgorithm: algorithm,
		keys,
		extensions: [
			new x509.BasicConstraintsExtension(true, undefined, true),
			new x509.SubjectKeyIdentifierExtension("0102030405"),
		],
	});
	const authority = new X509Certificate(ca.toString("pem"));
	const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
	const signingKey = createPrivateKey({ key, format: "der", type: "pkcs8" });
	const { cert } = makeLeaf(authority, signingKey, { name: { commonName: "x" }, validity });
	const leaf = new X509Certificate(cert);
	expect(leaf.checkIssued(authority)).toBe(true);
	expect(leaf.verify(authority.publicKey)).toBe(true);
	const parsed = new x509.X509Certificate(cert);
	expect(Buffer.from(parsed.issuerName.toArrayBuffer())).toEqual(Buffer.from(ca.subjectName.toArrayBuffer()));
	expect(parsed.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId).toBe("0102030405");
});

test("a request is one that the cluster's own signer takes", () => {
	const { key, request } = makeRequest({ organizations: ["dev", "ops"], commonName: "ann" });
	const { commonName, organizations } = parseCertificateRequest(request);
	expect([commonName, organizations]).toEqual(["ann", ["dev", "ops"]]);
	expect(createPrivateKey(key).asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
});
