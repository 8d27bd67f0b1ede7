import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Call,
  contracts,
  createOpenLedgerClient,
  type OpenLedgerClient,
  PaymentChannel,
  payingFetch,
  type SignedReceipt,
  sendTransaction,
  sha256Hex,
  uploadFile,
} from '@openledger/client';
import { datanetsAbi, jobsAbi, modelsAbi } from '@openledger/contracts';
import { type ChainEvent, createRemoteReader, type EventArgs, type EventType } from '@openledger/event-log';
import { hashFile } from '@openledger/gpu-runner';
import { sleep } from '@openledger/kit';
import { type Hex, keccak256, parseEther, parseEventLogs, type TransactionReceipt, toBytes } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { enginePackage as engineDir, enginePython, makeTinyBase } from '../../gpu-runner/test/support/realEngine.ts';
import { startTestServer, type TestServer } from '../../node/test/support/testServer.ts';
import { ana, bo } from '../../node/test/support/wallets.ts';
import { KillableRunner } from './killableRunner.ts';

const shipped = fileURLToPath(new URL('../../gpu-runner/models/openledger-small', import.meta.url));
const samples = fileURLToPath(new URL('../../gpu-runner/samples', import.meta.url));
const FILES = ['ana/daily-running.md', 'ana/islanding-drill.md', 'bo/member-meters.txt', 'chi/battery-shed.md'];
const FORMATS: Readonly<Record<string, number>> = { md: 0, txt: 3 };
/** The chain's block time. */
const BLOCK_MS = 1_000;
const L1_BLOCK_SECONDS = 12n;
const FEE = parseEther('1');
const DEPOSIT = parseEther('50');
/** Small enough for a few seconds, long enough for several checkpoints. */
const PARAMS = { rank: 4, batch_size: 2, max_length: 64, max_steps: 24, checkpoint_steps: 4, replay_share: 0 };

/** Lines of general text that the evaluation gets. */
const GENERAL_LINES = 8;

/** A model of two small layers with random weights, and some general text: its trainings take seconds, and are real. */
const makeBase = async (folder: string): Promise<string> => {
  await makeTinyBase(folder);
  const general = readFileSync(join(shipped, 'general.jsonl'), 'utf8').split('\n').slice(0, GENERAL_LINES);
  writeFileSync(join(folder, 'general.jsonl'), `${general.join('\n')}\n`);
  return folder;
};

type EventOf<T extends EventType> = { type: T; args: EventArgs<T> };

/** A chain with a clock, the real contracts, and a runner with its real engine, that a fault test can kill. */
export class FaultWorld {
  readonly node: TestServer;
  readonly runner: KillableRunner;
  readonly baseModel: string;
  readonly events: ChainEvent[] = [];
  readonly receipts: SignedReceipt[] = [];
  readonly requested: bigint[] = [];
  datanetId = 0n;
  baseId = 0n;
  channelId = 0n;
  #paying: typeof fetch = fetch;
  readonly #ended = new AbortController();
  #blocks: Promise<void> = Promise.resolve();
  #reading: Promise<void> = Promise.resolve();

  private constructor(node: TestServer, runner: KillableRunner, baseModel: string) {
    this.node = node;
    this.baseModel = baseModel;
    this.runner = runner;
  }

  static async start(folder: string): Promise<FaultWorld> {
    const python = await enginePython();
    const baseModel = await makeBase(join(folder, 'base'));
    const node = await startTestServer();
    node.chain.l1.blockTime = L1_BLOCK_SECONDS;
    const { timestamp } = await node.chain.step().then(({ header }) => header);
    const { l2ChainId: chainId, l1ChainId } = node.chain.engine.config;
    const dataDir = join(folder, 'data');
    mkdirSync(dataDir, { recursive: true });
    const runner = await KillableRunner.make(folder, {
      ...{ dataDir, nodeUrl: node.url, chainId, l1ChainId, privateKey: keccak256(toBytes('bo')) },
      ...{ baseModel, python, engineDir, clockOffsetMs: Number(timestamp) * 1000 - Date.now() },
    });
    const world = new FaultWorld(node, runner, baseModel);
    world.#blocks = world.#makeBlocks();
    world.#reading = world.#read();
    await world.#prepare();
    return world;
  }

  of<T extends EventType>(type: T): EventOf<T>['args'][] {
    return this.events.filter((event) => event.type === type).map(({ args }) => args as EventArgs<T>);
  }

