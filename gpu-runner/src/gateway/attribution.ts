import type { Influence } from '@openledger/client';
import { type BatchRow, batchMethods, sharesOf } from '@openledger/contracts';
import type { Model, RunnerView } from '../chain/runnerView.ts';
import type { Engine } from '../engine/engineProcess.ts';
import { runnerError } from '../errors.ts';
import { engineFiles } from '../jobs/engineFiles.ts';
import { influenceOf } from '../jobs/trainingReport.ts';
import type { GenerateRequest } from '../serving/generator.ts';
import { LoadMemory } from '../serving/loadMemory.ts';
import type { ContentStore } from '../store/contentStore.ts';

/** Passages of a datanet version to answer from; the model's own version when none is named. */
export type RetrievalRequest = {
  readonly topK: number;
  readonly datanet?: { readonly id: bigint; readonly version: number };
};

/** What an answer cites, by the numbers that the model was shown; bytes of the contribution's text. */
export type Citation = {
  readonly contribution_id: string;
  readonly chunk: number;
  readonly start: number;
  readonly end: number;
};

export type Retrieved = {
  /** What stands before the prompt; empty when nothing was found. */
  readonly context: string;
  readonly citations: readonly Citation[];
  readonly rows: BatchRow[];
};

/** `method` is a number of the batch format. */
export type Attributed = { readonly method: number; readonly rows: BatchRow[] };

/** A request that may ask for passages to answer from. */
export type PaidRequest = GenerateRequest & { readonly retrieval?: RetrievalRequest };

type Row = { contribution_id: string; weight: number | bigint };

/** A passage has at most 128 words; longer than this in bytes it is not worth its price as context. */
export const MAX_PASSAGE_BYTES = 2_048;

/** Whose work an answer rests on: by evidence in its text, or by the passages that it was made from. */
export class Attribution {
  readonly #modules: { view: RunnerView; store: ContentStore; engine: Engine; indexDir: string };
  readonly #indexes = new LoadMemory();
  /** By the hash of the report that they stand in. */
  readonly #influences = new LoadMemory();

  constructor(modules: { view: RunnerView; store: ContentStore; engine: Engine; indexDir: string }) {
    this.#modules = modules;
  }

  /**
   * Whose work an answer rests on: the passages that it was made from; else evidence in the data that the model was trained on,
   * weighed by influence where its training says so. Base models have none.
   */
  async of(model: Model, request: GenerateRequest, answer: string, retrieved?: Retrieved): Promise<Attributed> {
    if (retrieved) return { method: batchMethods.retrieval0, rows: retrieved.rows };
    const influence = await this.#influence(model);
    const method = influence ? batchMethods.influence0 : batchMethods.evidence0;
    const index = model.datanetId === 0n ? undefined : await this.#index(model.datanetId, model.datanetVersion);
    if (!index || answer === '') return { method, rows: [] };
    const { rows } = await this.#modules.engine.request<{ rows: Row[] }>('attribute', {
      index,
      prompt_text: promptOf(request),
      output_text: answer,
      ...influence,
    });
    return { method, rows: toRows(rows) };
  }

  /** The request as the model sees it: with the passages that it asks for. @throws REQUEST_INVALID, ENGINE_* */
  async shown(model: Model, request: PaidRequest): Promise<{ shown: GenerateRequest; retrieved?: Retrieved }> {
    if (!request.retrieval) return { shown: request };
    const retrieved = await this.#retrieve(model, request.retrieval, query(request));
    return { shown: withContext(request, retrieved.context), retrieved };
  }

  /** @throws REQUEST_INVALID when there is no such data here, or its passages are too long */
  async #retrieve(model: Model, { topK, datanet }: RetrievalRequest, query: string): Promise<Retrieved> {
    const { id, version } = datanet ?? { id: model.datanetId, version: model.datanetVersion };
    const { view, store } = this.#modules;
    const here = view.versionFiles(id, version).every(({ contentHash }) => store.has(contentHash.slice(2)));
    const index = id === 0n || !here ? undefined : await this.#index(id, version);
    if (!index) throw runnerError('REQUEST_INVALID', 'retrieval: this runner has no such datanet version');
    const { context, passages, rows } = await this.#modules.engine.request<{
      context: string;
      passages: (Citation & { text: string })[];
      rows: Row[];
    }>('retrieve', { index, query_text: query, top_k: topK });
    if (Buffer.byteLength(context) > contextBound(topK)) {
      throw runnerError('REQUEST_INVALID', 'retrieval: the passages are too long; ask for fewer');
    }
    const citations = passages.map(({ contribution_id, chunk, start, end }) => ({
      contribution_id,
      chunk,
      start,
      end,
    }));
    return { context, citations, rows: toRows(rows) };
  }

  #influence(model: Model): Promise<PriorParams | undefined> {
    return this.#influences.once(model.reportHash, async () => {
      const influence = await influenceOf(model, this.#modules.store);
      return influence && priorParams(influence);
    });
  }

  /** Ahead of the first request. */
  async warmUp(model: Model): Promise<void> {
    if (model.datanetId !== 0n) await this.#index(model.datanetId, model.datanetVersion);
  }

  /** The engine was restarted: no index is loaded any more. */
  forget(): void {
    this.#indexes.clear();
  }

  async #index(datanetId: bigint, version: number): Promise<string | undefined> {
    const { view, store, engine, indexDir } = this.#modules;
    const files = view.versionFiles(datanetId, version);
    if (files.length === 0) return undefined;
    const index = `${indexDir}/${datanetId}-${version}`;
    await this.#indexes.once(index, () => engine.request('index_corpus', { index, files: engineFiles(files, store) }));
    return index;
  }
}

/** The most bytes that the passages add to a prompt: what has to be paid for before they are known. */
export const contextBound = (topK: number): number => (topK + 1) * MAX_PASSAGE_BYTES;

/** As the engine's `attribute` takes it. */
type PriorParams = ReturnType<typeof priorParams>;
const priorParams = ({ lambdaBps, prior }: Influence) => ({
  lambda_bps: lambdaBps,
  prior: [...prior].map(([contribution_id, weight]) => ({ contribution_id, weight })),
});

const toRows = (rows: readonly Row[]): BatchRow[] =>
  sharesOf(
    rows
      .map((row) => ({ contributionId: BigInt(row.contribution_id), weight: BigInt(row.weight) }))
      .sort((one, other) => (one.contributionId < other.contributionId ? -1 : 1)),
  );

/** What was said, without the template of a chat: spans that an answer repeats from it earn nothing. */
export const promptOf = ({ prompt, messages }: GenerateRequest): string =>
  prompt ?? (messages ?? []).map(({ content }) => content).join('\n');

/** What is looked for: the prompt, or what was said last. */
const query = ({ prompt, messages }: GenerateRequest): string =>
  prompt ?? [...(messages ?? [])].reverse().find(({ role }) => role === 'user')?.content ?? '';

/** The passages stand before the prompt, or before what the user said last. */
const withContext = (request: GenerateRequest, context: string): GenerateRequest => {
  if (context === '') return request;
  if (request.prompt !== undefined) return { ...request, prompt: context + request.prompt };
  const messages = [...(request.messages ?? [])];
  const last = messages.map(({ role }) => role).lastIndexOf('user');
  const asked = messages[last];
  if (!asked) return { ...request, messages: [{ role: 'user', content: context }, ...messages] };
  messages[last] = { ...asked, content: context + asked.content };
  return { ...request, messages };
};
