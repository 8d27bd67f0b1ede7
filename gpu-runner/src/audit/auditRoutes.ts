import { createReadStream } from 'node:fs';
import { auditAccessSigner } from '@openledger/client';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Hex } from 'viem';
import type { Model, RunnerView } from '../chain/runnerView.ts';
import { runnerError } from '../errors.ts';
import { SignedOnce } from '../gateway/signedOnce.ts';
import type { Payee } from '../gateway/x402.ts';
import { storeAdapter } from '../jobs/localTrainer.ts';
import type { AdapterFiles } from '../jobs/training.ts';
import { LoadMemory } from '../serving/loadMemory.ts';
import type { ContentStore } from '../store/contentStore.ts';
import type { ModelLocator } from '../store/modelLocator.ts';
import { filesOfAnswer, filesOfTraining } from './auditedFiles.ts';
import type { TrainingTranscript, Transcript } from './transcript.ts';
import type { Transcripts } from './transcripts.ts';

export type AuditRoutesModules = {
  view: RunnerView;
  store: ContentStore;
  models: ModelLocator;
  transcripts: Pick<Transcripts, 'find'>;
  payee: Payee;
  /** Unix milliseconds. */
  now(): number;
};

type ById = { Params: { id: string } };
type ByFile = { Params: { id: string; sha256: string } };

/** What an auditor needs of this runner: the transcript of the output that it audits, and the files that belong to it. */
export const auditRoutes = (app: FastifyInstance, modules: AuditRoutesModules): void => {
  const { store } = modules;
  const adapters = new LoadMemory();

  app.get<ById>('/v1/audits/:id', async (request) => {
    const transcript = await authorize(request, modules);
    const adapter = await adapterOf(transcript, request.params.id as Hex, modules, adapters);
    return { ...transcript, ...(adapter ? { adapter } : {}) };
  });

  app.get<ByFile>('/v1/audits/:id/files/:sha256', async (request, reply) => {
    const { id, sha256 } = request.params;
    const transcript = await authorize(request, modules);
    const files = await filesOf(transcript, id as Hex, modules, adapters);
    if (!files.has(sha256)) throw runnerError('FILE_UNKNOWN', 'this file does not belong to the audited output');
    await store.ensure(sha256);
    reply.header('content-type', 'application/octet-stream');
    reply.header('content-length', await store.size(sha256));
    return reply.send(createReadStream(store.path(sha256)));
  });
};

/** @throws AUDIT_UNAUTHORIZED, OUTPUT_UNKNOWN */
const authorize = async (
  { params, headers }: FastifyRequest<ById>,
  { view, transcripts, payee, now: clock }: AuditRoutesModules,
): Promise<Transcript | TrainingTranscript> => {
  const refuse = (message: string, cause?: unknown) => runnerError('AUDIT_UNAUTHORIZED', message, {}, cause);
  const outputId = params.id as Hex;
  const { 'x-audit-deadline': deadline, 'x-audit-signature': signature } = headers;
  if (!/^0x[0-9a-f]{64}$/.test(outputId)) throw refuse('this is not an output’s id');
  if (typeof deadline !== 'string' || !/^\d{1,20}$/.test(deadline))
    throw refuse('x-audit-deadline must be unix seconds');
  if (typeof signature !== 'string' || !/^0x[0-9a-f]{130}$/i.test(signature))
    throw refuse('x-audit-signature is malformed');
  if (!SignedOnce.isTimely(BigInt(deadline), BigInt(Math.floor(clock() / 1000)))) {
    throw refuse('the deadline has passed or is too far away');
  }
  const access = { outputId, deadline: BigInt(deadline), signature: signature as Hex };
  const signer = await auditAccessSigner(payee.chainId, access).catch((cause) => {
    throw refuse('x-audit-signature is malformed', cause);
  });
  if (!view.audits.mayAsk(outputId, signer)) throw refuse('only those who audit this output now may see it');
  const found = await transcripts.find(outputId);
  if (!found) throw runnerError('OUTPUT_UNKNOWN', 'this runner has no transcript of the output');
  return found;
};

/** The adapter behind an audited output; a training's own. Its files are hashed once: weights may be large. */
const adapterOf = async (
  transcript: Transcript | TrainingTranscript,
  outputId: Hex,
  { view, models, store }: AuditRoutesModules,
  adapters: LoadMemory,
): Promise<AdapterFiles | undefined> => {
  if (transcript.kind === 'training') return transcript.adapter;
  const model = modelOf(view, outputId);
  if (model.parentId === 0n) return undefined;
  const folder = models.adapterFolder(model.weightsHash.slice(2));
  return adapters.once(folder, () => storeAdapter(folder, store));
};

const filesOf = async (
  transcript: Transcript | TrainingTranscript,
  outputId: Hex,
  modules: AuditRoutesModules,
  adapters: LoadMemory,
): Promise<ReadonlySet<string>> => {
  const { view } = modules;
  const adapter = await adapterOf(transcript, outputId, modules, adapters);
  const named = [adapter, transcript.kind === 'training' ? transcript.parent : undefined];
  const hashes = named.flatMap((files) => (files ? [files.weights, files.config, files.record] : []));
  if (transcript.kind === 'training') {
    const job = view.jobs.get(BigInt(transcript.job_id));
    return new Set([...hashes, ...(job ? filesOfTraining(job, view) : [])]);
  }
  const { datanet_id, datanet_version = 1 } = transcript.retrieval ?? {};
  const shown = datanet_id === undefined ? undefined : { id: BigInt(datanet_id), version: datanet_version };
  return new Set([...hashes, ...filesOfAnswer(modelOf(view, outputId), shown, view)]);
};

/** @throws OUTPUT_UNKNOWN */
const modelOf = (view: RunnerView, outputId: Hex): Model => {
  const audit = view.audits.audits.get(outputId);
  const model = audit && view.models.get(audit.modelId);
  if (!model) throw runnerError('OUTPUT_UNKNOWN', 'the audited model is not known');
  return model;
};
