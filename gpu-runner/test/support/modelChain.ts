import type { Call } from '@openledger/client';
import { type BatchOutput, decodePage, outputIdOf, outputsOf, pagesRoot } from '@openledger/contracts';
import type { ChainEvent } from '@openledger/event-log';
import { type Hex, hexToBytes, type TransactionReceipt } from 'viem';
import type { RunnerView } from '../../src/chain/runnerView.ts';
import type { Outcome, Sender, SendOptions } from '../../src/chain/transactor.ts';
import { runnerError } from '../../src/errors.ts';
import { channelOpened, event, hashOf, low, payer, runner, tell } from './chainEvents.ts';
import { reverted } from './scriptedSender.ts';

type ModelChannel = {
  deposit: bigint;
  settled: bigint;
  refunded: bigint;
  closing: boolean;
  closed: boolean;
  signed: bigint;
};
type Voucher = { channelId: bigint; cumulativeAmount: bigint; settleUpTo: bigint };
type Sent = { call: Call; state: 'pending' | 'replaced' | TransactionReceipt };

/** How the next transaction fares: it lands; its answer is lost though it lands; it waits; it never lands. */
export type Fate = 'lands' | 'unheard' | 'waits' | 'replaced';

/**
 * The rules of channels once more, on plain objects, as the chain that a settler sends to. Its events reach the runner's view
 * only when they are delivered.
 */
export class ModelChain implements Sender {
  readonly address = runner.address;
  readonly channels: ModelChannel[] = [];
  /** Every output that is on chain, by id, with how often. */
  readonly recorded = new Map<Hex, number>();
  fate: Fate = 'lands';
  readonly #sent: Sent[] = [];
  #events: ChainEvent[] = [];
  #batches = 0n;

  open(deposit: bigint): void {
    const fresh = { deposit, settled: 0n, refunded: 0n, closing: false, closed: false, signed: 0n };
    this.#events.push(channelOpened(BigInt(this.channels.push(fresh)), deposit));
  }

  topUp(index: number, amount: bigint): void {
    const channel = this.channels[index];
    if (!channel || channel.closed) return;
    channel.deposit += amount;
    this.#events.push(event('ChannelToppedUp', { channelId: BigInt(index + 1), amount, deposit: channel.deposit }));
  }

  requestClose(index: number): void {
    const channel = this.channels[index];
    if (!channel || channel.closed) return;
    channel.closing = true;
    this.#events.push(event('ChannelCloseRequested', { channelId: BigInt(index + 1), closableAt: 1n }));
  }

  close(index: number): void {
    const channel = this.channels[index];
    if (!channel?.closing || channel.closed) return;
    channel.closed = true;
    channel.refunded = channel.deposit - channel.settled;
    const [channelId, refund] = [BigInt(index + 1), channel.refunded];
    this.#events.push(event('ChannelClosed', { channelId, payer: low(payer.address), refund }));
  }

  deliver(view: RunnerView): void {
    tell(view, ...this.#events);
    this.#events = [];
  }

  async send(call: Call, { onSigned }: SendOptions = {}): Promise<TransactionReceipt> {
    this.#check(call);
    const nonce = this.#sent.length;
    await onSigned?.({ hash: hashOf(`tx ${nonce}`), nonce, raw: hashOf(`raw ${nonce}`) });
    const sent: Sent = { call, state: 'pending' };
    this.#sent.push(sent);
    // Behind a nonce that waits, everything waits.
    const waits = this.#sent.slice(0, -1).some(({ state }) => state === 'pending');
    const fate = waits ? 'waits' : this.fate;
    this.fate = 'lands';
    if (fate === 'replaced') sent.state = 'replaced';
    if (fate === 'lands' || fate === 'unheard') this.#land(sent);
    if (fate !== 'lands') throw runnerError('CHAIN_UNAVAILABLE', 'no answer');
    if (sent.state === 'pending' || sent.state === 'replaced') throw new Error('it landed');
    return sent.state;
  }

  async outcome({ nonce }: { nonce: number }): Promise<Outcome> {
    return this.#sent[nonce]?.state ?? 'replaced';
  }

  async broadcast(raw: Hex): Promise<void> {
    if (!this.#sent.some((_, nonce) => hashOf(`raw ${nonce}`) === raw)) throw new Error('nobody signed this');
  }

  /** What waits longest gets into a block, or loses its nonce to another transaction. */
  decide(lands: boolean): void {
    const sent = this.#sent.find(({ state }) => state === 'pending');
    if (!sent) return;
    if (lands) this.#land(sent);
    else sent.state = 'replaced';
  }

  #vouchers({ functionName, args = [] }: Call): readonly Voucher[] {
    return functionName === 'settleChannels' ? (args[0] as Voucher[]) : [];
  }

  #check(call: Call): void {
    for (const { channelId, cumulativeAmount, settleUpTo } of this.#vouchers(call)) {
      const channel = this.channels[Number(channelId) - 1];
      const refusal = (name: string) => reverted(name, channelId.toString());
      if (!channel) throw refusal('UnknownChannel');
      if (channel.closed) throw refusal('ChannelIsClosed');
      if (settleUpTo <= channel.settled) throw refusal('StaleVoucher');
      if (settleUpTo > cumulativeAmount) throw refusal('SettleOverVoucher');
      if (settleUpTo > channel.deposit) throw refusal('Overdraw');
      if (cumulativeAmount > channel.signed) throw refusal('BadSignature');
    }
  }

  #land(sent: Sent): void {
    const { call } = sent;
    try {
      this.#check(call);
    } catch {
      sent.state = { status: 'reverted' } as TransactionReceipt;
      return;
    }
    const pages = ((call.args?.at(-1) ?? []) as Hex[]).map((page) => hexToBytes(page));
    const outputs = pages.flatMap((page) => outputsOf(decodePage(page)));
    for (const output of outputs) {
      const id = outputIdOf(output);
      this.recorded.set(id, (this.recorded.get(id) ?? 0) + 1);
    }
    this.#append(pages);
    for (const voucher of this.#vouchers(call)) this.#redeem(voucher, outputs);
    sent.state = { status: 'success', transactionHash: hashOf('landed'), logs: [] } as unknown as TransactionReceipt;
  }

  #append(pages: readonly Uint8Array[]): void {
    const hashes = { pagesRoot: pagesRoot(pages), settlementsHash: hashOf('settlements'), head: hashOf('head') };
    const args = { batchIndex: this.#batches++, runner: low(runner.address), pageCount: pages.length, ...hashes };
    this.#events.push(event('BatchAppended', args));
  }

  #redeem({ channelId, settleUpTo }: Voucher, outputs: readonly BatchOutput[]): void {
    const channel = this.channels[Number(channelId) - 1] as ModelChannel;
    const amount = settleUpTo - channel.settled;
    const carried = outputs
      .filter(({ sourceId }) => sourceId === channelId)
      .reduce((sum, { feeWeight }) => sum + feeWeight, 0n);
    if (amount !== carried) throw new Error(`${amount} wei for outputs of ${carried}`);
    channel.settled = settleUpTo;
    this.#events.push(
      event('ChannelSettled', {
        ...{ channelId, runner: low(runner.address), payer: low(payer.address), amount, cumulative: settleUpTo },
        ...{ batchIndex: this.#batches - 1n, splitVersion: 1 },
      }),
    );
  }
}
