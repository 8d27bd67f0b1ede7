/** What one dispute can recompute in a transaction; the same constants stand in the contracts. */
export const limits = {
  /** Bytes of a page's body. Longer pages are recorded, but not paid for. */
  paidBody: 6_144,
  /** Rows of an output. One with more is refunded. */
  paidRows: 512,
  /** Basis points of an output's contributors' part that one cluster gets at most while others have evidence too. */
  contributorCap: 8_000n,
  /** Basis points of the owner's part that go to the owner of what the model was trained on. */
  parentShare: 2_000n,
  /** Generations that share in what a model earns. */
  line: 8,
} as const;

export const BASIS_POINTS = 10_000n;
