// What nginx's stand-in takes of a configuration that a pod brings along: servers, locations, files, texts, redirects and upstreams.
"use strict";
const fs = require("node:fs");
const path = require("node:path");

const escapes = { n: "\n", r: "\r", t: "\t" };

/** Directives as { name, args, block }. @throws Error in nginx's words */
function parse(text, file) {
	const tokens = [...text.matchAll(/#[^\n]*|"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|([{};])|((?:\$\{\w+\}|[^\s{};"'#])(?:\$\{\w+\}|[^\s{};])*)/g)].filter(([whole]) => !whole.startsWith("#"));
	let at = 0;
	const block = (isTop) => {
		const directives = [];
		let words = [];
		for (; at < tokens.length; at++) {
			const [, double, single, sign, word] = tokens[at];
			if (sign === undefined) words.push((double ?? single)?.replace(/\\(["'\\nrt])/g, (_, sign) => escapes[sign] ?? sign) ?? word);
			else if (sign === "}") {
				if (isTop || words.length > 0) throw new Error(`unexpected "}" in ${file}`);
				return directives;
			} else {
				const [name, ...args] = words;
				if (name === undefined) throw new Error(`unexpected "${sign}" in ${file}`);
				words = [];
				if (sign === "{") at++;
				directives.push(sign === "{" ? { name, args, block: block(false) } : { name, args });
			}
		}
		if (!isTop || words.length > 0) throw new Error(`unexpected end of file, expecting ";" or "}" in ${file}`);
		return directives;
	};
	return block(true);
}

function filesOf(pattern) {
	const full = path.resolve("/etc/nginx", pattern);
	if (!full.includes("*")) return fs.existsSync(full) ? [full] : [];
	const [folder, name] = [path.dirname(full), path.basename(full)];
	const fits = new RegExp(`^${name.split("*").map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&")).join("[^/]*")}$`);
	return fs.existsSync(folder) ? fs.readdirSync(folder).filter((entry) => fits.test(entry)).sort().map((entry) => path.join(folder, entry)) : [];
}

function read(file, depth = 0) {
	if (depth > 10) throw new Error(`too many includes in ${file}`);
	const spread = (directives) =>
		directives.flatMap((directive) => {
			if (directive.name === "include") return filesOf(directive.args[0] || "").flatMap((included) => read(included, depth + 1));
			return [directive.block === undefined ? directive : { ...directive, block: spread(directive.block) }];
		});
	return spread(parse(fs.readFileSync(file, "utf8"), file));
}

const all = (block, name) => block.filter((directive) => directive.name === name);
const one = (block, name) => all(block, name)[0]?.args;

/**
 * The servers of the configuration, each with its ports; undefined where the pod brings none along.
 * @throws Error for one that cannot be read
 */
exports.servers = function servers(file) {
	const main = file || "/etc/nginx/nginx.conf";
	const files = fs.existsSync(main) ? [main] : filesOf("conf.d/*.conf");
	if (files.length === 0) return undefined;
	const top = files.flatMap((each) => read(each));
	const http = [...top, ...all(top, "http").flatMap(({ block }) => block)];
	const upstreams = new Map(all(http, "upstream").map(({ args, block }) => [args[0], all(block, "server").map((server) => server.args[0])]));
	return all(http, "server").map(({ block }) => ({
		listens: (all(block, "listen").length > 0 ? all(block, "listen") : [{ args: ["80"] }])
			.filter(({ args }) => !args[0].startsWith("[") && !args[0].startsWith("unix:"))
			.map(({ args }) => ({ port: Number(args[0].split(":").pop()) || 80, tls: args.includes("ssl") })),
		names: one(block, "server_name") || [],
		certificate: one(block, "ssl_certificate")?.[0],
		key: one(block, "ssl_certificate_key")?.[0],
		answer: (uri) => answerOf(block, one(http, "root")?.[0], upstreams, uri),
	}));
};

/** What is to be done for a path: { code, text } or { proxy } or { file candidates }, with headers to add. */
function answerOf(server, outerRoot, upstreams, uri) {
	const locations = all(server, "location");
	const location = locationFor(locations, uri);
	const scope = [...(location?.block || []), ...server.filter(({ name }) => name !== "location")];
	const own = location === undefined ? server : location.block;
	const headers = all(all(own, "add_header").length > 0 ? own : server, "add_header").map(({ args }) => args);
	const found = one(own, "return") || one(server, "return");
	if (found !== undefined) {
		const [first, ...rest] = found;
		const text = rest.join(" ");
		return /^\d+$/.test(first) ? { code: Number(first), text, type: one(scope, "default_type")?.[0], headers } : { code: 302, text: first, headers };
	}
	const proxy = one(own, "proxy_pass")?.[0];
	if (proxy !== undefined) {
		const [, scheme, host, rest] = /^(https?):\/\/([^/]+)(\/.*)?$/.exec(proxy) || [];
		const prefix = location?.args.at(-1) || "/";
		const target = upstreams.get(host)?.[0] ?? host;
		return { proxy: `${scheme}://${target}${rest === undefined ? uri : rest + uri.slice(prefix.length)}`, headers };
	}
	const alias = one(own, "alias")?.[0];
	const root = one(scope, "root")?.[0] || outerRoot || "/usr/share/nginx/html";
	const place = (wanted) => (alias === undefined ? path.join(root, wanted) : path.join(alias, wanted.slice((location?.args.at(-1) || "").length)));
	const tried = one(own, "try_files") || one(server, "try_files");
	const candidates = tried === undefined ? [uri] : tried.map((text) => text.replace(/\$uri/g, uri).replace(/\$\w+/g, ""));
	return { files: candidates.filter((text) => !text.startsWith("=")).map(place), index: one(scope, "index") || ["index.html"], headers };
}

function locationFor(locations, uri) {
	const kind = ({ args }) => (args.length > 1 ? args[0] : "");
	const exact = locations.find((location) => kind(location) === "=" && location.args[1] === uri);
	if (exact !== undefined) return exact;
	const prefixes = locations.filter((location) => ["", "^~"].includes(kind(location)) && uri.startsWith(location.args.at(-1)));
	const longest = prefixes.sort((a, b) => b.args.at(-1).length - a.args.at(-1).length)[0];
	if (longest !== undefined && kind(longest) === "^~") return longest;
	const fits = ({ args }) => new RegExp(args[1], args[0] === "~*" ? "i" : "").test(uri);
	return locations.find((location) => ["~", "~*"].includes(kind(location)) && fits(location)) ?? longest;
}
