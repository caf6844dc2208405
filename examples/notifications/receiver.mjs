// Takes CloudEvents from Coxswain: says its URL, then a line for each message. With a key as argument it checks signatures, as any
// library for Standard Webhooks does.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const [key] = process.argv.slice(2);
/** Messages arrive at least once: what has this id was here before. */
const seen = new Set();

function isSigned({ headers }, body) {
	const text = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
	const wanted = Buffer.from(`v1,${createHmac("sha256", key).update(text).digest("base64")}`);
	const given = Buffer.from(String(headers["webhook-signature"] ?? ""));
	return given.length === wanted.length && timingSafeEqual(given, wanted);
}

const server = createServer(async (request, response) => {
	let body = "";
	for await (const chunk of request) body += chunk;
	if (key !== undefined && !isSigned(request, body)) {
		response.writeHead(401).end();
		return;
	}
	const { id, type, data } = JSON.parse(body);
	if (!seen.has(id)) console.log(`${type}: ${data.title}`);
	seen.add(id);
	response.end();
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/`));
