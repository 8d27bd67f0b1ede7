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
import { generationFields, samplingFields } from './samplingFields.ts';

export type Verdict = {
  readonly agrees: boolean;
  readonly checked: number;
  readonly first_mismatch?: number;
  readonly worst_logit_gap_micros: number;
  readonly worst_cdf_gap_micros: number;
  readonly finish_ok: boolean;
  readonly prompt_tokens: number;
  readonly text: string;
  readonly prompt_sha256: string;
  readonly output_sha256: string;
};

/** What our engine answers to `load_base`, as far as it is used here. */
type LoadedBase = { base: string; numerics: string; context_length: number };

/** An answer as somebody claims to have given it, and how far its logits may be from those computed here, in millionths. */
export type Claim = {
  readonly outputTokenIds: readonly number[];
  readonly finishReason: 'stop' | 'length';
  /** Of the one who gave it; this machine's when absent. */
  readonly contextLength?: number;
  readonly toleranceMicros: number;
};

/** Codes that a request gets whose base or adapter the engine no longer knows, because it was restarted meanwhile. */
const forgotten: ReadonlySet<unknown> = new Set(['unknown_model', 'unknown_adapter']);

/** The rule by which our engine chooses tokens, as generation records name it (docs/serving.md). */
export const OUR_SAMPLER = 'openledger-0';

type Target = { base: string; adapter?: string };

/** Our own engine: many adapters on one base in a batch. Adapters are registered with their first request. */
export class EngineGenerator implements Generator {
  readonly #engine: Engine;
  readonly #loaded = new LoadMemory();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async load({ base: folder, adapter }: ServedWeights): Promise<void> {
    await this.#target(await this.#base(folder), adapter);
  }

  generate(weights: ServedWeights, request: GenerateRequest, options: GenerateOptions): Promise<Generated> {
    return this.#withTarget(weights, async (target, { numerics, context_length }) => {
      const generated = await this.#engine.request<Omit<Generated, 'how'>>(
        'generate',
        { ...target, ...promptFields(request), ...generationFields(request) },
        {
          onEvent: ({ event, data }) => {
            if (event === 'token') options.onToken?.(String(data.text), data.logprobs as TokenLogprob[] | undefined);
          },
          ...(options.signal ? { signal: options.signal } : {}),
        },
      );
      return { ...generated, how: { sampler: OUR_SAMPLER, numerics, context_length } };
    });
  }

  /** Kind of device and precision that a model's logits are computed in here, such as `cpu-float32`. @throws ENGINE_* */
  async numerics(weights: ServedWeights): Promise<string> {
    return this.#withTarget(weights, async (_target, { numerics }) => numerics);
  }

  /** Whether the sampling rule could have given this answer to this request. @throws ENGINE_* */
  verify(weights: ServedWeights, request: GenerateRequest, claim: Claim, signal?: AbortSignal): Promise<Verdict> {
    return this.#withTarget(weights, (target) =>
      this.#engine.request<Verdict>(
        'verify_output',
        {
          ...target,
          ...promptFields(request),
          ...samplingFields(request),
          output_token_ids: claim.outputTokenIds,
          finish_reason: claim.finishReason,
          ...(claim.contextLength === undefined ? {} : { context_length: claim.contextLength }),
          tolerance_micros: claim.toleranceMicros,
        },
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
  async #withTarget<T>(weights: ServedWeights, ask: (target: Target, base: LoadedBase) => Promise<T>): Promise<T> {
    const attempt = async () => {
      const base = await this.#base(weights.base);
      return ask(await this.#target(base, weights.adapter), base);
    };
    try {
      return await attempt();
    } catch (error) {
      if (!isForgotten(error)) throw error;
      this.forget();
      return attempt();
    }
  }

  #base(folder: string): Promise<LoadedBase> {
    return this.#loaded.once(`base:${folder}`, () => this.#engine.request<LoadedBase>('load_base', { model: folder }));
  }

  async #target({ base }: LoadedBase, adapter: ServedWeights['adapter']): Promise<Target> {
    if (!adapter) return { base };
    await this.#loaded.once(`adapter:${adapter.sha256}`, () =>
      this.#engine.request('load_adapter', { adapter: adapter.sha256, path: adapter.folder, base }),
    );
    return { base, adapter: adapter.sha256 };
  }
}

const isForgotten = (error: unknown): boolean =>
  isOpenLedgerError(error, 'ENGINE_REFUSED') && forgotten.has((error as { meta: Record<string, unknown> }).meta.code);

const promptFields = ({ prompt, messages }: GenerateRequest) => (messages ? { messages } : { prompt: prompt ?? '' });
