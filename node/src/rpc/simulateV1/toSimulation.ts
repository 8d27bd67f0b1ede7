import { type CallRequest, toCallRequest, toFields, toList } from '../params.ts';
import { type StateOverrides, toStateOverrides } from '../stateOverrides.ts';
import { type BlockOverrides, toBlockOverrides } from './blockOverrides.ts';
import { MAX_BLOCKS } from './layOutBlocks.ts';
import { simulationError } from './simulationErrors.ts';

export type SimulatedBlock = {
  readonly overrides: BlockOverrides;
  readonly state: StateOverrides;
  readonly calls: readonly CallRequest[];
};

/** What eth_simulateV1 is asked for. */
export type Simulation = {
  readonly blocks: readonly SimulatedBlock[];
  /** Ether that moves is told as ERC-20 transfers of the address of ERC-7528. */
  readonly traceTransfers: boolean;
  /** Nonces, prices and balances are held to what the chain holds transactions to. */
  readonly validation: boolean;
  readonly returnFullTransactions: boolean;
};

/** geth's limits of one request. */
const MAX_CALLS_PER_BLOCK = 5_000;
const MAX_CALLS = 10_000;

/** @throws -32602 on malformed input, -38026 when there is too much of it */
export const toSimulation = (value: unknown, index: number): Simulation => {
  const fields = toFields(value, index, 'a simulation');
  const blocks = toList(fields.blockStateCalls, index, 'blocks') ?? [];
  if (blocks.length === 0) throw simulationError('invalidParams', 'empty input');
  if (BigInt(blocks.length) > MAX_BLOCKS) throw simulationError('clientLimit', 'too many blocks');
  let total = 0;
  const parsed = blocks.map((item): SimulatedBlock => {
    const { blockOverrides, stateOverrides, calls: list } = toFields(item, index, 'a block of calls');
    const calls = toList(list, index, 'calls') ?? [];
    total += calls.length;
    if (calls.length > MAX_CALLS_PER_BLOCK) {
      throw simulationError('clientLimit', `too many calls in block: ${calls.length} > ${MAX_CALLS_PER_BLOCK}`);
    }
    if (total > MAX_CALLS) throw simulationError('clientLimit', `too many calls: ${total} > ${MAX_CALLS}`);
    return {
      overrides: toBlockOverrides(blockOverrides, index),
      state: toStateOverrides(stateOverrides, index),
      calls: calls.map((call) => toCallRequest(call, index)),
    };
  });
  return {
    blocks: parsed,
    traceTransfers: fields.traceTransfers === true,
    validation: fields.validation === true,
    returnFullTransactions: fields.returnFullTransactions === true,
  };
};
