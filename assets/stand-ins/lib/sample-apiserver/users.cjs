// Who asks: what a proxy says whose certificate the cluster vouches for, or the owner of a token.
"use strict";
const { X509Certificate } = require("node:crypto");

const prefix = "x-remote-extra-";

/** All values of a header: Node joins those of a name that it does not know by commas. */
function valuesOf({ rawHeaders }, name) {
	const values = [];
	for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at].toLowerCase() === name) values.push(utf8(rawHeaders[at + 1]));
	return values;
}

const utf8 = (text) => Buffer.from(text, "latin1").toString();

function isProxy(certificate, { ca, names }) {
	if (!certificate || !ca) return false;
	const issuer = new X509Certificate(ca);
	const now = Date.now();
	const isValid = Date.parse(certificate.validFrom) <= now && now < Date.parse(certificate.validTo);
	if (!isValid || !certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) return false;
	const name = /^CN=(.*)$/m.exec(certificate.subject)?.[1];
	return names.length === 0 || names.includes(name);
}

/** @returns undefined for someone who says nothing that counts */
exports.userOf = async function userOf(request, { proxies, review }) {
	if (isProxy(request.socket.getPeerX509Certificate(), proxies)) {
		const [username] = valuesOf(request, "x-remote-user");
		if (username) {
			const extra = {};
			for (const name of Object.keys(request.headers))
				if (name.startsWith(prefix)) extra[decodeURIComponent(name.slice(prefix.length))] = valuesOf(request, name);
			const [uid] = valuesOf(request, "x-remote-uid");
			return { username, ...(uid && { uid }), groups: valuesOf(request, "x-remote-group"), extra };
		}
	}
	const [, token] = /^Bearer (.+)$/.exec(request.headers.authorization ?? "") ?? [];
	return token && review ? review(token) : undefined;
};
