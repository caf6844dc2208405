/** All levels, and where a request belongs, as the FlowSchemas and PriorityLevelConfigurations say now. */
import { ApiError } from "../../core/errors.ts";
import type { ApiRequest, User } from "../../core/exchange.ts";
import type { MetricRegistry } from "../../core/metrics/registry.ts";
import type { Clock, Timer } from "../../core/time/clock.ts";
import { parseDuration } from "../../core/time/duration.ts";
import type { Registry } from "../../kinds/engine/registry.ts";
import { bootstrapFlowSchemas, bootstrapPriorityLevels, mandatory } from "../../kinds/flowcontrol/bootstrap.ts";
import { flowSchemas } from "../../kinds/flowcontrol/flowschema.ts";
import { priorityLevelConfigurations } from "../../kinds/flowcontrol/prioritylevelconfiguration.ts";
import type { FlowSchema, PriorityLevelConfiguration } from "../../kinds/generated/types.ts";
import type { WatchCache } from "../cache/cache.ts";
import { keyPrefix } from "../cache/keys.ts";
import type { KindCache } from "../cache/kind-cache.ts";
import type { RequestInfo } from "../request/request-info.ts";
import { Level } from "./level.ts";
import { divided, limitsOf } from "./limits.ts";
import { type ClassCounts, FlowMetrics } from "./metrics.ts";
import type { Queue, Refusal } from "./queues.ts";
import { compileSchema, type SchemaRule } from "./schema.ts";
import { seatsOf } from "./seats.ts";

/** A FlowSchema with its level. */
export interface TrafficClass {
	readonly name: string;
	readonly uid: string;
	readonly level: Level;
	readonly counts: ClassCounts;
	/** What tells its flows apart. */
	readonly distinguisher: string | undefined;
	readonly rules: readonly SchemaRule[];
}

type Candidate = Pick<SchemaRule, "asks"> & { traffic: TrafficClass };

export interface Entering {
	request: Pick<ApiRequest, "query" | "signal">;
	info: RequestInfo;
	user: User;
}

/** The interval for recomputing what levels lend and borrow, while there are requests. */
const balancePeriodMs = 10_000;
/** A request may wait for a part of the time that it may take. */
const waitingPart = 1 / 4;
const requestTimeoutMs = 60_000;
const longestWaitMs = 60_000;

export class FlowControl {
	readonly #cache: WatchCache;
	readonly #clock: Clock;
	readonly #kinds: Registry;
	readonly #seats: number;
	readonly #metrics: FlowMetrics;
	readonly #schemaObjects: KindCache<FlowSchema>;
	readonly #levelObjects: KindCache<PriorityLevelConfiguration>;
	#levels = new Map<string, Level>();
	/** The first one counts; the last one is for everybody. */
	#classes: readonly TrafficClass[] = [];
	/** What may match of a user's requests; a connection and a token have the same one for long. */
	#ofUsers = new WeakMap<User, readonly Candidate[]>();
	/** Of the objects that the configuration was made of. */
	#schemaChanges = -1;
	#levelChanges = -1;
	#timer: Timer | undefined;

	/** @param seats of the whole server */
	constructor(parts: { cache: WatchCache; clock: Clock; kinds: Registry; seats: number; metrics: MetricRegistry }) {
		this.#cache = parts.cache;
		this.#clock = parts.clock;
		this.#kinds = parts.kinds;
		this.#seats = parts.seats;
		this.#schemaObjects = parts.cache.resource(flowSchemas);
		this.#levelObjects = parts.cache.resource(priorityLevelConfigurations);
		this.#metrics = new FlowMetrics(parts.metrics, () => this.levels);
		this.#refresh();
	}

