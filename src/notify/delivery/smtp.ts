/** Sends e-mails to an SMTP server, with connections only to addresses that may be reached. */
import { connect, type Socket } from "node:net";
import type { Destinations } from "./destinations.ts";
import { guardOf, reasonOf, SendError } from "./http.ts";

export interface Email {
	from: string;
	to: readonly string[];
	subject: string;
	text: string;
	/** The same for the same message. */
	id: string;
}

const timeoutMs = 15_000;
/** For a whole e-mail: a server that sends a byte now and then never times out otherwise. */
const patienceMs = 60_000;
const ports = { "smtp:": 587, "smtps:": 465 } as const;

/**
 * @param server `smtps://user:password@host:465`
 * @throws SendError
 */
export async function sendEmail(
	destinations: Destinations,
	server: URL,
	email: Email,
	patience = patienceMs,
): Promise<void> {
	const isTls = server.protocol === "smtps:";
	const host = server.hostname.replace(/^\[|\]$/g, "");
	const port = Number(server.port) || ports[isTls ? "smtps:" : "smtp:"];
	const socket = await open(destinations, server, host, port);
	// Without STARTTLS, only servers that an administrator has allowed are used.
	const mayBePlain = destinations.isAllowed(socket.remoteAddress ?? "");
	const { createTransport } = await import("nodemailer");
	const transport = createTransport({
		host,
		port,
		secure: isTls,
		requireTLS: !isTls && !mayBePlain,
		...(server.username !== "" && {
			auth: { user: decodeURIComponent(server.username), pass: decodeURIComponent(server.password) },
		}),
		connectionTimeout: timeoutMs,
		greetingTimeout: timeoutMs,
		socketTimeout: timeoutMs,
		disableFileAccess: true,
		disableUrlAccess: true,
		getSocket: (_: unknown, callback: (error: Error | null, socket: { connection: Socket }) => void) =>
			callback(null, { connection: socket }),
	});
	// Real time, regardless of the cluster's clock: the server uses real time.
	const signal = AbortSignal.timeout(patience);
	const late = new Promise<never>((_, failed) => {
		const why = `${host}: the mail was not taken within ${patience / 1000}s`;
		signal.addEventListener("abort", () => failed(new SendError(why)), { once: true });
	});
	try {
		const sending = transport.sendMail({
			from: email.from,
			to: [...email.to],
			subject: email.subject,
			text: email.text,
			messageId: `<${email.id}@coxswain>`,
			headers: { "Auto-Submitted": "auto-generated" },
		});
		await Promise.race([sending, late]);
	} catch (error) {
		throw error instanceof SendError ? error : new SendError(`${host}: ${smtpReason(error)}`);
	} finally {
		transport.close();
		socket.destroy();
	}
}

function open(destinations: Destinations, server: URL, host: string, port: number): Promise<Socket> {
	const guard = guardOf(destinations, server, true);
	return new Promise((done, failed) => {
		const literal = guard.literalProblem();
		if (literal !== undefined) {
			failed(new SendError(literal));
			return;
		}
		const socket = connect({ host, port, lookup: guard.lookup, timeout: timeoutMs });
		socket.once("timeout", () => socket.destroy(new SendError(`${host}: no answer within ${timeoutMs / 1000}s`)));
		// For the lifetime of the socket: nodemailer removes its listeners before the last error may occur.
		socket.on("error", (error) =>
			failed(error instanceof SendError ? error : new SendError(`${host}: ${reasonOf(error)}`)),
		);
		socket.once("connect", () => {
			const problem = guard.problemOf(socket.remoteAddress ?? "");
			if (problem === undefined) done(socket);
			else socket.destroy(new SendError(problem));
		});
	});
}

/** The server's response contains no password; it is truncated, because it may be long. */
function smtpReason(error: unknown): string {
	if (!(error instanceof Error)) return "failed";
	const { responseCode, code } = error as { responseCode?: number; code?: string };
	return responseCode === undefined ? (code ?? "failed") : `answered ${responseCode}`;
}
