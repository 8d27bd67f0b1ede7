import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '@openledger/kit';
import type { ChainAccess } from '../chainAccess.ts';
import { rejectUnansweredCall, requestCall } from '../challenge/challengeCalls.ts';
import type { Fault, Honest } from '../challenge/findFault.ts';
import { disputesCall } from '../contractCalls.ts';
import { type Proposal, readEpochs } from '../epoch/epochs.ts';
import { writeEpoch } from '../publish/epochFiles.ts';
import { type OpenedEpoch, openEpoch } from '../publish/openEpoch.ts';
import { parts } from '../trace/partView.ts';
import { checkEpoch } from './checkEpoch.ts';
import { proveFault } from './proveFault.ts';

export type WatcherOptions = {
  readonly access: ChainAccess;
  /** The folder of what the proposer has published, by its data hash; undefined when it can't be had. */
  readonly published: (proposal: Proposal) => Promise<string | undefined>;
  readonly log: Logger;
};

/** Recomputes every proposed epoch, and challenges what is wrong. Stepped by its owner. */
export class Watcher {
  readonly #options: WatcherOptions;
  /** Epochs that were found right. */
  readonly #right = new Set<bigint>();

  constructor(options: WatcherOptions) {
    this.#options = options;
  }

  /** Does the next thing that there is to do about open epochs. Returns what it did. */
  async step(): Promise<'challenged' | 'requested' | 'rejected' | 'waiting' | 'right' | 'nothing'> {
    const { reader } = this.#options.access;
    const proposal = [...(await readEpochs(reader)).values()].find(({ status }) => status === 'proposed');
    if (!proposal || this.#right.has(proposal.epoch)) return 'nothing';
    const working = mkdtempSync(join(tmpdir(), 'openledger-watch-'));
    const opened: OpenedEpoch[] = [];
    try {
      const { chainId, rules } = this.#options.access;
      const { fromBlock, toBlock } = proposal;
      const { epoch, folder } = await writeEpoch({ reader, chainId, rules, fromBlock, toBlock }, working);
      const own = openEpoch(folder);
      opened.push(own);
      const honest: Honest = { epoch, trace: own.trace, nodes: own.nodes };
      const theirs = await this.#options.published(proposal);
      const published = theirs === undefined ? undefined : openEpoch(theirs);
      if (published) opened.push(published);
      const fault = checkEpoch(proposal, honest, published, await this.#options.access.shown(proposal.epoch));
      return await this.#act(proposal, honest, fault);
    } finally {
      for (const files of opened) files.close();
      rmSync(working, { recursive: true, force: true });
    }
  }

  async #act(proposal: Proposal, honest: Honest, fault: Fault | undefined) {
    const { access, log } = this.#options;
    const { epoch } = proposal;
    if (!fault) {
      this.#right.add(epoch);
      log.info({ epoch: epoch.toString() }, 'the epoch is right');
      return 'right';
    }
    if (fault.kind === 'request') return this.#ask(epoch, fault);
    const call = await proveFault(access, proposal, fault, honest);
    await access.send(call);
    log.warn({ epoch: epoch.toString(), challenge: call.functionName }, 'the epoch was wrong and is rejected');
    return 'challenged';
  }

  async #ask(epoch: bigint, { part, index }: Extract<Fault, { kind: 'request' }>) {
    const { access, log } = this.#options;
    const place = [epoch, parts[part], BigInt(index)] as const;
    const { requester, deadline } = (await access.read(disputesCall('requestOf', ...place))) as {
      requester: string;
      deadline: bigint;
    };
    if (deadline === 0n) {
      const fee = (await access.read(disputesCall('REQUEST_FEE'))) as bigint;
      await access.send(requestCall(epoch, part, index), fee);
      log.warn({ epoch: epoch.toString(), part, index }, 'asked for what was not published');
      return 'requested';
    }
    if (BigInt(requester) === 0n || (await access.now()) < deadline) return 'waiting';
    await access.send(rejectUnansweredCall(...place));
    log.warn({ epoch: epoch.toString(), part, index }, 'nothing was shown: the epoch is rejected');
    return 'rejected';
  }
}
