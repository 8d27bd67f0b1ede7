import { randomInt } from 'node:crypto';
import { batchSourceKinds, outputIdOf } from '@openledger/contracts';
import { describeError, type Logger } from '@openledger/kit';
import type { Hex } from 'viem';
import type { Model, RunnerView } from '../chain/runnerView.ts';
import type { Engine } from '../engine/engineProcess.ts';
import { runnerError } from '../errors.ts';
import { formatName } from '../jobs/formats.ts';
import type { RunnerDatabase } from '../queue/database.ts';
import type { ContentStore } from '../store/contentStore.ts';
import type { ModelLocator } from '../store/modelLocator.ts';
import { type OutputRecord, saveOutput } from './outputs.ts';
import { type Payments, priceOf } from './payments.ts';

export type GenerateRequest = {
  readonly model: string;
  readonly prompt?: string;
  readonly messages?: readonly { role: string; content: string }[];
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topP: number;
  readonly seed: number;
  readonly stop: readonly string[];
};

type Generated = {
  text: string;
  finish_reason: 'stop' | 'length';
  prompt_tokens: number;
  completion_tokens: number;
  prompt_sha256: string;
  output_sha256: string;
};

type AttributionRow = { contribution_id: string; weight: number | bigint };

export type Completion = {
  readonly model: Model;
  readonly generated: Generated;
  readonly record: OutputRecord;
};

export type InferenceModules = {
  view: RunnerView;
  store: ContentStore;
  models: ModelLocator;
  engine: Engine;
  payments: Payments;
  database: RunnerDatabase;
  indexDir: string;
  log: Logger;
};

/** Serves one request: payment, generation, attribution, record. The record is on disk before the answer ends. */
export class Inference {
  readonly #modules: InferenceModules;
  readonly #loaded = new Map<string, Promise<unknown>>();

  constructor(modules: InferenceModules) {
    this.#modules = modules;
  }

  /** Deployed models whose weights are here; by name, or by id as `model-<id>` when a name is taken twice. */
  served(): Model[] {
    const { view, models } = this.#modules;
    return [...view.models.values()].filter((model) => model.deployed && models.locate(view, model.id) !== undefined);
  }

  /** @throws MODEL_UNKNOWN */
  find(name: string): Model {
    const served = this.served();
    const byId = served.find((model) => `model-${model.id}` === name);
    const byName = served.filter((model) => model.name === name);
    const found = byId ?? (byName.length === 1 ? byName[0] : undefined);
    if (found) return found;
    throw runnerError(
      'MODEL_UNKNOWN',
      byName.length > 1
        ? `several models are called "${name}"; use ${byName.map((model) => `model-${model.id}`).join(' or ')}`
        : `the model "${name}" does not exist`,
    );
  }

