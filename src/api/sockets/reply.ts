/** The response to a client. */
export interface Reply {
	/** The whole response in one write, which costs half as much as two. */
	answer(status: number, headers: Record<string, string>, bytes?: Uint8Array): void;
	/** Starts a response whose parts follow. */
	head(status: number, headers: Record<string, string>): void;
	/** False if the client should be waited for. */
	write(bytes: Uint8Array): boolean;
	/** Resolves when the client has caught up or disconnected. */
	drained(): Promise<void>;
	end(): void;
	/** Cuts the connection, or the stream. */
	destroy(): void;
	/** The number of bytes that the client has not read yet. */
	bufferedBytes(): number;
}
