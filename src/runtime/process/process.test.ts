import { nodeServer, runtimeContract } from "../contract/contract.ts";
import { processFixture } from "./testing.ts";

runtimeContract("process", {
	...(process.getuid?.() === 0 ? {} : { noPrograms: "needs root here; see rootless.test.ts" }),
	server: nodeServer,
	open: () => processFixture(),
});
