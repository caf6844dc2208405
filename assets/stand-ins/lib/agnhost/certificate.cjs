// The image's certificate for localhost and its key, made anew for each container: nobody is to trust them.
"use strict";
const { createSign, generateKeyPairSync, randomBytes } = require("node:crypto");
const fs = require("node:fs");

/** DER (X.690): a value with its tag and length. */
const der = (tag, ...parts) => {
	const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
	const length = [...Buffer.from(body.length.toString(16).padStart(body.length > 255 ? 4 : 2, "0"), "hex")];
	return Buffer.concat([Buffer.from([tag, ...(body.length < 128 ? length : [0x80 | length.length, ...length])]), body]);
};
const sequence = (...parts) => der(0x30, ...parts);
const text = (tag, value) => der(tag, Buffer.from(value));
/** Object identifiers, encoded: organizationName, ecdsa-with-SHA256, subjectAltName, basicConstraints. */
const oid = (hex) => der(6, Buffer.from(hex, "hex"));
const organization = sequence(der(0x31, sequence(oid("55040a"), text(12, "Acme Co"))));
const ecdsa = sequence(oid("2a8648ce3d040302"));

/** A certificate authority of its own, for 127.0.0.1, ::1, localhost and example.com, as PEM (RFC 5280). */
function selfSigned() {
	const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
	const names = sequence(
		der(0x87, [127, 0, 0, 1]),
		der(0x87, [...Array(15).fill(0), 1]),
		text(0x82, "localhost"),
		text(0x82, "example.com"),
	);
	const extensions = sequence(
		sequence(oid("551d11"), der(4, names)),
		sequence(oid("551d13"), der(1, [0xff]), der(4, sequence(der(1, [0xff])))),
	);
	const body = sequence(
		der(0xa0, der(2, [2])),
		der(2, [1], randomBytes(15)),
		ecdsa,
		organization,
		sequence(text(23, "700101000000Z"), text(24, "20840129160000Z")),
		organization,
		publicKey.export({ type: "spki", format: "der" }),
		der(0xa3, extensions),
	);
	const certificate = sequence(body, ecdsa, der(3, [0], createSign("sha256").update(body).sign(privateKey)));
	const lines = certificate.toString("base64").match(/.{1,64}/g).join("\n");
	return {
		certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
		key: privateKey.export({ type: "pkcs8", format: "pem" }),
	};
}

/** Where the image has them. A container that cannot write there does without. */
exports.place = function place() {
	if (fs.existsSync("/localhost.key")) return;
	const { certificate, key } = selfSigned();
	try {
		fs.writeFileSync("/localhost.key", key);
		fs.writeFileSync("/localhost.crt", certificate);
	} catch {
		// A read-only root, or another user.
	}
};

/** Contents of the files; of the image's own where it could not be placed. */
exports.read = function read(certificateFile = "/localhost.crt", keyFile = "/localhost.key") {
	if (certificateFile === "/localhost.crt" && !fs.existsSync(certificateFile)) {
		const { certificate, key } = selfSigned();
		return { cert: certificate, key };
	}
	return { cert: fs.readFileSync(certificateFile), key: fs.readFileSync(keyFile) };
};
