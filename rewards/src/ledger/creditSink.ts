export const roles = ['owner', 'lineage', 'runner', 'contributors', 'stakers', 'platform', 'refund'] as const;
export type Role = (typeof roles)[number];

/** What a credit is for: an output of a page, or a settlement as a whole that no payable output belongs to. */
export type Receipt = {
  readonly batch: number;
  /** `SETTLEMENT_PAGE` for a settlement. */
  readonly page: number;
  /** The output on its page, or the settlement in its batch. */
  readonly output: number;
};

export const SETTLEMENT_PAGE = 0xff_ffff;

/** What a dispute about a receipt needs beside the batch itself; see RewardRecompute.sol. */
export type Witness = {
  /** The cluster that got the last left over wei of the contributors' part, by its place among the receipt's clusters. */
  readonly lastServed: number;
  /** The output of a training that the contributors were taken from. */
  readonly training: Receipt | undefined;
};

/** Takes the credits as they are made: receipts in ascending order, and between `begin` and `end` those of one receipt. */
export type CreditSink = {
  begin(receipt: Receipt): void;
  /** @param cluster the contribution that is paid for, 0 for other roles and where there is none */
  credit(account: number, role: Role, amount: bigint, cluster: number): void;
  end(): void;
  /** How the contributors' part of the running receipt was divided; left out by who doesn't ask. */
  witness?(witness: Witness): void;
};
