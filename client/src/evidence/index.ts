export type { ContributionText } from './corpus.ts';
export {
  type Influence,
  type InfluencePrior,
  influenceOfReport,
  MAX_REPORT_BYTES,
  priorRoot,
  weightByInfluence,
} from './influence.ts';
export {
  type Attribution,
  type EvidenceSpan,
  recomputeAttribution,
} from './recomputeAttribution.ts';
export { type Passage, type Retrieval, recomputeRetrieval } from './recomputeRetrieval.ts';
export type { EvidenceRow } from './rows.ts';
export { textOfFile } from './textOfFile.ts';
