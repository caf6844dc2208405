/** The parts of certificates and certificate requests: the library's classes, and its ASN.1 parser and serializer. */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/**
 * Loading them takes 60 ms, so they are loaded for the first request that is read or signed; with `require`, because
 * validation is synchronous.
 */
export function certificateSchemas() {
	// The packages' own types.
	return {
		...(require("@peculiar/asn1-schema") as Pick<typeof import("@peculiar/asn1-schema"), "AsnConvert" | "OctetString">),
		csr: require("@peculiar/asn1-csr") as typeof import("@peculiar/asn1-csr"),
		x509: require("@peculiar/asn1-x509") as typeof import("@peculiar/asn1-x509"),
	};
}