	get levels(): readonly Level[] {
		return [...this.#levels.values()];
	}

	close(): void {
		this.#timer?.cancel();
	}

	/** The first schema that matches, by precedence. */
	classify(user: User, info: RequestInfo): TrafficClass {
		this.#refresh();
		let candidates = this.#ofUsers.get(user);
		if (candidates === undefined) {
			candidates = this.#classes.flatMap((traffic) =>
				traffic.rules.filter((rule) => rule.isAbout(user)).map(({ asks }) => ({ traffic, asks })),
			);
			this.#ofUsers.set(user, candidates);
		}
		for (const { traffic, asks } of candidates) if (asks(info)) return traffic;
		// There is always one.
		return this.#classes.at(-1) as TrafficClass;
	}

	/**
	 * @returns gives the seats back; in a promise when it had to wait
	 * @throws ApiError TooManyRequests, in the promise
	 */
	enter(traffic: TrafficClass, { request, info, user }: Entering): (() => void) | Promise<() => void> {
		const { level } = traffic;
		const { query } = request;
		const seats = level.isExempt ? 1 : seatsOf(info, query, this.#stored(info), level.mostSeatsOfOne);
		traffic.counts.seats.observe(seats);
		this.#timer ??= this.#clock.after(balancePeriodMs, () => this.#balance());
		const nowMs = this.#clock.monotonicMs();
		if (level.queues.take(seats)) return this.#run(traffic, { seats, place: undefined, nowMs });
		return new Promise((resolve, reject) => {
			const { counts } = traffic;
			const key = traffic.distinguisher === "ByNamespace" ? info.resource?.namespace : user.name;
			const flow = `${traffic.name} ${traffic.distinguisher === undefined ? "" : key}`;
			counts.waits(seats, 1);
			/** @returns now */
			const ends = (isRun?: boolean): number => {
				counts.waits(seats, -1);
				const thenMs = this.#clock.monotonicMs();
				if (isRun !== undefined) counts.waited(isRun, thenMs - nowMs);
				level.note(thenMs);
				return thenMs;
			};
			level.queues.wait({
				seats,
				flow,
				nowMs,
				patienceMs: patienceOf(info, query),
				// Only here: it is made when someone asks for it.
				signal: request.signal,
				queued: (length) => counts.queueLengths.observe(length),
				stays: () => counts.stayed.inc(),
				start: (place) => {
					resolve(this.#run(traffic, { seats, place, nowMs: ends(true) }));
				},
				refuse: (why) => {
					const hasWaited = why === "time-out" || why === "cancelled";
					const thenMs = ends(hasWaited ? false : undefined);
					this.#count(level, why);
					counts.rejected(why);
					reject(tooManyRequests(level.retryAfter.refused(thenMs)));
				},
			});
			level.note(nowMs);
		});
	}

	#run(traffic: TrafficClass, taken: { seats: number; place: Queue | undefined; nowMs: number }): () => void {
		const { level, counts } = traffic;
		const { seats, place, nowMs } = taken;
		level.done.dispatched++;
		counts.begins(seats);
		level.note(nowMs);
		return () => {
			const endMs = this.#clock.monotonicMs();
			counts.ends(seats, endMs - nowMs);
			level.queues.leave(seats, place, endMs - nowMs);
			level.note(endMs);
		};
	}

	#count({ done }: Level, why: Refusal): void {
		done.rejected++;
		if (why === "time-out") done.timedOut++;
		if (why === "cancelled") done.cancelled++;
	}

