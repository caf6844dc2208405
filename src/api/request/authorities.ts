/** Certificate authorities, and whose certificates are theirs: a TLS socket may trust several, for different things. */
import { X509Certificate } from "node:crypto";
import type { DetailedPeerCertificate } from "node:tls";

export class Authorities {
	readonly #certificates: readonly X509Certificate[];

	/** @param pem one or more certificates */
	constructor(pem: string | Buffer) {
		const blocks = pem.toString().match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
		this.#certificates = blocks.map((block) => new X509Certificate(block));
	}

	get count(): number {
		return this.#certificates.length;
	}

	/**
	 * @param certificate of a connection that is authorized, so that its chain ends at an authority which the socket
	 *   trusts
	 */
	haveIssued(certificate: DetailedPeerCertificate): boolean {
		for (let one = certificate; one?.raw !== undefined; one = one.issuerCertificate) {
			const link = new X509Certificate(one.raw);
			if (this.#certificates.some((authority) => isLink(link, authority))) return true;
			// A root is its own issuer. A resumed session may not know of more.
			if (one.issuerCertificate === one) return false;
		}
		return false;
	}
}

function isLink(certificate: X509Certificate, authority: X509Certificate): boolean {
	if (certificate.fingerprint256 === authority.fingerprint256) return true;
	return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}
