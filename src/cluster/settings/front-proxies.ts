/** Proxies in front of the API server, from the options `--requestheader-…`. */
import { Authorities } from "../../api/request/authorities.ts";
import { defaultIdentityHeaders, type FrontProxyTrust, type IdentityHeaders } from "../../api/request/front-proxy.ts";
import { messageOf } from "../../core/errors.ts";
import { readOptionText } from "../files/option-file.ts";

const option = "--requestheader-client-ca-file";

/** Lists of the options; an empty one stands for the default. */
export type FrontProxyOptions = IdentityHeaders & { names: readonly string[] };

/** @throws Error that names the option and the problem */
export function readFrontProxies(caFile: string, options: FrontProxyOptions): FrontProxyTrust {
	return frontProxies(readOptionText(option, caFile), caFile, options);
}

/** @param ca PEM. @param place of it, for messages. @throws Error that names the option and the problem */
export function frontProxies(ca: string, place: string, { names, ...given }: FrontProxyOptions): FrontProxyTrust {
	checkAuthorities(ca, place);
	const headers = (field: keyof IdentityHeaders) => {
		for (const name of given[field])
			if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) throw new Error(`--requestheader-…: ${name} is no name of a header`);
		return given[field].length > 0 ? given[field] : defaultIdentityHeaders[field];
	};
	return {
		ca,
		names,
		headers: {
			username: headers("username"),
			uid: headers("uid"),
			group: headers("group"),
			extraPrefix: headers("extraPrefix"),
		},
	};
}

function checkAuthorities(ca: string, place: string): void {
	let count = 0;
	try {
		count = new Authorities(ca).count;
	} catch (error) {
		throw new Error(`${option} ${place}: ${messageOf(error)}`);
	}
	if (count === 0) throw new Error(`${option} ${place}: there is no certificate in it`);
}
