import type { Address, Hex } from 'viem';

/** What the chain records of each thing that a runner deals with; ids as on chain, money in wei. */

export type Contribution = {
  readonly id: bigint;
  readonly datanetId: bigint;
  readonly contributor: Address;
  readonly contentHash: Hex;
  readonly format: number;
  readonly fileName: string;
  status: 'pending' | 'accepted' | 'rejected';
  leafIndex: number;
};

export type Model = {
  readonly id: bigint;
  readonly parentId: bigint;
  readonly weightsHash: Hex;
  /** Of the record of its training; 0 for a base. */
  readonly configHash: Hex;
  readonly name: string;
  readonly uri: string;
  readonly datanetId: bigint;
  readonly datanetVersion: number;
  /** sha256 of the report that its training was committed with; 0 for a base. */
  reportHash: Hex;
  owner: Address;
  deployed: boolean;
  inputPrice: bigint;
  outputPrice: bigint;
};

export type Job = {
  readonly id: bigint;
  readonly requester: Address;
  readonly modelId: bigint;
  readonly datanetId: bigint;
  readonly datanetVersion: number;
  readonly fee: bigint;
  readonly deadline: bigint;
  readonly params: string;
  status: 'requested' | 'claimed' | 'committed' | 'refunded';
  attempt: number;
  runner: Address | undefined;
  leaseUntil: bigint;
  adapterId: bigint;
};

export type Channel = {
  readonly id: bigint;
  readonly payer: Address;
  readonly runner: Address;
  deposit: bigint;
  settled: bigint;
  closing: boolean;
  closed: boolean;
};

/** One call that was paid into escrow, for a runner that its payer named. */
export type InferenceJob = {
  readonly id: bigint;
  readonly payer: Address;
  readonly runner: Address;
  readonly modelId: bigint;
  /** Wei. */
  readonly escrow: bigint;
  /** sha256 of the request's body. */
  readonly requestHash: Hex;
  readonly maxTokens: number;
  /** Unix seconds. */
  readonly deadline: bigint;
  status: 'requested' | 'settled' | 'refunded';
};

/** Micro-nats a token, or millionths of wrong answers in a suite called `task:...`. */
export type Evaluated = {
  readonly suite: Hex;
  readonly reportHash: Hex;
  readonly baseLossMicros: bigint;
  readonly modelLossMicros: bigint;
};
