/** The way back to the client. */
export interface Reply {
	/** The whole answer in one write, which costs half of what two cost. */
	answer(status: number, headers: Record<string, string>, bytes?: Uint8Array): void;
	/** Begins an answer whose parts follow. */
	head(status: number, headers: Record<string, string>): void;
	/** False when the client should be waited for. */
	write(bytes: Uint8Array): boolean;
	/** Resolves when the client has caught up, or is gone. */
	drained(): Promise<void>;
	end(): void;
	/** Cuts the connection, or the stream. */
	destroy(): void;
	/** What the client has not taken yet. */
	bufferedBytes(): number;
}
