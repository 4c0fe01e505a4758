export {
  Document,
  type Documents,
  type Issue,
  type ObjectValue,
  readDocuments,
  type SourceFile
} from "./documents.ts"
export {
  type Complaint,
  describe,
  InputError,
  makeProblem,
  type Path,
  type Place,
  type Problem,
  problemsToJson,
  quote,
  renderPath,
  renderProblem,
  renderProblems,
  sortProblems
} from "./problem.ts"
export type { Scalar } from "./scalar.ts"
export {
  loadDocuments,
  readSources,
  type SourceOptions,
  type Sources,
  sourcesFrom,
  STDIN_NAME
} from "./sources.ts"
export type { Value } from "./tree.ts"
