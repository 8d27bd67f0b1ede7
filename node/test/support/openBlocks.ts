import { predeploys } from '@openledger/chain-config';
import { datanetsAbi } from '@openledger/contracts';
import type { FeedEntry } from '@openledger/event-log';
import { encodeFunctionData, type Hex } from 'viem';
import type { Flashblock } from '../../src/pending/flashblock.ts';
import { TestChain } from './testChain.ts';
import { ana } from './wallets.ts';

/** A chain whose blocks the test opens, extends and seals, with the flashblocks that it published. */
export const startOpenBlocks = async () => {
  const chain = await TestChain.start();
  const flashblocks: Flashblock[] = [];
  chain.pending.onFlashblock((flashblock) => flashblocks.push(flashblock));
  return { chain, builder: chain.sequencer.builder, flashblocks };
};

/** A transaction of Ana's that makes an event. */
export const sendDatanet = (chain: TestChain, nonce: number, name: string): Promise<Hex> => {
  const data = encodeFunctionData({ abi: datanetsAbi, functionName: 'createDatanet', args: [name, 0, 'text'] });
  return chain.send(ana, { nonce, to: predeploys.datanets, data, gas: 1_000_000n });
};

/** Entries in short: `p1.0` is the first flashblock of block 1. */
export const kindsOf = (entries: readonly FeedEntry[]): string[] =>
  entries.map((entry) => (entry.kind === 'provisional' ? `p${entry.number}.${entry.index}` : entry.kind));

/** What the feed tells, taken as far as it goes without waiting. */
export const feedOf = (chain: TestChain) => {
  const abort = new AbortController();
  const entries: FeedEntry[] = [];
  const done = (async () => {
    for await (const entry of chain.engine.eventLog.followProvisional(0, { signal: abort.signal })) entries.push(entry);
  })();
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    return entries;
  };
  const stop = () => {
    abort.abort();
    return done;
  };
  return { settle, stop };
};
