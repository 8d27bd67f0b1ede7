import type { ContributionTable } from './contributionTable.ts';

/** Clusters in the order in which the rows name them first; weights as bigint, for the division that follows. */
export type Clusters = { readonly keys: number[]; readonly weights: bigint[] };

/**
 * Groups rows by the cluster of their contribution. A cluster weighs as much as its heaviest row: a copy adds nothing. Rows of
 * what is not accepted don't count.
 */
export const clustersOf = (
  contributions: ContributionTable,
  ids: ArrayLike<number>,
  weights: ArrayLike<number>,
  from: number,
  to: number,
): Clusters => {
  const keys: number[] = [];
  const heaviest: number[] = [];
  // Rows ascend by id, so a row that is its cluster's first is new; only near duplicates have to be looked for.
  let places: Map<number, number> | undefined;
  for (let row = from; row < to; row++) {
    const id = ids[row] as number;
    const cluster = contributions.cluster(id);
    if (cluster === 0) continue;
    const weight = weights[row] as number;
    if (cluster !== id && !places) places = new Map(keys.map((key, index) => [key, index]));
    const place = places?.get(cluster);
    if (place === undefined) {
      places?.set(cluster, keys.length);
      keys.push(cluster);
      heaviest.push(weight);
    } else if (weight > (heaviest[place] as number)) heaviest[place] = weight;
  }
  return { keys, weights: heaviest.map(BigInt) };
};
