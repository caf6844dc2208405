import { expect, it } from "vitest";
import { chooseSource } from "./choose-source.ts";

const usual = { source: "auto", pullPolicy: "IfNotPresent", stored: false, pinned: false, offer: "nothing" } as const;
const steps = (changes: Partial<Parameters<typeof chooseSource>[0]>) => chooseSource({ ...usual, ...changes }).steps;

it("runs what the store has, before anything else", () => {
	expect(steps({ stored: true, offer: "program" })).toEqual(["stored"]);
	expect(steps({ stored: true, source: "registry" })).toEqual(["stored"]);
	expect(steps({ stored: true, pullPolicy: "Never" })).toEqual(["stored"]);
});

it("runs a real program of the machine, unless a digest is pinned", () => {
	expect(steps({ offer: "program" })).toEqual(["machine"]);
	expect(steps({ offer: "program", pinned: true })).toEqual(["pull"]);
	expect(steps({ offer: "program", source: "registry" })).toEqual(["pull"]);
});

it("pulls before something stands in for the image", () => {
	expect(steps({ offer: "stand-in" })).toEqual(["pull", "machine"]);
	expect(steps({ offer: "stand-in", pinned: true })).toEqual(["pull"]);
	expect(steps({})).toEqual(["pull"]);
});

it("asks the registry for images that are always pulled, and runs the stored one if it cannot be reached", () => {
	expect(steps({ stored: true, pullPolicy: "Always" })).toEqual(["pull", "stored"]);
	expect(steps({ stored: true, pullPolicy: "Always", source: "registry" })).toEqual(["pull"]);
	expect(steps({ stored: true, pullPolicy: "Always", pinned: true })).toEqual(["stored"]);
});

it("pulls nothing for the policy Never, and nothing at all where the machine is the image", () => {
	expect(steps({ pullPolicy: "Never" })).toEqual([]);
	expect(steps({ pullPolicy: "Never", offer: "stand-in" })).toEqual(["machine"]);
	expect(steps({ pullPolicy: "Never", offer: "stand-in", source: "registry" })).toEqual([]);
	expect(steps({ source: "machine", stored: true, pullPolicy: "Always" })).toEqual(["machine"]);
});
