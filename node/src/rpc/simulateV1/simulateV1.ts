import { setImmediate } from 'node:timers/promises';
import { type Hex, numberToHex } from 'viem';
import type { BlockHashes } from '../../execution/chainRules.ts';
import type { Block } from '../../primitives/block.ts';
import type { StateView } from '../../state/stateStore.ts';
import type { ChainReader } from '../chainReader.ts';
import { formatBlock, formatLog, type Json } from '../format.ts';
import type { BlockSelector } from '../params.ts';
import { CALL_GAS_CAP } from '../simulate.ts';
import type { CallResult } from './executeCall.ts';
import { layOutBlocks } from './layOutBlocks.ts';
import { simulateBlock } from './simulateBlock.ts';
import type { Simulation } from './toSimulation.ts';

/**
 * eth_simulateV1 (ethereum/execution-apis): blocks of calls that nobody signed, executed one after the other on a block's
 * state and thrown away. The answers are geth's, and so are the hashes. A simulated rollup block has no deposits.
 * @throws -38010 to -38026 when a call or block can't be; what fails inside a call is part of the answer
 */
export const simulateV1 = async (
  chain: ChainReader,
  simulation: Simulation,
  selector: BlockSelector,
): Promise<Json> => {
  const { engine } = chain;
  const { rules } = engine;
  const base = await chain.requireBlock(selector);
  const planned = layOutBlocks(base.header, simulation.blocks);
  const { manager } = await chain.stateOf(base);
  // Nothing of this is ever written.
  const view: StateView = { manager, writesFor: () => [] };
  const hashes = new Map([[base.header.number, base.hash]]);
  const stored = engine.blockHashes();
  const blockHashes: BlockHashes = { hashOf: async (number) => hashes.get(number) ?? stored.hashOf(number) };
  const answers: Json[] = [];
  let parent = base.header;
  let gasBudget = CALL_GAS_CAP;
  for (const plan of planned) {
    // Some milliseconds a block, all in memory: between blocks others get their turn.
    await setImmediate();
    const options = { ...simulation, gasBudget };
    const result = await simulateBlock({ rules, view, parent, blockHashes }, plan, options);
    const block: Block = { ...result.block, l1Origin: base.l1Origin, sequenceNumber: base.sequenceNumber };
    gasBudget -= block.header.gasUsed;
    hashes.set(block.header.number, block.hash);
    answers.push(formatSimulated(block, result.calls, simulation.returnFullTransactions));
    parent = block.header;
  }
  return answers;
};

const formatSimulated = (block: Block, calls: readonly CallResult[], full: boolean): Json => {
  let logIndex = 0;
  return {
    ...(formatBlock(block, full) as { [key: string]: Json }),
    calls: calls.map(({ returned, logs, gasUsed, maxUsedGas, error }, transactionIndex) => {
      const transactionHash = block.transactions[transactionIndex]?.hash as Hex;
      return {
        returnData: returned,
        logs: logs.map((log) => formatLog(log, { block, transactionIndex, transactionHash, logIndex: logIndex++ })),
        gasUsed: numberToHex(gasUsed),
        maxUsedGas: numberToHex(maxUsedGas),
        status: error ? '0x0' : '0x1',
        ...(error ? { error } : {}),
      };
    }),
  };
};
