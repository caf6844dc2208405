/** Styles that the build bundles. */
declare module "*.css";

/** The build parses YAML files. */
declare module "*.yaml" {
	const lesson: import("./lessons/lesson.ts").Lesson;
	export default lesson;
}
