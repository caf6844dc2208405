/** The way back to the client. */
export interface Reply {
	head(status: number, headers: Record<string, string>): void;
	/** False when the client should be waited for. */
	write(bytes: Uint8Array): boolean;
	/** Resolves when the client has caught up, or is gone. */
	drained(): Promise<void>;
	end(bytes?: Uint8Array): void;
	/** Cuts the connection, or the stream. */
	destroy(): void;
	/** What the client has not taken yet. */
	readonly bufferedBytes: number;
}
