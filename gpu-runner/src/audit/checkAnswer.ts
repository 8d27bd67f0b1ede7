import type { BatchOutput } from '@openledger/contracts';
import { isOpenLedgerError } from '@openledger/kit';
import type { Model, RunnerView } from '../chain/runnerView.ts';
import type { Attribution } from '../gateway/attribution.ts';
import { type EngineGenerator, OUR_SAMPLER } from '../serving/engineGenerator.ts';
import type { ContentStore } from '../store/contentStore.ts';
import type { ModelLocator } from '../store/modelLocator.ts';
import { filesOfAnswer } from './auditedFiles.ts';
import type { TranscriptSource } from './auditedRunner.ts';
import { fetchAdapter } from './fetchAdapter.ts';
import { differs, type Finding, matches } from './finding.ts';
import { logitTolerance } from './tolerances.ts';
import { type ParsedTranscript, parseAdapterFiles, parseTranscript } from './transcript.ts';

export type AnswerModules = {
  view: RunnerView;
  store: ContentStore;
  models: ModelLocator;
  verifier: EngineGenerator;
  attribution: Attribution;
};

/**
 * Computes an answer again: the text follows from prompt, settings and weights, the tokens are as many as were charged, and its
 * attribution follows from the datanet version.
 * @throws PEER_*, and MODEL_UNKNOWN or ENGINE_* where this machine can't compute it
 */
export const checkAnswer = async (
  output: BatchOutput,
  runner: TranscriptSource,
  modules: AnswerModules,
  signal?: AbortSignal,
): Promise<Finding> => {
  const { view, store, models, verifier, attribution } = modules;
  const model = view.models.get(output.modelId);
  if (!model) return differs(`there is no model ${output.modelId}`);
  const shownByRunner = await runner.transcript();
  let transcript: ParsedTranscript;
  try {
    transcript = parseTranscript(shownByRunner, output.promptHash);
    await fetchAdapters(model, shownByRunner, runner, modules);
  } catch (error) {
    if (isOpenLedgerError(error, 'TRANSCRIPT_INVALID')) return differs(error.message);
    throw error;
  }
  const { request, generation } = transcript;
  await runner.fetchInto(store, filesOfAnswer(model, request.retrieval?.datanet, view));
  const weights = models.weights(view, model);
  const tolerance = logitTolerance(generation.numerics, await verifier.numerics(weights));
  const { shown, retrieved } = await attribution.shown(model, request);
  const verdict = await verifier
    .verify(
      weights,
      shown,
      {
        outputTokenIds: transcript.output_token_ids,
        finishReason: transcript.finish_reason,
        toleranceMicros: tolerance,
        ...(generation.context_length > 0 ? { contextLength: generation.context_length } : {}),
      },
      signal,
    )
    .catch((error) => {
      if (isImpossible(error)) return undefined;
      throw error;
    });
  if (!verdict) return differs('the tokens can not be an answer of this model');
  if (verdict.prompt_sha256 !== generation.prompt_sha256) return differs('another prompt was shown to the model');
  if (`0x${verdict.output_sha256}` !== output.outputHash) return differs('the tokens spell another text');
  if (verdict.prompt_tokens !== output.promptTokens || transcript.output_token_ids.length !== output.outputTokens) {
    return differs('other numbers of tokens were charged');
  }
  const first = verdict.first_mismatch;
  if (generation.sampler === OUR_SAMPLER ? !verdict.agrees : request.temperature === 0 && first !== undefined) {
    return differs(
      first === undefined ? 'the answer ends where it should not' : `token ${first} is not the rule’s choice`,
    );
  }
  const { method, rows } = await attribution.of(model, request, verdict.text, retrieved);
  if (output.method !== method || !sameRows(rows, output.rows)) return differs('its attribution is another one');
  return matches(`${verdict.checked} choices, tolerance ${tolerance} millionths`);
};

/** The adapter, where it isn't here. Bases aren't fetched: an auditor has those that the network serves. */
const fetchAdapters = async (
  model: Model,
  shown: unknown,
  runner: TranscriptSource,
  { models, store }: AnswerModules,
) => {
  if (model.parentId === 0n || models.hasAdapter(model.weightsHash.slice(2))) return;
  const files = parseAdapterFiles((shown as { adapter?: unknown }).adapter);
  await fetchAdapter(model, files, runner, { models, store });
};

/** The engine says that no model of these sizes could have answered so: that is about the answer and not about this machine. */
const isImpossible = (error: unknown): boolean =>
  isOpenLedgerError(error, 'ENGINE_REFUSED') && error.meta.parameter === 'output_token_ids';

export const sameRows = (ours: BatchOutput['rows'], theirs: BatchOutput['rows']): boolean =>
  ours.length === theirs.length &&
  ours.every((row, at) => row.contributionId === theirs[at]?.contributionId && row.weight === theirs[at]?.weight);