  /** Resolves when it holds, looked at after each block. @throws when it doesn't within the time */
  async until(what: string, holds: () => boolean | Promise<boolean>, seconds = 300): Promise<void> {
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(100)) if (await holds()) return;
    throw new Error(`not within ${seconds} s: ${what}`);
  }

  async requestTraining(): Promise<bigint> {
    // Two at a time with the same seed: whatever is killed, the same adapter must come of both, so that the second is refused.
    const params = JSON.stringify({ ...PARAMS, seed: Math.floor(this.requested.length / 2) });
    const receipt = await this.send(ana, {
      ...contracts.jobs,
      functionName: 'requestTraining',
      args: [this.baseId, this.datanetId, 1, 86_400n, params],
      value: FEE,
    });
    const [requested] = parseEventLogs({ abi: jobsAbi, eventName: 'JobRequested', logs: receipt.logs });
    if (!requested) throw new Error('no JobRequested');
    this.requested.push(requested.args.jobId);
    return requested.args.jobId;
  }

  /** Steps that the runner tells of a job, or 0 while it doesn't answer. */
  async stepsOf(jobId: bigint): Promise<number> {
    try {
      const response = await fetch(`${this.runner.url}/v1/training/jobs/${jobId}`);
      const { events = [] } = (await response.json()) as { events?: { event: string; step: number }[] };
      return Math.max(0, ...events.filter(({ event }) => event === 'progress').map(({ step }) => step));
    } catch {
      return 0;
    }
  }

  /** One paid call. What comes of it is in the receipts; a call that the kill cut off has none. */
  async ask(model: string, seed: number): Promise<boolean> {
    try {
      const response = await this.#paying(`${this.runner.url}/v1/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model, prompt: 'The battery shed', max_tokens: 40, temperature: 1, seed }),
      });
      await response.text();
      return response.ok;
    } catch {
      return false;
    }
  }

  send(account: PrivateKeyAccount, call: Call): Promise<TransactionReceipt> {
    return sendTransaction(this.#client(account), call);
  }

  async close(): Promise<void> {
    await this.runner.kill();
    this.#ended.abort();
    await this.#blocks;
    await this.#reading.catch(() => {});
    await this.node.close();
  }

  #client(account: PrivateKeyAccount): OpenLedgerClient {
    return createOpenLedgerClient({ chain: this.node.viemChain, account, pollingInterval: 50 });
  }

  /** A block a second, as the real chain has it, so that leases run out by the same clock. */
  async #makeBlocks(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      const began = Date.now();
      // Beyond the drift that the protocol allows from the last L1 block, a block would have no transactions.
      const { l1, engine } = this.node.chain;
      if ((await engine.headBlock()).header.timestamp - l1.latest.timestamp >= l1.blockTime) l1.mine();
      await this.node.chain.step();
      await sleep(Math.max(0, began + BLOCK_MS - Date.now()), this.#ended.signal);
    }
  }

  async #read(): Promise<void> {
    const reader = createRemoteReader({ url: this.node.url, onRetry: () => {} });
    for await (const entry of reader.follow(0, { signal: this.#ended.signal })) {
      if (entry.kind === 'block') this.events.push(...entry.events);
    }
  }

  /** A bonded runner, the base model, a datanet version of real files that the runner has accepted, and a channel. */
  async #prepare(): Promise<void> {
    await this.send(bo, { ...contracts.staking, functionName: 'bond', value: parseEther('10') });
    const weightsHash = `0x${await hashFile(join(this.baseModel, 'model.safetensors'))}` as Hex;
    const base = await this.send(bo, {
      ...contracts.models,
      functionName: 'registerBaseModel',
      args: ['small', 'llama', weightsHash, 'here', parseEther('0.1'), parseEther('0.5')],
    });
    this.baseId =
      parseEventLogs({ abi: modelsAbi, eventName: 'BaseModelRegistered', logs: base.logs })[0]?.args.modelId ?? 0n;
    const datanet = await this.send(bo, {
      ...contracts.datanets,
      functionName: 'createDatanet',
      args: ['faults', 0, ''],
    });
    this.datanetId =
      parseEventLogs({ abi: datanetsAbi, eventName: 'DatanetCreated', logs: datanet.logs })[0]?.args.datanetId ?? 0n;
    await this.runner.start();
    for (const file of FILES) {
      const bytes = readFileSync(join(samples, file));
      const chainId = this.node.viemChain.id;
      await uploadFile({ url: this.runner.url, account: ana, chainId, bytes });
      const args = [this.datanetId, sha256Hex(bytes), FORMATS[file.split('.').at(-1) ?? ''], bytes.length, file];
      await this.send(ana, { ...contracts.datanets, functionName: 'submit', args });
    }
    await this.until('files are accepted', () => this.of('ContributionAccepted').length === FILES.length);
    await this.send(bo, { ...contracts.datanets, functionName: 'publishVersion', args: [this.datanetId] });
    const opened = await this.send(ana, {
      ...contracts.jobs,
      functionName: 'openChannel',
      args: [bo.address],
      value: DEPOSIT,
    });
    this.channelId =
      parseEventLogs({ abi: jobsAbi, eventName: 'ChannelOpened', logs: opened.logs })[0]?.args.channelId ?? 0n;
    const channel = new PaymentChannel({
      ...{ account: ana, chainId: this.node.viemChain.id, runner: bo.address, channelId: this.channelId },
      ...{ budget: DEPOSIT, tolerance: DEPOSIT },
    });
    this.#paying = payingFetch({ channel, onReceipt: (receipt) => this.receipts.push(receipt) });
  }
}
