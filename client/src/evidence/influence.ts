import { sha256, stringToBytes } from 'viem';
import { compareIds } from './corpus.ts';
import { type EvidenceRow, rowsOf } from './rows.ts';

/** What `influence` gave for an adapter: contribution id -> 0 to 65535. */
export type InfluencePrior = ReadonlyMap<string, number>;

/** How influence weighs the evidence in an adapter's answers, as its training committed to it. */
export type Influence = {
  readonly lambdaBps: number;
  /** `priorRoot` of the prior. */
  readonly root: string;
  readonly prior: InfluencePrior;
};

/** A longer report says nothing about influence: nobody has to read it into memory to find out who is paid. */
export const MAX_REPORT_BYTES = 64 * 1024 * 1024;

const HIGHEST = 65535n;
const WHOLE_BPS = 10_000;

/**
 * What the report of a training says about influence: docs/spec/influence-0.md, section 3. The report's sha256 is the `reportHash` of
 * the evaluations that the training was committed with. Undefined where it says nothing well-formed: then evidence alone pays.
 */
export const influenceOfReport = (report: Uint8Array): Influence | undefined => {
  if (report.length > MAX_REPORT_BYTES) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(report));
  } catch {
    return undefined;
  }
  const said = fieldsOf(fieldsOf(json).influence);
  const { lambda_bps: lambdaBps, root } = said;
  if (!isInteger(lambdaBps, WHOLE_BPS - 1) || !Array.isArray(said.prior)) return undefined;
  const prior = new Map<string, number>();
  for (const { contribution_id: id, weight } of said.prior.map(fieldsOf)) {
    if (typeof id !== 'string' || !/^[1-9]\d{0,77}$/.test(id) || prior.has(id)) return undefined;
    if (!isInteger(weight, Number(HIGHEST))) return undefined;
    prior.set(id, weight);
  }
  const found = priorRoot(prior);
  return root === found ? { lambdaBps, root: found, prior } : undefined;
};

const fieldsOf = (json: unknown): Record<string, unknown> =>
  typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {};

const isInteger = (value: unknown, most: number): value is number =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;

const checked = (prior: InfluencePrior): [string, number][] => {
  for (const [id, weight] of prior) {
    if (!isInteger(weight, Number(HIGHEST))) throw new RangeError(`prior ${weight} of ${id}`);
  }
  return [...prior];
};

/** What names a prior; recorded with the training. Hex without 0x. @throws RangeError when a weight is none */
export const priorRoot = (prior: InfluencePrior): string => {
  const lines = checked(prior)
    .sort(([a], [b]) => compareIds(a, b))
    .map(([id, weight]) => `${id} ${weight}\n`);
  return sha256(stringToBytes(`openledger influence-0 prior\n${lines.join('')}`)).slice(2);
};

/**
 * Rows of evidence-0 times (lambda + (1 - lambda) * prior): docs/spec/influence-0.md. A contribution without a prior has 0.
 *
 * @param lambdaBps 10,000 leaves the evidence as it is; 0 lets the prior decide what is left of it
 * @throws RangeError when a weight or lambdaBps is out of its range
 */
export const weightByInfluence = (
  rows: readonly EvidenceRow[],
  prior: InfluencePrior,
  lambdaBps: number,
): EvidenceRow[] => {
  if (!isInteger(lambdaBps, WHOLE_BPS)) throw new RangeError(`lambda ${lambdaBps}`);
  const weights = new Map(checked(prior));
  const factor = (id: string) =>
    BigInt(lambdaBps) * HIGHEST + BigInt(WHOLE_BPS - lambdaBps) * BigInt(weights.get(id) ?? 0);
  return rowsOf(
    rows.map(({ contributionId, weight }) => ({ id: contributionId, score: weight * factor(contributionId) })),
  );
};
