import type { RunnerView } from '../chain/runnerView.ts';
import type { Engine } from '../engine/engineProcess.ts';
import { runnerError } from '../errors.ts';
import { type ContentStore, sha256Of } from '../store/contentStore.ts';
import type { ModelLocator } from '../store/modelLocator.ts';
import { engineFiles } from './engineFiles.ts';

export type EstimateRequest = {
  readonly modelId: bigint;
  readonly datanetId: bigint;
  readonly datanetVersion: number;
  readonly params: Readonly<Record<string, unknown>>;
};

/** The engine's `estimate`, docs/spec/engine-protocol.md, and what the runner would ask for the time. */
export type Estimate = Readonly<Record<string, unknown>> & { readonly seconds: number };

/** Distinct requests whose answers are remembered: who moves a slider back and forth asks the same again. */
const REMEMBERED = 200;

/** What a training would take, before anybody pays for it. One at a time: each is measured on the machine that would train. */
export class TrainingEstimates {
  readonly #modules: { view: RunnerView; store: ContentStore; models: ModelLocator; engine: Engine };
  /** Wei a second of training. */
  readonly #price: bigint;
  readonly #known = new Map<string, unknown>();
  #busy = false;

  constructor(
    modules: { view: RunnerView; store: ContentStore; models: ModelLocator; engine: Engine },
    priceWeiPerSecond: bigint,
  ) {
    this.#modules = modules;
    this.#price = priceWeiPerSecond;
  }

  /** The one table of what can be set, with defaults, ranges and explanations: for forms and for programs. */
  async parameters(): Promise<unknown> {
    const { train_params } = await this.#modules.engine.request<{ train_params: unknown }>('hello', {});
    return train_params;
  }

  /** @throws MODEL_UNKNOWN, FILE_UNKNOWN, TOO_MANY_REQUESTS, ENGINE_REFUSED */
  async estimate(request: EstimateRequest): Promise<unknown> {
    const { view, store, models, engine } = this.#modules;
    const { modelId, datanetId, datanetVersion, params } = request;
    const location = models.locate(view, modelId);
    if (!location) throw runnerError('MODEL_UNKNOWN', `model ${modelId} is not on this runner`);
    const files = view.versionFiles(datanetId, datanetVersion);
    if (files.length === 0) throw runnerError('FILE_UNKNOWN', 'the datanet version is unknown or has no files');
    for (const { contentHash } of files) await store.ensure(contentHash.slice(2));
    const key = sha256Of(Buffer.from(JSON.stringify([`${modelId}`, `${datanetId}`, datanetVersion, params])));
    if (this.#known.has(key)) return this.#known.get(key);
    if (this.#busy) throw runnerError('TOO_MANY_REQUESTS', 'another estimate is being made', { retryAfter: 2 });
    this.#busy = true;
    try {
      const estimate = await engine.request<Estimate>('estimate', {
        base: location.base,
        ...(location.adapter ? { parent_adapter: location.adapter } : {}),
        files: engineFiles(files, store),
        params,
      });
      const fee = this.#price * BigInt(Math.ceil(estimate.seconds));
      const answer = { ...estimate, suggested_fee: fee.toString() };
      if (this.#known.size >= REMEMBERED) this.#known.delete([...this.#known.keys()][0] ?? '');
      this.#known.set(key, answer);
      return answer;
    } finally {
      this.#busy = false;
    }
  }
}
