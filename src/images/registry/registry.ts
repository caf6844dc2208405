/**
 * The client of a registry, for one repository: OCI's distribution protocol, which Docker's registry speaks as well.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../../core/time/clock.ts";
import type { Credential } from "../credentials/credential.ts";
import { ImageFailure } from "../model/failure.ts";
import { type Descriptor, manifestTypes } from "../model/manifest.ts";
import type { FullReference } from "../model/reference.ts";
import { type Endpoint, endpointsOf } from "./endpoints.ts";
import { type HttpAnswer, readBody, send } from "./http.ts";
import { progressBytes } from "./pace.ts";
import type { Registries } from "./registries-file.ts";
import { type Authorizer, createAuthorizer } from "./tokens.ts";

export interface RegistryOptions {
	image: FullReference;
	registries: Registries;
	/** Absent: the one of the registries' file, or none. */
	credential?: Credential;
	clock: Clock;
	/** Time to reach a host. */
	connectMs: number;
	signal: AbortSignal;
}

export interface Manifest {
	digest: string;
	mediaType: string;
	body: Buffer;
}

const largestManifest = 4 << 20;
const largestError = 64 << 10;
/** Of one blob, in a row without any progress. */
const mostAttempts = 5;
const firstPauseMs = 500;
/** A registry that asks for more has its answer reported instead. */
const longestWaitMs = 20_000;

export class Registry {
	readonly #options: RegistryOptions;
	#endpoints: Endpoint[];
	readonly #authorizers = new Map<string, Authorizer>();

	constructor(options: RegistryOptions) {
		this.#options = options;
		this.#endpoints = endpointsOf(options.image, options.registries);
	}

	/**
	 * @param name a tag, or a digest, which is verified
	 * @throws ImageFailure
	 */
	manifest(name: string): Promise<Manifest> {
		return this.#firstOf(async (endpoint) => {
			const headers = { accept: manifestTypes.join(", ") };
			const answer = await this.#get(endpoint, `manifests/${name}`, headers);
			const body = await readBody(answer.body, largestManifest);
			const digest = `sha256:${createHash("sha256").update(body).digest("hex")}`;
			const claimed = name.startsWith("sha256:") ? name : answer.header("docker-content-digest");
			if (claimed?.startsWith("sha256:") === true && claimed !== digest)
				throw new ImageFailure("invalid", `the manifest is not what its digest says: it has ${digest}, not ${claimed}`);
			const [mediaType = ""] = (answer.header("content-type") ?? "").split(";");
			return { digest, mediaType, body };
		});
	}

	/**
	 * A blob in chunks, to be verified. A lost connection is resumed where it ended.
	 * @throws ImageFailure
	 */
	async *blob({ digest, size }: Descriptor): AsyncGenerator<Buffer> {
		let [received, began] = [0, 0];
		for (let attempt = 0; ; ) {
			try {
				for await (const chunk of await this.#blobFrom(digest, received)) {
					received += chunk.length;
					if (received - began >= progressBytes) [attempt, began] = [0, received];
					yield chunk;
				}
				if (received >= size) return;
				throw new ImageFailure("unreachable", "the connection was lost");
			} catch (error) {
				if (!isPassing(error) || this.#options.signal.aborted || ++attempt >= mostAttempts) throw error;
				await this.#options.clock.sleep(firstPauseMs * 2 ** (attempt - 1), this.#options.signal);
			}
		}
	}

	async #blobFrom(digest: string, from: number): Promise<AsyncIterable<Buffer>> {
		const answer = await this.#firstOf((endpoint) =>
			this.#get(endpoint, `blobs/${digest}`, from === 0 ? {} : { range: `bytes=${from}-` }),
		);
		const { body } = answer;
		const isWhole = from > 0 && answer.status !== 206;
		return readable(isWhole ? without(body, from) : body);
	}

	/** Asks the endpoints in order; the first that answers well is asked first from then on. */
	async #firstOf<T>(ask: (endpoint: Endpoint) => Promise<T>): Promise<T> {
		let problem: unknown;
		for (const endpoint of this.#endpoints) {
			try {
				const result = await ask(endpoint);
				if (endpoint !== this.#endpoints[0])
					this.#endpoints = [endpoint, ...this.#endpoints.filter((other) => other !== endpoint)];
				return result;
			} catch (error) {
				if (!(error instanceof ImageFailure)) throw error;
				problem = better(problem, error);
			}
		}
		throw problem;
	}

	async #get(endpoint: Endpoint, path: string, headers: Record<string, string>): Promise<HttpAnswer> {
		const { base, repository, mirrorOf, tls, credential: configured } = endpoint;
		const { clock, connectMs, signal, credential = configured } = this.#options;
		const url = new URL(`${base}/${repository}/${path}`);
		if (mirrorOf !== undefined) url.searchParams.set("ns", mirrorOf);
		let authorizer = this.#authorizers.get(base);
		if (authorizer === undefined) {
			// What a pod has for a registry is for that registry.
			const own = mirrorOf === undefined ? credential : configured;
			authorizer = createAuthorizer(own, `repository:${repository}:pull`);
			this.#authorizers.set(base, authorizer);
		}
		const options = { tls, connectMs, clock, signal };
		for (let attempt = 0, waits = 0; ; ) {
			const { header } = authorizer;
			const sent = { ...headers, ...(header === undefined ? {} : { authorization: header }) };
			const answer = await send(url, { ...options, headers: sent });
			if (answer.status === 200 || answer.status === 206) return answer;
			if (answer.status === 401 && attempt++ === 0) {
				const again = await authorizer.challenged(answer, options);
				await answer.discard();
				if (again) continue;
				throw denied(endpoint, answer.status, "");
			}
			const waitMs = answer.status === 429 ? retryAfterMs(answer, clock.now()) : undefined;
			if (waitMs !== undefined && waitMs <= longestWaitMs && waits++ < 2) {
				await answer.discard();
				await clock.sleep(waitMs, signal);
				continue;
			}
			throw await refusal(endpoint, path, answer, waitMs);
		}
	}
}

