import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { batchSourceKinds } from '@openledger/contracts';
import { createMetrics, silentLogger } from '@openledger/kit';
import type { Account, Hex } from 'viem';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuditedRunner } from '../src/audit/auditedRunner.ts';
import { auditRoutes } from '../src/audit/auditRoutes.ts';
import { fetchAdapter } from '../src/audit/fetchAdapter.ts';
import { parseAdapterFiles, type TrainingTranscript, type Transcript } from '../src/audit/transcript.ts';
import type { Model, RunnerView } from '../src/chain/runnerView.ts';
import { type GatewayOptions, startGateway } from '../src/gateway/gateway.ts';
import { adapterFileNames } from '../src/jobs/training.ts';
import { ContentStore, sha256Of } from '../src/store/contentStore.ts';
import { ModelLocator } from '../src/store/modelLocator.ts';
import {
  accepted,
  adapterRegistered,
  baseRegistered,
  CHAIN_ID,
  committed,
  event,
  hashOf,
  low,
  payer,
  published,
  requested,
  runner,
  stranger,
  submitted,
  tell,
  viewOf,
} from './support/chainEvents.ts';
import { tempFolder } from './support/database.ts';

const NOW = 1_800_000_000_000;
const config = Buffer.from('{"peft_type": "LORA"}');
const record = Buffer.from(JSON.stringify({ adapter_config_sha256: sha256Of(config) }));
const [weights, data, report] = ['weights', 'what was learnt', '{"job":"1"}'].map((text) => Buffer.from(text)) as [
  Buffer,
  Buffer,
  Buffer,
];
const hash = (bytes: Uint8Array): Hex => `0x${sha256Of(bytes)}`;
const ANSWER = hashOf('answer of the adapter');
const TRAINING = hashOf('its training');

