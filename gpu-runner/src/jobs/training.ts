/** Training as work: everything that a machine needs to know to do it, and what it gives back. Nothing of a chain or a key. */

/** An adapter's files by their sha256: PEFT's two, and the record of the run that made it. */
export type AdapterFiles = { readonly weights: string; readonly config: string; readonly record: string };

/** Names of the files in an adapter's folder. */
export const adapterFileNames = {
  weights: 'adapter_model.safetensors',
  config: 'adapter_config.json',
  record: 'record.json',
} as const;

export type TrainingWork = {
  /** The same id is the same work: it names the folder of its checkpoints. */
  readonly id: string;
  /** sha256 of the base's weights. */
  readonly base: string;
  readonly parent?: AdapterFiles;
  readonly files: readonly { readonly contributionId: string; readonly sha256: string; readonly format: string }[];
  readonly params: Readonly<Record<string, unknown>>;
};

/** `loss`: micro-nats a predicted token; `error`: millionths of wrong answers. The difference is model minus base, with 95% confidence. */
export type Evaluation = {
  readonly suite: string;
  readonly metric: 'loss' | 'error';
  readonly base_micros: number;
  readonly model_micros: number;
  readonly count: number;
  readonly difference_low_micros: number;
  readonly difference_high_micros: number;
  readonly regressed: boolean;
};

/** How far each contribution moved the adapter towards held-out text, and how much of the pay it weighs: docs/spec/influence-0.md. */
export type MeasuredInfluence = {
  /** Part of the pay that goes by evidence alone, below 10,000. */
  readonly lambda_bps: number;
  /** Names the prior; hex without 0x. */
  readonly root: string;
  readonly prior: readonly { readonly contribution_id: string; readonly weight: number }[];
};

/** What the engine's `train` answers; docs/spec/engine-protocol.md. */
export type TrainResult = {
  readonly weights_sha256: string;
  readonly config_sha256: string;
  readonly steps: number;
  readonly train_tokens: number;
  readonly loss_curve: readonly { step: number; loss: number }[];
  readonly validation_curve: readonly { step: number; loss: number }[];
  readonly tokens_by_contribution: Readonly<Record<string, number>>;
  readonly evaluations: readonly Evaluation[];
  readonly warnings: readonly { code: string; message: string; parameter?: string }[];
  readonly dataset_root: string;
  /** Only of a run with `influence_lambda_bps` below 10,000. */
  readonly influence?: MeasuredInfluence;
  readonly seconds: number;
};

export type TrainingOutcome = { readonly result: TrainResult; readonly adapter: AdapterFiles };

/** `event` is the engine's: `progress`, `validation`, `warning`, `log`. */
export type TrainingEvent = { readonly event: string; readonly data: Record<string, unknown> };

export type TrainingOptions = {
  /** The training is called off. */
  readonly signal?: AbortSignal;
  /** This process ends; the training is still wanted. */
  readonly leaving?: AbortSignal;
  onEvent(event: TrainingEvent): void;
};

/** Does the work here or elsewhere. After it, the adapter's files are in the content store of whoever asked. */
export type Trainer = (work: TrainingWork, options: TrainingOptions) => Promise<TrainingOutcome>;
