import { type Address, getAddress } from 'viem';
import { RpcError } from '../rpcError.ts';

/** execution-apis' codes of what can be wrong with a simulation, as geth uses them. */
export const codes = {
  nonceTooLow: -38010,
  nonceTooHigh: -38011,
  baseFeeTooLow: -38012,
  intrinsicGas: -38013,
  insufficientFunds: -38014,
  blockGasLimit: -38015,
  blockNumber: -38020,
  blockTimestamp: -38021,
  initCodeSize: -38025,
  clientLimit: -38026,
  vm: -32015,
  invalidParams: -32602,
  internal: -32603,
} as const;

export type SimulationErrorName = keyof typeof codes;

/** Why blocks can't be laid out or a call can't be part of its block: the whole request fails with it. */
export const simulationError = (name: SimulationErrorName, message: string): RpcError =>
  new RpcError(codes[name], message);

/** A call that no block could hold, in geth's words; `suppliedGas` is the call's gas limit. */
export const refusedCall = (name: SimulationErrorName, message: string, suppliedGas: bigint): RpcError =>
  simulationError(name, `err: ${message} (supplied gas ${suppliedGas})`);

/** geth writes addresses with checksums. */
export const checksummed = (address: Address): string => `address ${getAddress(address)}`;
