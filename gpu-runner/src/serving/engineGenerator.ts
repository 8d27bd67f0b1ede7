import { isOpenLedgerError } from '@openledger/kit';
import type { Engine } from '../engine/engineProcess.ts';
import type {
  Generated,
  GenerateOptions,
  GenerateRequest,
  Generator,
  ServedWeights,
  TokenLogprob,
} from './generator.ts';
import { LoadMemory } from './loadMemory.ts';
import { samplingFields } from './samplingFields.ts';

export type Verdict = {
  readonly agrees: boolean;
  readonly checked: number;
  readonly first_mismatch?: number;
  readonly worst_logit_gap_micros: number;
  readonly worst_cdf_gap_micros: number;
  readonly finish_ok: boolean;
  readonly prompt_sha256: string;
  readonly output_sha256: string;
};

/** An answer as somebody claims to have given it. */
export type Claim = { readonly outputTokenIds: readonly number[]; readonly finishReason: 'stop' | 'length' };

/** Codes that a request gets whose base or adapter the engine no longer knows, because it was restarted meanwhile. */
const forgotten: ReadonlySet<unknown> = new Set(['unknown_model', 'unknown_adapter']);

/** Our own engine: many adapters on one base in a batch. Adapters are registered with their first request. */
export class EngineGenerator implements Generator {
  readonly #engine: Engine;
  readonly #loaded = new LoadMemory();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async load({ base: folder, adapter }: ServedWeights): Promise<void> {
    await this.#target({ base: folder, ...(adapter ? { adapter } : {}) });
  }

  generate(weights: ServedWeights, request: GenerateRequest, options: GenerateOptions): Promise<Generated> {
    return this.#withTarget(weights, (target) =>
      this.#engine.request<Generated>(
        'generate',
        { ...target, ...engineParams(request) },
        {
          onEvent: ({ event, data }) => {
            if (event === 'token') options.onToken?.(String(data.text), data.logprobs as TokenLogprob[] | undefined);
          },
          ...(options.signal ? { signal: options.signal } : {}),
        },
      ),
    );
  }

  /** Whether the sampling rule could have given this answer to this request. @throws ENGINE_* */
  verify(weights: ServedWeights, request: GenerateRequest, claim: Claim, signal?: AbortSignal): Promise<Verdict> {
    const { logprobs: _, ...params } = engineParams(request);
    return this.#withTarget(weights, (target) =>
      this.#engine.request<Verdict>(
        'verify_output',
        { ...target, ...params, output_token_ids: claim.outputTokenIds, finish_reason: claim.finishReason },
        signal ? { signal } : {},
      ),
    );
  }

  async unload(adapterSha256: string): Promise<void> {
    this.#loaded.delete(`adapter:${adapterSha256}`);
    try {
      await this.#engine.request('unload_adapter', { adapter: adapterSha256 });
    } catch (error) {
      if (!isForgotten(error)) throw error;
    }
  }

  forget(): void {
    this.#loaded.clear();
  }

  /** An engine that was restarted between loading and asking is given everything again, once. */
  async #withTarget<T>(weights: ServedWeights, ask: (target: Record<string, unknown>) => Promise<T>): Promise<T> {
    try {
      return await ask(await this.#target(weights));
    } catch (error) {
      if (!isForgotten(error)) throw error;
      this.forget();
      return ask(await this.#target(weights));
    }
  }

  async #target({ base: folder, adapter }: ServedWeights): Promise<{ base: string; adapter?: string }> {
    const { base } = await this.#loaded.once(`base:${folder}`, () =>
      this.#engine.request<{ base: string }>('load_base', { model: folder }),
    );
    if (!adapter) return { base };
    await this.#loaded.once(`adapter:${adapter.sha256}`, () =>
      this.#engine.request('load_adapter', { adapter: adapter.sha256, path: adapter.folder, base }),
    );
    return { base, adapter: adapter.sha256 };
  }
}

const isForgotten = (error: unknown): boolean =>
  isOpenLedgerError(error, 'ENGINE_REFUSED') && forgotten.has((error as { meta: Record<string, unknown> }).meta.code);

const engineParams = (request: GenerateRequest) => ({
  ...(request.messages ? { messages: request.messages } : { prompt: request.prompt ?? '' }),
  ...samplingFields(request),
});
