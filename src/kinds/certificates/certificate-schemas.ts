/** The parts of certificates and certificate requests: the library's classes, and its ASN.1 parser and serializer. */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/**
 * They take 60 ms to load, so that is done when the first request is read or signed; by `require`, because validation
 * does not wait.
 */
export function certificateSchemas() {
	// The packages' own types.
	return {
		...(require("@peculiar/asn1-schema") as Pick<typeof import("@peculiar/asn1-schema"), "AsnConvert" | "OctetString">),
		csr: require("@peculiar/asn1-csr") as typeof import("@peculiar/asn1-csr"),
		x509: require("@peculiar/asn1-x509") as typeof import("@peculiar/asn1-x509"),
	};
}
