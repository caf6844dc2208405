/** The time of a cluster: the machine's, or virtual time that continues where the last server stopped. */
import { type Clock, systemClock } from "../../core/time/clock.ts";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import type { ClockCommand, ClockStatus } from "../control/control-protocol.ts";
import type { Settings } from "../settings/settings.ts";
import { TurnableClock } from "../time/turnable-clock.ts";

export class ServerTime {
	readonly clock: Clock;
	readonly #turnable: TurnableClock | undefined;
	readonly #settings: Settings;
	readonly #save: () => void;

	/** @param save writes the settings, which contain the virtual time */
	constructor(settings: Settings, save: () => void) {
		this.#settings = settings;
		this.#save = save;
		if (settings.clock === "virtual") {
			const startMs = settings.virtualTime?.nowMs ?? systemClock().now();
			// Nothing could start while time is stopped: it is stopped again when everything is running.
			this.#turnable = new TurnableClock({ clock: new VirtualClock({ startMs }), rate: 1 });
		}
		this.clock = this.#turnable?.clock ?? systemClock();
	}

	/** Undefined for the machine's clock. */
	get virtual(): VirtualClock | undefined {
		return this.#turnable?.clock;
	}

	get status(): ClockStatus {
		return { kind: this.#settings.clock, nowMs: this.clock.now(), rate: this.#turnable?.rate };
	}

	/** Called after the start: time advances, or is stopped, as set by the last server. */
	resume(): void {
		if (this.#settings.virtualTime !== undefined) this.#turnable?.run(this.#settings.virtualTime.rate);
	}

	/** @throws Error for changes to the machine's clock */
	async turn(command: ClockCommand): Promise<ClockStatus> {
		if (command.do !== "show") {
			if (this.#turnable === undefined)
				throw new Error(
					"this cluster runs on the machine's clock; 'cox up --runtime simulated --clock virtual' makes one that can be turned",
				);
			if (command.do === "stop") this.#turnable.run(0);
			else if (command.do === "run") this.#turnable.run(command.rate);
			else {
				if (command.thenStand) this.#turnable.run(0);
				await this.#turnable.advance(command.durationMs);
			}
			this.keep();
		}
		return this.status;
	}

	/** For the next start of this cluster, which continues from here. */
	keep(): void {
		if (this.#turnable === undefined) return;
		this.#settings.virtualTime = { nowMs: this.clock.now(), rate: this.#turnable.rate };
		this.#save();
	}

	stop(): void {
		this.#turnable?.stop();
	}
}
