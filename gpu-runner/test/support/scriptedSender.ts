import type { Call } from '@openledger/client';
import {
  type Abi,
  encodeAbiParameters,
  encodeEventTopics,
  getAbiItem,
  type Hex,
  type Log,
  type TransactionReceipt,
} from 'viem';
import type { Outcome, Sender, SendOptions } from '../../src/chain/transactor.ts';
import { runnerError } from '../../src/errors.ts';
import { hashOf, runner } from './chainEvents.ts';

type Answer = (call: Call) => readonly Log[] | undefined | Promise<readonly Log[] | undefined>;

/**
 * Takes transactions and answers by function name; what has no answer succeeds without logs. What threw is pending until
 * `outcomes` says otherwise, by transaction hash.
 */
export class ScriptedSender implements Sender {
  readonly address = runner.address;
  readonly calls: Call[] = [];
  readonly outcomes = new Map<Hex, Outcome>();
  readonly broadcasts: Hex[] = [];
  answers: Record<string, Answer>;

  constructor(answers: Record<string, Answer> = {}) {
    this.answers = answers;
  }

  async send(call: Call, { onSigned }: SendOptions = {}): Promise<TransactionReceipt> {
    this.calls.push(call);
    const nonce = this.calls.length;
    const hash = hashOf(`tx ${nonce}`);
    await onSigned?.({ hash, nonce, raw: hashOf(`raw ${nonce}`) });
    const logs = (await this.answers[call.functionName]?.(call)) ?? [];
    const receipt = { transactionHash: hash, logs, status: 'success' } as unknown as TransactionReceipt;
    this.outcomes.set(hash, receipt);
    return receipt;
  }

  async outcome({ hash }: { hash: Hex }): Promise<Outcome> {
    return this.outcomes.get(hash) ?? 'pending';
  }

  async broadcast(raw: Hex): Promise<void> {
    this.broadcasts.push(raw);
  }

  /** The arguments of all calls of one function, in order. */
  sent(functionName: string): (readonly unknown[])[] {
    return this.calls.filter((call) => call.functionName === functionName).map(({ args }) => args ?? []);
  }
}

/** As the real one refuses. */
export const reverted = (error: string, subject = '') =>
  runnerError('TRANSACTION_REVERTED', `refused: ${error}`, { error, subject });

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
