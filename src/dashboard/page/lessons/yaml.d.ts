/** The build parses YAML files. */
declare module "*.yaml" {
	const lesson: import("./lesson.ts").Lesson;
	export default lesson;
}