async function refusal(
	endpoint: Endpoint,
	path: string,
	answer: HttpAnswer,
	waitMs: number | undefined,
): Promise<ImageFailure> {
	const said = errorWords(await readBody(answer.body, largestError).catch(() => Buffer.alloc(0)));
	const { host } = new URL(endpoint.base);
	const [what, name] = path.split("/");
	const suffix = said === "" ? "" : `: ${said}`;
	if (answer.status === 404) return new ImageFailure("missing", `${host}/${endpoint.repository}:${name}: not found`);
	if (answer.status === 401 || answer.status === 403) return denied(endpoint, answer.status, said);
	if (answer.status === 429) {
		const wait = waitMs === undefined ? "" : `; it asks to wait ${Math.ceil(waitMs / 1000)} s`;
		return new ImageFailure("limited", `${host} has limited its requests: 429 Too Many Requests${suffix}${wait}`);
	}
	const kind = answer.status >= 500 ? "unreachable" : "failed";
	return new ImageFailure(
		kind,
		`${host} answered ${answer.status} for ${what === "blobs" ? "a layer" : "the manifest"}${suffix}`,
	);
}

function denied({ base, repository }: Endpoint, status: number, said: string): ImageFailure {
	const words = said === "" ? `${new URL(base).host} answered ${status}` : said;
	const message = "pull access denied, repository does not exist or may require authorization";
	return new ImageFailure("denied", `${repository}: ${message}: server message: ${words}`);
}

/** The registry's own words, from its JSON. */
function errorWords(body: Buffer): string {
	try {
		const { errors } = JSON.parse(body.toString("utf8")) as { errors?: { code?: unknown; message?: unknown }[] };
		return (errors ?? [])
			.map(({ code, message }) => `${code}: ${message}`)
			.join("; ")
			.slice(0, 500);
	} catch {
		return "";
	}
}

/** Seconds or a date (RFC 9110, section 10.2.3); a second if it says nothing. */
function retryAfterMs(answer: HttpAnswer, nowMs: number): number {
	const text = answer.header("retry-after") ?? "";
	if (/^\d+$/.test(text)) return Number(text) * 1000;
	const at = Date.parse(text);
	return Number.isNaN(at) ? 1000 : Math.max(0, at - nowMs);
}

/** The error that says most, of several endpoints: one of those that were reached. */
function better(before: unknown, now: ImageFailure): ImageFailure {
	if (!(before instanceof ImageFailure)) return now;
	return before.kind === "unreachable" && now.kind !== "unreachable" ? now : before;
}

function isPassing(error: unknown): boolean {
	return error instanceof ImageFailure && error.kind === "unreachable";
}

/** Errors of the connection, in words. */
async function* readable(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
	try {
		yield* body;
	} catch (error) {
		if (error instanceof ImageFailure) throw error;
		throw new ImageFailure("unreachable", "the connection was lost", { cause: error });
	}
}

async function* without(body: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
	let left = bytes;
	for await (const chunk of body) {
		if (chunk.length > left) yield chunk.subarray(left);
		left = Math.max(0, left - chunk.length);
	}
}
