import type { Call } from '@openledger/client';
import { type Abi, encodeAbiParameters, encodeEventTopics, getAbiItem, type Log, type TransactionReceipt } from 'viem';
import type { Sender } from '../../src/chain/transactor.ts';
import { runnerError } from '../../src/errors.ts';
import { hashOf, runner } from './chainEvents.ts';

type Answer = (call: Call) => readonly Log[] | undefined | Promise<readonly Log[] | undefined>;

/** Takes transactions and answers by function name; what has no answer succeeds without logs. */
export class ScriptedSender implements Sender {
  readonly address = runner.address;
  readonly calls: Call[] = [];
  answers: Record<string, Answer>;

  constructor(answers: Record<string, Answer> = {}) {
    this.answers = answers;
  }

  async send(call: Call): Promise<TransactionReceipt> {
    this.calls.push(call);
    const logs = (await this.answers[call.functionName]?.(call)) ?? [];
    return {
      transactionHash: hashOf(`tx ${this.calls.length}`),
      logs,
      status: 'success',
    } as unknown as TransactionReceipt;
  }

  /** The arguments of all calls of one function, in order. */
  sent(functionName: string): (readonly unknown[])[] {
    return this.calls.filter((call) => call.functionName === functionName).map(({ args }) => args ?? []);
  }
}

/** As the real one refuses. */
export const reverted = (error: string) => runnerError('TRANSACTION_REVERTED', `refused: ${error}`, { error });

/** A log as a contract would emit it. */
export const logOf = (abi: Abi, eventName: string, args: Record<string, unknown>): Log => {
  const item = getAbiItem({ abi, name: eventName });
  if (item?.type !== 'event') throw new TypeError(`no event ${eventName}`);
  const plain = item.inputs.filter(({ indexed }) => !indexed);
  return {
    topics: encodeEventTopics({ abi, eventName, args } as never),
    data: encodeAbiParameters(
      plain,
      plain.map(({ name }) => args[name ?? '']),
    ),
  } as unknown as Log;
};
