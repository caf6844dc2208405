import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { expect, test } from "vitest";
import { parseCertificateRequest } from "./certificate-request.ts";
import { testRequest } from "./testing/certificate-requests.ts";

test("a request tells its name, its key and the names it wants, whatever signs it", async () => {
	for (const type of ["ec", "rsa"] as const) {
		const { pem } = await testRequest(
			"CN=system:node:n1, O=system:nodes, O=Zürich",
			[
				{ type: "dns", value: "n1.example" },
				{ type: "ip", value: "10.0.0.1" },
				{ type: "ip", value: "fd00::1" },
				{ type: "email", value: "a@b.c" },
				{ type: "url", value: "spiffe://a/b" },
			],
			type,
		);
		const request = parseCertificateRequest(pem);
		expect([request.commonName, request.organizations]).toEqual(["system:node:n1", ["system:nodes", "Zürich"]]);
		expect(request.dnsNames).toEqual(["n1.example"]);
		expect(request.ipAddresses).toEqual(["10.0.0.1", "fd00::1"]);
		expect(request.emailAddresses).toEqual(["a@b.c"]);
		expect(request.uris).toEqual(["spiffe://a/b"]);
	}
});

test("what is no request, is cut off, or is signed with another key is refused", async () => {
	const { pem } = await testRequest("CN=ann");
	expect(() => parseCertificateRequest("no")).toThrow("PEM block type must be CERTIFICATE REQUEST");
	expect(() => parseCertificateRequest(pem.replaceAll("CERTIFICATE REQUEST", "CERTIFICATE"))).toThrow("PEM block type");
	const der = Buffer.from(pem.replaceAll(/-----.*-----|\s/g, ""), "base64");
	const armoured = (bytes: Buffer) =>
		`-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
	expect(parseCertificateRequest(armoured(der)).commonName).toBe("ann");
	for (let length = 0; length < der.length; length++)
		expect(() => parseCertificateRequest(armoured(der.subarray(0, length)))).toThrow();
	expect(() => parseCertificateRequest(armoured(Buffer.concat([der, Buffer.of(5, 0)])))).toThrow("or more than that");
	const renamed = Buffer.from(der);
	renamed.write("eve", renamed.indexOf("ann"));
	expect(() => parseCertificateRequest(armoured(renamed))).toThrow("x509: ECDSA verification failure");
});

test("a network is no address", async () => {
	const { pem } = await testRequest("CN=ann", [{ type: "ip", value: "10.0.0.0/8" }]);
	expect(() => parseCertificateRequest(pem)).toThrow('x509: cannot parse IP address "10.0.0.0/8"');
});

test("a name is in a kind of text that everybody reads alike", () => {
	const utf8 = 0x0c;
	expect(parseCertificateRequest(requestFor(utf8, "devs")).organizations).toEqual(["devs"]);
	// OpenSSL accepts VisibleString as text, others do not.
	for (const tag of [0x1a, 0x1b])
		for (const attribute of [oids.organization, oids.unit])
			expect(() => parseCertificateRequest(requestFor(tag, "system:masters", attribute))).toThrow(
				"unsupported string type",
			);
});

const oids = { organization: "55040a", unit: "55040b" };

/** A request for an organization, or one of its units, whose name has this type. */
function requestFor(tag: number, organisation: string, attribute = oids.organization): string {
	const der = (type: number, ...parts: Buffer[]) => {
		const content = Buffer.concat(parts);
		const length = content.length < 128 ? [content.length] : [0x81, content.length];
		return Buffer.concat([Buffer.from([type, ...length]), content]);
	};
	const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
	const oid = (hex: string) => der(0x06, Buffer.from(hex, "hex"));
	const subject = der(0x30, der(0x31, der(0x30, oid(attribute), der(tag, Buffer.from(organisation)))));
	const key = createPublicKey(privateKey).export({ type: "spki", format: "der" });
	const info = der(0x30, der(0x02, Buffer.of(0)), subject, key, der(0xa0));
	const signature = der(0x03, Buffer.of(0), sign("sha256", info, privateKey));
	const request = der(0x30, info, der(0x30, oid("2a8648ce3d040302")), signature);
	return `-----BEGIN CERTIFICATE REQUEST-----\n${request.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
}
