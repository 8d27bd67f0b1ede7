import { type GenerationRecord, generationHash, type SignedReceipt, signReceipt } from '@openledger/client';
import { outputIdOf } from '@openledger/contracts';
import type { Logger } from '@openledger/kit';
import type { Account, Address, Hex } from 'viem';
import { transcriptOf } from '../audit/transcript.ts';
import type { Model, RunnerView } from '../chain/runnerView.ts';
import type { Engine } from '../engine/engineProcess.ts';
import { runnerError } from '../errors.ts';
import type { RunnerDatabase } from '../queue/database.ts';
import type { Generated, GenerateOptions, GenerateRequest, Generator, ServedWeights } from '../serving/generator.ts';
import { samplingFields } from '../serving/samplingFields.ts';
import type { ContentStore } from '../store/contentStore.ts';
import type { ModelLocator } from '../store/modelLocator.ts';
import type { ApiKeys } from './apiKeys.ts';
import { Attribution, contextBound, type PaidRequest, promptOf } from './attribution.ts';
import type { Credential } from './credential.ts';
import { LocalAdapters } from './localAdapters.ts';
import { type OutputRecord, saveOutput } from './outputs.ts';
import type { Hold, Payments } from './payments.ts';
import { priceOf } from './priceOf.ts';

export type Completion = {
  readonly model: Model;
  readonly generated: Generated;
  readonly generation: GenerationRecord;
  readonly record: OutputRecord;
  readonly receipt: SignedReceipt;
  readonly payer: Address;
  readonly runner: Address;
};

export type CallOptions = GenerateOptions & {
  credential: Credential;
  /** sha256 of the request's body. */
  bodyHash: Hex;
};

export type InferenceModules = {
  view: RunnerView;
  store: ContentStore;
  models: ModelLocator;
  /** Attributes answers. */
  engine: Engine;
  /** Gives answers. */
  generator: Generator;
  payments: Payments;
  apiKeys: ApiKeys;
  /** Signs the receipts. */
  account: Account;
  chainId: number;
  database: RunnerDatabase;
  indexDir: string;
  log: Logger;
};

/** Serves one request: payment, generation, attribution, record. The record is on disk before the answer ends. */
export class Inference {
  readonly #modules: InferenceModules;
  readonly #attribution: Attribution;
  /** What the operator loaded by hand. */
  readonly local: LocalAdapters;

  constructor(modules: InferenceModules) {
    this.#modules = modules;
    this.#attribution = new Attribution(modules);
    const { models, generator } = modules;
    this.local = new LocalAdapters({ models, generator, isServed: (name) => this.#isServed(name) });
  }

  get attribution(): Attribution {
    return this.#attribution;
  }

  get adaptersFolder(): string {
    return this.#modules.models.root;
  }

  get engine(): Engine {
    return this.#modules.engine;
  }

  /** Whether the caller may load adapters. @throws API_KEY_UNKNOWN, OPERATOR_ONLY */
  async admitOperator(credential: Credential): Promise<void> {
    if (credential.kind !== 'apiKey') throw runnerError('API_KEY_UNKNOWN', 'an operator’s API key is needed');
    if (await this.#modules.apiKeys.isOperator(credential.key)) return;
    throw runnerError('OPERATOR_ONLY', 'this is for the operator of the runner');
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

  /**
   * An answer of an adapter that the operator loaded: no payment, no receipt. To anybody else there is no such model.
   * @throws API_KEY_UNKNOWN, OVERLOADED, ENGINE_*
   */
  async completeLocal(request: GenerateRequest, options: CallOptions): Promise<Generated | undefined> {
    const adapter = this.local.find(request.model);
    const { apiKeys, generator } = this.#modules;
    const { credential } = options;
    if (!adapter || credential.kind !== 'apiKey' || !(await apiKeys.isOperator(credential.key))) return undefined;
    return generator.generate(adapter.weights, request, options);
  }

  /** @throws MODEL_UNKNOWN, OVERLOADED, PAYMENT_*, API_KEY_UNKNOWN, QUOTA_EXCEEDED, OPERATOR_CREDIT_EXHAUSTED, ENGINE_* */
  async complete(request: PaidRequest, options: CallOptions): Promise<Completion> {
    const { payments, apiKeys } = this.#modules;
    const { credential } = options;
    const model = this.find(request.model);
    // A byte-level tokenizer never makes more tokens than bytes; the chat template adds some per message.
    const context = request.retrieval ? contextBound(request.retrieval.topK) : 0;
    const promptBound = Buffer.byteLength(promptOf(request)) + context + 16 * ((request.messages?.length ?? 0) + 1);
    const maxCost = priceOf(model, promptBound, request.maxTokens);
    if (credential.kind === 'payment') {
      const hold = await payments.reserve(credential.payment, maxCost, options.bodyHash);
      return this.#serve(model, request, hold, options);
    }
    const admission = await apiKeys.admit(credential.key, promptBound + request.maxTokens);
    let used = 0;
    try {
      const hold = await payments.reserveForKey(maxCost);
      const completion = await this.#serve(model, request, hold, options);
      used = completion.generated.prompt_tokens + completion.generated.completion_tokens;
      return completion;
    } finally {
      await admission.release(used);
    }
  }

  async #serve(model: Model, request: PaidRequest, hold: Hold, options: CallOptions): Promise<Completion> {
    const { account, chainId, database, generator } = this.#modules;
    try {
      // Only once the call is paid for: looking for passages is work, too.
      const { shown, retrieved } = await this.#attribution.shown(model, request);
      const generated = await generator.generate(this.#weights(model), shown, options);
      const generation = { prompt_sha256: generated.prompt_sha256, ...generated.how, ...samplingFields(request) };
      const { method, rows } = await this.#attribution.of(model, request, generated.text, retrieved);
      const cost = priceOf(model, generated.prompt_tokens, generated.completion_tokens);
      const output = {
        modelId: model.id,
        sourceKind: hold.source.kind,
        sourceId: hold.source.id,
        nonce: hold.takeNonce(),
        promptHash: generationHash(generation),
        outputHash: `0x${generated.output_sha256}`,
      } as const;
      const outputId = outputIdOf(output);
      const record: OutputRecord = {
        ...output,
        outputId,
        modelId: output.modelId.toString(),
        sourceId: output.sourceId.toString(),
        nonce: output.nonce.toString(),
        promptTokens: generated.prompt_tokens,
        outputTokens: generated.completion_tokens,
        cost: cost.toString(),
        method,
        ...(retrieved ? { citations: retrieved.citations } : {}),
        rows: rows.map(({ contributionId, weight }) => ({
          contributionId: contributionId.toString(),
          weight: weight.toString(),
        })),
      };
      const served = await saveOutput(database, record, transcriptOf(request, generation, generated));
      hold.release(cost);
      const message = { ...output, outputId, cost, served };
      const receipt = { ...message, signature: await signReceipt(account, chainId, message) };
      return { model, generated, generation, record, receipt, payer: hold.payer, runner: account.address };
    } finally {
      hold.release();
    }
  }

  /** Loads base, adapter and index of a model ahead of its first request. */
  async warmUp(model: Model): Promise<void> {
    await this.#modules.generator.load(this.#weights(model));
    await this.#attribution.warmUp(model);
  }

  #weights(model: Model): ServedWeights {
    return this.#modules.models.weights(this.#modules.view, model);
  }

  #isServed(name: string): boolean {
    return this.served().some((model) => model.name === name || `model-${model.id}` === name);
  }

  /** The engine was restarted: nothing is loaded any more. */
  forgetLoaded(): void {
    this.#attribution.forget();
    this.#modules.generator.forget();
  }
}