/** A runner that serves an adapter, over HTTP, and an auditor that has nothing but the chain. */
describe('audit routes', () => {
  let root: string;
  let view: RunnerView;
  let url: string;
  let close: () => Promise<void>;
  let store: ContentStore;
  let mine: ContentStore;
  const auditor = stranger;

  beforeEach(async () => {
    root = tempFolder();
    for (const folder of ['files', 'mine', 'base']) mkdirSync(join(root, folder));
    writeFileSync(join(root, 'base', 'model.safetensors'), 'base weights');
    const folder = join(root, 'adapters', sha256Of(weights));
    mkdirSync(folder, { recursive: true });
    for (const [name, bytes] of Object.entries({ weights, config, record })) {
      writeFileSync(join(folder, adapterFileNames[name as keyof typeof adapterFileNames]), bytes);
    }
    store = new ContentStore(join(root, 'files'));
    mine = new ContentStore(join(root, 'mine'));
    for (const bytes of [data, report]) await store.put(bytes);
    const adapter = { weights: sha256Of(weights), config: sha256Of(config), record: sha256Of(record) };
    view = viewOf(
      ...[baseRegistered(1n, hashOf('base')), submitted(9n, hash(data)), accepted(9n, 0), published(1), requested(1n)],
      adapterRegistered(2n, 1n, hash(weights), 'adapter', hash(record)),
      ...committed(1n, 2n, hash(report)),
      ...[ANSWER, TRAINING].map((outputId) =>
        event('AuditOpened', {
          ...{
            outputId,
            runner: low(runner.address),
            auditor: low(auditor.address),
            batchIndex: 4n,
            seed: hashOf('s'),
          },
          ...{ modelId: outputId === ANSWER ? 2n : 1n, sourceKind: batchSourceKinds.channel, deadline: 2_000_000_000n },
        }),
      ),
    );
    const transcripts: Record<Hex, Transcript | TrainingTranscript> = {
      [ANSWER]: { kind: 'answer', prompt: 'Say' } as Transcript,
      [TRAINING]: { kind: 'training', job_id: '1', adapter },
    };
    const models = await ModelLocator.open(join(root, 'adapters'), [join(root, 'base')]);
    const payee = { chainId: CHAIN_ID, runner: runner.address };
    const gateway = await startGateway({
      ...({ inference: {}, store, database: {} } as unknown as GatewayOptions),
      ...{ payee, host: '127.0.0.1', port: 0, now: () => NOW, readiness: () => [], log: silentLogger },
      metrics: createMetrics('test'),
      routes: (app) =>
        auditRoutes(app, {
          ...{ view, store, models, payee, now: () => NOW },
          transcripts: { find: async (id) => transcripts[id] },
        }),
    });
    [url, close] = [gateway.url, gateway.close];
  });
  afterEach(async () => {
    await close();
    rmSync(root, { recursive: true, force: true });
  });

  const asking = (outputId: Hex, account: Account = auditor, now = NOW) =>
    new AuditedRunner({
      ...{ endpoint: url, outputId, account, chainId: CHAIN_ID, allowPrivate: true, now: () => now },
    });
  const adapterModel = (): Model => view.models.get(2n) as Model;

  it('hand out an answer’s adapter, with all that its attribution follows from', async () => {
    const transcript = (await asking(ANSWER).transcript()) as { prompt: string; adapter: unknown };
    expect(transcript.prompt).toBe('Say');
    const files = parseAdapterFiles(transcript.adapter);
    const models = await ModelLocator.open(join(root, 'fetched'), []);
    await fetchAdapter(adapterModel(), files, asking(ANSWER), { models, store: mine });
    expect(models.hasAdapter(sha256Of(weights))).toBe(true);
    expect(mine.has(sha256Of(report))).toBe(true);
    await asking(ANSWER).fetchInto(mine, [sha256Of(data)]);
    expect(await mine.get(sha256Of(data))).toEqual(data);
  });

  it('hand out a training’s files, though nobody serves its adapter', async () => {
    rmSync(join(root, 'adapters'), { recursive: true });
    for (const bytes of [weights, config, record]) await store.put(bytes);
    const { adapter } = (await asking(TRAINING).transcript()) as { adapter: unknown };
    const files = parseAdapterFiles(adapter);
    await asking(TRAINING).fetchInto(mine, [...Object.values(files), sha256Of(data), sha256Of(report)]);
    expect(await mine.get(files.record)).toEqual(record);
  });

  it('hand out nothing else, however it is hashed', async () => {
    const secret = await store.put(Buffer.from('of another datanet'));
    const refused = { code: 'PEER_REFUSED', meta: { status: 404 } };
    await expect(asking(ANSWER).fetchInto(mine, [secret])).rejects.toMatchObject(refused);
    await expect(asking(TRAINING).fetchInto(mine, [secret])).rejects.toMatchObject(refused);
    expect(mine.has(secret)).toBe(false);
  });

  it('show nothing to others, late signatures, or once the audit is over', async () => {
    const refused = { code: 'PEER_REFUSED', meta: { status: 401 } };
    await expect(asking(ANSWER, payer).transcript()).rejects.toMatchObject(refused);
    await expect(asking(ANSWER, auditor, NOW - 3_600_000).transcript()).rejects.toMatchObject(refused);
    await expect(asking(hashOf('not audited')).transcript()).rejects.toMatchObject(refused);
    await expect(fetch(`${url}/v1/audits/${ANSWER}`)).resolves.toMatchObject({ status: 401 });
    tell(view, event('AuditClosed', { outputId: ANSWER, runner: low(runner.address), outcome: 3 }));
    await expect(asking(ANSWER).transcript()).rejects.toMatchObject(refused);
  });

  it('serve an adapter that was swapped on disk to no auditor who checks', async () => {
    writeFileSync(join(root, 'adapters', sha256Of(weights), adapterFileNames.weights), 'other weights');
    const { adapter } = (await asking(ANSWER).transcript()) as { adapter: unknown };
    const models = await ModelLocator.open(join(root, 'fetched'), []);
    const fetching = fetchAdapter(adapterModel(), parseAdapterFiles(adapter), asking(ANSWER), { models, store: mine });
    await expect(fetching).rejects.toMatchObject({ code: 'TRANSCRIPT_INVALID' });
    expect(models.hasAdapter(sha256Of(weights))).toBe(false);
  });
});