	#stored({ verb, resource }: RequestInfo) {
		if (resource === undefined || (verb !== "list" && verb !== "watch")) return undefined;
		const found = this.#kinds.resource(resource.group, resource.version, resource.plural);
		return found && this.#cache.resource(found.kind);
	}

	/** Follows the objects; costs two comparisons when they are the same. */
	#refresh(): void {
		const [schemas, levels] = [this.#schemaObjects, this.#levelObjects];
		if (schemas.changeCount === this.#schemaChanges && levels.changeCount === this.#levelChanges) return;
		this.#schemaChanges = schemas.changeCount;
		this.#levelChanges = levels.changeCount;
		this.#makeLevels([...levels.range(keyPrefix(priorityLevelConfigurations))].map(({ object }) => object));
		this.#makeClasses([...schemas.range(keyPrefix(flowSchemas))].map(({ object }) => object));
		this.#ofUsers = new WeakMap();
	}

	#makeLevels(objects: readonly PriorityLevelConfiguration[]): void {
		const all = withMandatory(objects, bootstrapPriorityLevels);
		const limits = limitsOf(
			all.map(({ spec }) => spec),
			this.#seats,
		);
		const before = this.#levels;
		this.#levels = new Map();
		for (const [index, object] of all.entries()) {
			const { name } = object.metadata;
			const level = before.get(name) ?? new Level(name, this.#clock, this.#seats);
			// There is one for each.
			level.configure(object, limits[index] as (typeof limits)[number]);
			this.#levels.set(name, level);
		}
	}

	/** Schemas of levels that are not there count for nothing. */
	#makeClasses(objects: readonly FlowSchema[]): void {
		const precedence = ({ spec }: FlowSchema) => spec.matchingPrecedence ?? 1000;
		const sorted = withMandatory(objects, bootstrapFlowSchemas).sort(
			(one, other) => precedence(one) - precedence(other) || (one.metadata.name < other.metadata.name ? -1 : 1),
		);
		this.#classes = sorted.flatMap(({ metadata: { name, uid }, spec }) => {
			const level = this.#levels.get(spec.priorityLevelConfiguration.name);
			if (level === undefined) return [];
			const counts = this.#metrics.of(level.name, name);
			const distinguisher = spec.distinguisherMethod?.type;
			return [{ name, uid, level, counts, distinguisher, rules: compileSchema({ spec }) }];
		});
	}

	/** Levels that need less lend to those that need more; ends when nobody needs anything. */
	#balance(): void {
		this.#timer = undefined;
		this.#refresh();
		const nowMs = this.#clock.monotonicMs();
		const { levels } = this;
		const isNeeded = levels.map(({ demand }) => demand.endPeriod(nowMs)).includes(true);
		if (isNeeded) this.#timer = this.#clock.after(balancePeriodMs, () => this.#balance());
		let seats = 0;
		const limited: Level[] = [];
		for (const level of levels) {
			seats += level.limits.nominal;
			if (level.isExempt) {
				level.setCurrent(Math.max(level.limits.least, level.demand.high));
				seats -= level.current;
			} else limited.push(level);
		}
		const kept = ({ limits, demand }: Level) => Math.max(limits.least, Math.min(limits.nominal, demand.high));
		const isEnough = limited.reduce((sum, level) => sum + kept(level), 0) <= seats;
		for (const level of limited)
			level.target = isNeeded ? Math.max(kept(level), level.demand.smoothed) : level.limits.nominal;
		const wishes = limited.map((level) => ({
			least: isEnough && isNeeded ? kept(level) : level.limits.least,
			most: level.limits.most,
			target: level.target,
		}));
		const currents = divided(wishes, seats);
		for (const [index, level] of limited.entries()) level.setCurrent(currents[index] ?? level.limits.nominal);
	}
}

function withMandatory<T extends { metadata: { name: string; uid: string } }>(
	objects: readonly T[],
	defaults: readonly { metadata: { name?: string } }[],
): T[] {
	const missing = mandatory.filter((name) => !objects.some(({ metadata }) => metadata.name === name));
	const imagined = missing.map((name) => {
		const draft = defaults.find(({ metadata }) => metadata.name === name);
		// It has all that is read of it.
		return { ...draft, metadata: { ...draft?.metadata, uid: "" } } as unknown as T;
	});
	return [...objects, ...imagined];
}

function patienceOf({ verb }: RequestInfo, query: URLSearchParams): number {
	const timeout = query.get("timeout");
	const wholeMs = timeout && verb !== "watch" ? parseDuration(timeout) : requestTimeoutMs;
	return Math.min((wholeMs > 0 ? wholeMs : requestTimeoutMs) * waitingPart, longestWaitMs);
}

function tooManyRequests(retryAfterSeconds: number): ApiError {
	return new ApiError("TooManyRequests", "Too many requests, please try again later.", { retryAfterSeconds });
}
