import type {
  Abi,
  Address,
  ContractEventName,
  ContractFunctionArgs,
  ContractFunctionName,
  ContractFunctionReturnType,
  Hex,
  ParseEventLogsReturnType,
  TransactionReceipt,
} from 'viem';
import { BaseError, decodeErrorResult, decodeFunctionResult, encodeFunctionData, parseEventLogs } from 'viem';
import { expect } from 'vitest';
import { contractErrorsAbi } from '../../ts/errors.ts';
import { bornAbi } from '../generated/Born.ts';
import type { Chain } from './chain.ts';

type Write = 'nonpayable' | 'payable';
type Read = 'view' | 'pure';

const errors = [...contractErrorsAbi, ...bornAbi.filter((item) => item.type === 'error')];

export type Contract<abi extends Abi> = ReturnType<typeof contractAt<abi>>;

/** A deployed contract in the hands of a test: read it, send to it, expect its refusals and events. */
export function contractAt<const abi extends Abi>(chain: Chain, abi: abi, address: Address) {
  const encode = (functionName: string, args: readonly unknown[]): Hex =>
    encodeFunctionData({ abi: abi as Abi, functionName, args });

  return {
    address,
    abi,
    data: <fn extends ContractFunctionName<abi, Write>>(name: fn, args: ContractFunctionArgs<abi, Write, fn>) =>
      encode(name, args as readonly unknown[]),

    async read<fn extends ContractFunctionName<abi, Read>>(
      name: fn,
      args: ContractFunctionArgs<abi, Read, fn>,
    ): Promise<ContractFunctionReturnType<abi, Read, fn>> {
      const data = await chain.call({ from: address, to: address, data: encode(name, args as readonly unknown[]) });
      return decodeFunctionResult({
        abi: abi as Abi,
        functionName: name as string,
        data,
      }) as ContractFunctionReturnType<abi, Read, fn>;
    },

    /** Sends and expects success. */
    async send<fn extends ContractFunctionName<abi, Write>>(
      from: Address,
      name: fn,
      args: ContractFunctionArgs<abi, Write, fn>,
      value = 0n,
    ): Promise<TransactionReceipt> {
      const transaction = { from, to: address, data: encode(name, args as readonly unknown[]), value };
      const receipt = await chain.send(transaction);
      if (receipt.status !== 'success') {
        const reason = await refusal(chain, transaction);
        throw new Error(`${name} was refused: ${reason.errorName} ${JSON.stringify(reason.args, bigintAsText)}`);
      }
      return receipt;
    },

    /** Expects that the contract refuses with exactly this error. */
    async refuses<fn extends ContractFunctionName<abi, Write>>(
      from: Address,
      name: fn,
      args: ContractFunctionArgs<abi, Write, fn>,
      errorName: string,
      errorArgs: readonly unknown[] = [],
      value = 0n,
    ): Promise<void> {
      const transaction = { from, to: address, data: encode(name, args as readonly unknown[]), value };
      expect(await refusal(chain, transaction)).toEqual({ errorName, args: [...errorArgs] });
    },

    /** The name of the error with which a read is refused. */
    async refusalOf<fn extends ContractFunctionName<abi, Read>>(
      name: fn,
      args: ContractFunctionArgs<abi, Read, fn>,
    ): Promise<string> {
      const data = encode(name, args as readonly unknown[]);
      return (await refusal(chain, { from: address, to: address, data, value: 0n })).errorName;
    },

    /** The arguments of this contract's events of one name, in order. */
    events<name extends ContractEventName<abi>>(receipt: TransactionReceipt, eventName: name): EventArgs<abi, name>[] {
      const logs = receipt.logs.filter((log) => log.address === address.toLowerCase());
      const parsed = parseEventLogs({ abi: abi as Abi, eventName, logs });
      return parsed.map((log) => log.args as unknown as EventArgs<abi, name>);
    },

    /** The one event of this name. */
    event<name extends ContractEventName<abi>>(receipt: TransactionReceipt, eventName: name): EventArgs<abi, name> {
      const [found, ...more] = this.events(receipt, eventName);
      if (found === undefined || more.length > 0)
        throw new Error(`expected one ${eventName}, got ${found === undefined ? 0 : more.length + 1}`);
      return found;
    },
  };
}

type EventArgs<abi extends Abi, name extends ContractEventName<abi>> = ParseEventLogsReturnType<
  abi,
  name,
  true
>[number] extends { args: infer args }
  ? args
  : never;

async function refusal(chain: Chain, transaction: { from: Address; to: Address; data: Hex; value: bigint }) {
  try {
    await chain.call(transaction);
  } catch (error) {
    const data = revertData(error);
    if (data === undefined) throw error;
    if (data === '0x') return { errorName: '', args: [] };
    const decoded = decodeErrorResult({ abi: errors, data });
    return { errorName: decoded.errorName, args: [...((decoded.args ?? []) as unknown[])] };
  }
  return { errorName: 'none: it succeeded', args: [] as unknown[] };
}

export function revertData(error: unknown): Hex | undefined {
  if (!(error instanceof BaseError)) return undefined;
  const withData = error.walk((cause) => typeof (cause as { data?: unknown }).data === 'string');
  return (withData as { data?: Hex } | null)?.data;
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
