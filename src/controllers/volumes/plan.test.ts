import { planCases } from "../testing/cases.ts";
import { volumeBinder } from "./binder.ts";

planCases(volumeBinder, new URL("./testdata/", import.meta.url));
