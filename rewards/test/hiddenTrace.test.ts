import { zeroHash } from 'viem';
import { describe, expect, it } from 'vitest';
import { bob, carol, REQUEST_FEE, RESPONSE_WINDOW, ROOT_BOND } from '../../contracts/test/support/system.ts';
import { requestCall, showCall } from '../src/challenge/challengeCalls.ts';
import { type ProvenChunk, parts, shownPart } from '../src/trace/partView.ts';
import {
  chain,
  challengeOf,
  disputes,
  find,
  propose,
  records,
  refuses,
  rewards,
  second,
  send,
  some,
  without,
} from './chain/disputed.ts';
import { forge } from './chain/forge.ts';

describe('a trace that nobody has published', () => {
  const hidden = () => forge(second.epoch, without(some));

  it('is shown chunk by chunk when it is asked for, until the fault is seen', async () => {
    const forged = hidden();
    const epoch = await propose(forged);
    const shown = new Map<number, ProvenChunk>();
    const views = () => ({ trace: shownPart(forged.proposal.traceRoot, shown), nodes: forged.nodes });
    let fault = find(forged, views());
    let asked = 0;
    for (; fault?.kind === 'request'; asked++) {
      const before = await chain.balance(carol);
      await send(requestCall(epoch, 'trace', fault.index), REQUEST_FEE);
      const chunk = forged.trace.chunk(fault.index) as ProvenChunk;
      const { args } = showCall(epoch, parts.trace, BigInt(fault.index), chunk.bytes, chunk.proof);
      await disputes.send(carol, 'showChunk', args as never);
      expect((await chain.balance(carol)) - before).toBe(REQUEST_FEE);
      shown.set(fault.index, chunk);
      fault = find(forged, views());
    }
    expect(asked).toBeGreaterThan(0);
    if (!fault) throw new Error('no fault');
    const receipt = await send(await challengeOf(epoch, fault));
    expect(rewards.event(receipt, 'RootRejected').reason).toBe('receipt');
  });

  it('is rejected when it is not shown in time', async () => {
    const epoch = await propose(hidden());
    const none = new Map<number, ProvenChunk>();
    expect(find(hidden(), { trace: shownPart(hidden().proposal.traceRoot, none), nodes: hidden().nodes })).toEqual({
      kind: 'request',
      part: 'trace',
      index: 0,
    });
    // In the last second of the window, which then stays open.
    await chain.next((await rewards.read('epochInfo', [epoch])).disputableUntil - 1n);
    await disputes.send(bob, 'requestChunk', [epoch, parts.trace, 0n], REQUEST_FEE);
    const { deadline } = await disputes.read('requestOf', [epoch, parts.trace, 0n]);
    expect((await rewards.read('epochInfo', [epoch])).disputableUntil).toBe(deadline + RESPONSE_WINDOW);
    await disputes.refuses(bob, 'rejectUnanswered', [epoch, parts.trace, 0n], 'StillTime', [epoch, deadline]);
    await chain.at(deadline);
    const before = await chain.balance(bob);
    const receipt = await disputes.send(carol, 'rejectUnanswered', [epoch, parts.trace, 0n]);
    expect(rewards.event(receipt, 'RootRejected')).toEqual({ epoch, challenger: bob, reason: 'silence' });
    expect((await chain.balance(bob)) - before).toBe(ROOT_BOND / 2n + REQUEST_FEE);
    expect(await chain.balance(disputes.address)).toBe(0n);
  });

  it('can be asked for in bounds, once, at a price, and shown only as it is', async () => {
    const forged = hidden();
    const epoch = await propose(forged);
    const count = BigInt(Math.ceil((records.length - 1) / 64));
    const ask = (part: number, index: bigint) => [epoch, part, index] as const;
    await disputes.refuses(bob, 'requestChunk', ask(0, 0n), 'WrongFee', [0n, REQUEST_FEE]);
    await disputes.refuses(bob, 'requestChunk', ask(0, count), 'NoChunk', [count, count], REQUEST_FEE);
    await disputes.send(bob, 'requestChunk', ask(0, 1n), REQUEST_FEE);
    const { deadline } = await disputes.read('requestOf', [epoch, 0, 1n]);
    await disputes.refuses(bob, 'requestChunk', ask(0, 1n), 'AlreadyRequested', [epoch, deadline], REQUEST_FEE);
    const one = forged.trace.chunk(1) as ProvenChunk;
    const other = forged.trace.chunk(0) as ProvenChunk;
    const show = (index: bigint, { bytes, proof }: ProvenChunk) => showCall(epoch, 0, index, bytes, proof);
    await refuses(show(0n, other), 'NotRequested', [epoch]);
    await refuses(show(1n, other), 'NotInTree', [1n]);
    await refuses(show(1n, { ...one, proof: [...one.proof, zeroHash] }), 'NotInTree', [1n]);
    await send(show(1n, one));
    await refuses(show(1n, one), 'NotRequested', [epoch]);
    await disputes.refuses(bob, 'rejectUnanswered', ask(0, 1n), 'NotRequested', [epoch]);
    const nodes = forged.nodes.chunk(0) as ProvenChunk;
    await disputes.send(bob, 'requestChunk', ask(1, 0n), REQUEST_FEE);
    await send(showCall(epoch, 1, 0n, nodes.bytes, nodes.proof));
  });
});
