export const roles = ['owner', 'runner', 'contributors', 'stakers', 'platform', 'refund'] as const;
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

/** Takes the credits as they are made: receipts in ascending order, and between `begin` and `end` those of one receipt. */
export type CreditSink = {
  begin(receipt: Receipt): void;
  /** @param cluster the contribution that is paid for, 0 for other roles and where there is none */
  credit(account: number, role: Role, amount: bigint, cluster: number): void;
  end(): void;
};