  async complete(
    request: GenerateRequest,
    options: { payment: string | undefined; onToken?: (text: string) => void; signal?: AbortSignal },
  ): Promise<Completion> {
    const { payments } = this.#modules;
    const model = this.find(request.model);
    const promptText = request.prompt ?? (request.messages ?? []).map(({ content }) => content).join('\n');
    // A byte-level tokenizer never makes more tokens than bytes; the chat template adds some per message.
    const promptBound = Buffer.byteLength(promptText) + 16 * ((request.messages?.length ?? 0) + 1);
    const maxCost = priceOf(model, promptBound, request.maxTokens);
    const hold = await payments.reserve(options.payment, maxCost);
    try {
      const generated = await this.#generate(model, request, options);
      const rows = await this.#attribute(model, promptText, generated.text);
      const cost = priceOf(model, generated.prompt_tokens, generated.completion_tokens);
      const promptHash: Hex = `0x${generated.prompt_sha256}`;
      const outputHash: Hex = `0x${generated.output_sha256}`;
      const nonce = BigInt(randomInt(2 ** 48 - 1));
      const record: OutputRecord = {
        outputId: outputIdOf({
          modelId: model.id,
          sourceKind: batchSourceKinds.channel,
          sourceId: hold.channelId,
          promptHash,
          outputHash,
          nonce,
        }),
        modelId: model.id.toString(),
        nonce: nonce.toString(),
        channelId: hold.channelId.toString(),
        promptHash,
        outputHash,
        promptTokens: generated.prompt_tokens,
        outputTokens: generated.completion_tokens,
        cost: cost.toString(),
        rows: rows.map((row) => ({ contributionId: row.contribution_id, weight: row.weight.toString() })),
      };
      await saveOutput(this.#modules.database, record);
      hold.release(cost);
      return { model, generated, record };
    } finally {
      hold.release();
    }
  }

  /** Loads base, adapter and index of a model ahead of its first request. */
  async warmUp(model: Model): Promise<void> {
    await this.#load(model);
    await this.#index(model);
  }

  async #generate(
    model: Model,
    request: GenerateRequest,
    options: { onToken?: (text: string) => void; signal?: AbortSignal },
  ): Promise<Generated> {
    const { engine } = this.#modules;
    const target = await this.#load(model);
    return engine.request<Generated>(
      'generate',
      {
        ...target,
        ...(request.messages ? { messages: request.messages } : { prompt: request.prompt ?? '' }),
        max_tokens: request.maxTokens,
        temperature: request.temperature,
        top_p: request.topP,
        seed: request.seed,
        stop: request.stop,
      },
      {
        onEvent: ({ event, data }) => event === 'token' && options.onToken?.(String(data.text)),
        ...(options.signal ? { signal: options.signal } : {}),
      },
    );
  }

  async #load(model: Model): Promise<{ base: string; adapter?: string }> {
    const { view, models, engine } = this.#modules;
    const location = models.locate(view, model.id);
    if (!location) throw runnerError('MODEL_UNKNOWN', `the weights of model ${model.id} are not on this runner`);
    const { base } = await this.#once(`base:${location.base}`, () =>
      engine.request<{ base: string }>('load_base', { model: location.base }),
    );
    if (!location.adapter) return { base };
    const adapter = model.weightsHash.slice(2);
    await this.#once(`adapter:${adapter}`, () =>
      engine.request('load_adapter', { adapter, path: location.adapter, base }),
    );
    return { base, adapter };
  }

  /** The evidence index of the data that the model was trained on; base models have none. */
  async #index(model: Model): Promise<string | undefined> {
    const { view, store, models, engine, indexDir } = this.#modules;
    if (model.datanetId === 0n) return undefined;
    const files = view.versionFiles(model.datanetId, model.datanetVersion);
    const location = models.locate(view, model.id);
    if (files.length === 0 || !location) return undefined;
    const index = `${indexDir}/${model.datanetId}-${model.datanetVersion}`;
    await this.#once(`index:${index}`, () =>
      engine.request('index_corpus', {
        index,
        base: location.base,
        files: files.map((file) => ({
          contribution_id: file.id.toString(),
          path: store.path(file.contentHash.slice(2)),
          format: formatName(file.format),
        })),
      }),
    );
    return index;
  }

  async #attribute(model: Model, promptText: string, outputText: string): Promise<AttributionRow[]> {
    const index = await this.#index(model);
    if (!index || outputText === '') return [];
    const { rows } = await this.#modules.engine.request<{ rows: AttributionRow[] }>('attribute', {
      index,
      prompt_text: promptText,
      output_text: outputText,
    });
    return rows
      .filter((row) => row.weight > 0)
      .sort((a, b) => (BigInt(a.contribution_id) < BigInt(b.contribution_id) ? -1 : 1));
  }

  /** Remembers successful loads only; the engine forgets all of them when it restarts, so failures clear the memory. */
  #once<T>(key: string, load: () => Promise<T>): Promise<T> {
    const known = this.#loaded.get(key) as Promise<T> | undefined;
    if (known) return known;
    const loading = load().catch((error) => {
      this.#modules.log.warn({ key, reason: describeError(error) }, 'load failed');
      this.#loaded.clear();
      throw error;
    });
    this.#loaded.set(key, loading);
    return loading;
  }

  /** The engine was restarted: nothing is loaded any more. */
  forgetLoaded(): void {
    this.#loaded.clear();
  }
}
