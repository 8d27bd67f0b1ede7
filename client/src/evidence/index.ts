export type { ContributionText } from './corpus.ts';
export {
  type Attribution,
  type EvidenceRow,
  type EvidenceSpan,
  recomputeAttribution,
} from './recomputeAttribution.ts';
export { textOfFile } from './textOfFile.ts';
