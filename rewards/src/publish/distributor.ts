import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isOpenLedgerError, type Logger } from '@openledger/kit';
import type { Hex } from 'viem';
import type { ChainAccess } from '../chainAccess.ts';
import { showCall } from '../challenge/challengeCalls.ts';
import { disputesCall, rewardsCall } from '../contractCalls.ts';
import { lastFinalBlock, type Proposal, readEpochs } from '../epoch/epochs.ts';
import { foldBlocks } from '../ledger/foldBlocks.ts';
import { parts } from '../trace/partView.ts';
import { writeEpoch } from './epochFiles.ts';
import { openEpoch } from './openEpoch.ts';

export type DistributorOptions = {
  readonly access: ChainAccess;
  readonly dataDir: string;
  /** Blocks that lie on top of what an epoch counts, so that no reorg takes it back. */
  readonly depth: bigint;
  readonly log: Logger;
};

/** Proposes epochs with a bond, publishes their files, shows what it is asked for, and finalizes. Stepped by its owner. */
export class Distributor {
  readonly #options: DistributorOptions;

  constructor(options: DistributorOptions) {
    this.#options = options;
  }

  async step(): Promise<'shown' | 'finalized' | 'proposed' | 'waiting' | 'nothing'> {
    const { access } = this.#options;
    const epochs = [...(await readEpochs(access.reader)).values()];
    this.#index(epochs);
    const open = epochs.find(({ status }) => status === 'proposed');
    if (!open) return (await this.propose()) ? 'proposed' : 'nothing';
    if (await this.#show(open)) return 'shown';
    const { disputableUntil } = (await access.read(rewardsCall('epochInfo', open.epoch))) as {
      disputableUntil: bigint;
    };
    if ((await access.now()) < disputableUntil) return 'waiting';
    await access.send(rewardsCall('finalize', open.epoch));
    this.#options.log.info({ epoch: open.epoch.toString() }, 'finalized');
    return 'finalized';
  }

  /** Computes, writes and proposes an epoch; false when there is nothing new. */
  async propose(): Promise<boolean> {
    const { access, dataDir, depth, log } = this.#options;
    const { reader, chainId, rules } = access;
    const [head, fromBlock] = [await reader.head(), await lastFinalBlock(reader)];
    const toBlock = (head?.number ?? 0n) - depth;
    if (toBlock <= fromBlock) return false;
    const written = await writeEpoch({ reader, chainId, rules, fromBlock, toBlock }, dataDir).catch((error) => {
      if (isOpenLedgerError(error, 'REWARDS_NOTHING_OWED')) return undefined;
      throw error;
    });
    if (!written) return false;
    const { epoch } = written;
    const [prevRoot, bond] = (await Promise.all([
      access.read(rewardsCall('root')),
      access.read(rewardsCall('BOND')),
    ])) as [Hex, bigint];
    if (prevRoot === epoch.root) return false;
    const proposal = {
      root: epoch.root,
      prevRoot,
      dataHash: epoch.dataHash,
      traceRoot: epoch.trace.root,
      treeRoot: epoch.nodes.root,
      records: epoch.records,
      accounts: BigInt(epoch.leaves.length),
      toBlock,
      total: epoch.total,
    };
    await access.send(rewardsCall('proposeRoot', proposal), bond);
    log.info({ root: epoch.root, toBlock: toBlock.toString(), total: epoch.total.toString() }, 'proposed');
    return true;
  }

  /** Shows one chunk that was asked for. */
  async #show({ epoch, dataHash }: Proposal): Promise<boolean> {
    const { access, dataDir, log } = this.#options;
    const folder = join(dataDir, dataHash);
    if (!existsSync(folder)) return false;
    for (const { part, index } of await requestsOf(access, epoch)) {
      const { requester } = (await access.read(disputesCall('requestOf', epoch, part, index))) as { requester: string };
      if (BigInt(requester) === 0n) continue;
      const files = openEpoch(folder);
      try {
        const chunk = (part === parts.trace ? files.trace : files.nodes).chunk(Number(index));
        if (!chunk) continue;
        await access.send(showCall(epoch, part, index, chunk.bytes, chunk.proof));
        log.info({ epoch: epoch.toString(), part, index: index.toString() }, 'shown');
        return true;
      } finally {
        files.close();
      }
    }
    return false;
  }

  /** Which files belong to which epoch, for the server. */
  #index(epochs: readonly Proposal[]): void {
    const { dataDir } = this.#options;
    mkdirSync(dataDir, { recursive: true });
    const list = epochs.map(({ epoch, dataHash, status, fromBlock, toBlock, root, total }) => ({
      epoch: Number(epoch),
      dataHash,
      status,
      fromBlock: fromBlock.toString(),
      toBlock: toBlock.toString(),
      root,
      total: total.toString(),
    }));
    const path = join(dataDir, 'epochs.json');
    writeFileSync(`${path}.tmp`, JSON.stringify(list));
    renameSync(`${path}.tmp`, path);
  }
}

const requestsOf = async ({ reader }: ChainAccess, epoch: bigint): Promise<{ part: number; index: bigint }[]> => {
  const { state } = await foldBlocks(reader, {
    start: () => [] as { part: number; index: bigint }[],
    apply: (found, { events }) => {
      for (const event of events) {
        if (event.type === 'ChunkRequested' && event.args.epoch === epoch) {
          found.push({ part: event.args.part, index: event.args.index });
        }
      }
    },
  });
  return state;
};
