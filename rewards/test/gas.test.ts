import type { BatchOutput } from '@openledger/contracts';
import { type Address, bytesToHex, parseEther } from 'viem';
import { describe, expect, it } from 'vitest';
import { startChain } from '../../contracts/test/support/chain.ts';
import { bob, carol, governance, hashOf, MIN_BOND, runner } from '../../contracts/test/support/system.ts';
import { scanCall } from '../src/challenge/challengeCalls.ts';
import { limits } from '../src/rules/limits.ts';
import { evidenceFor } from './chain/openBatch.ts';
import { playChain } from './chain/playChain.ts';

/** What one transaction may use since EIP-7825. */
const MAX_GAS = 16_777_216;
const chain = await startChain();
const played = await playChain(chain);
const { datanets, staking, recompute, take } = played;
const someone = (i: number): Address => `0x${(i + 1).toString(16).padStart(40, '6')}`;

const gasOf = async (data: `0x${string}`) =>
  Number(await chain.client.estimateGas({ account: bob, to: recompute.address, data, gas: 100_000_000n }));

/** `rows` accepted contributions, all of different originals. */
const contributions = async (rows: number) => {
  const net = await played.datanet();
  const submitted: bigint[] = [];
  for (let i = 0; i < rows; i++) {
    const args = [net, hashOf(`row ${i}`), 3, 10, 'a.txt'] as const;
    const receipt = take(await datanets.send(someone(Math.floor(i / 20)), 'submit', args));
    submitted.push(datanets.event(receipt, 'ContributionSubmitted').contributionId);
  }
  for (const id of submitted) take(await datanets.send(governance, 'accept', [id, 1, 0n]));
  return submitted.map(Number);
};

describe('a dispute about the longest output that is paid for', () => {
  it('fits into a transaction: scan, rows, clusters, stakers and all', async () => {
    const ids = await contributions(limits.paidRows);
    const base = await played.base(carol);
    for (let i = 0; i < 64; i++) {
      const account = someone(1000 + i);
      await chain.client.setBalance({ address: account, value: MIN_BOND });
      take(await staking.send(account, 'delegate', [runner], MIN_BOND / 100n));
    }
    const rows = Object.fromEntries(ids.map((id, i) => [id, 1 + ((i * 7919) % 100)]));
    const few = Object.fromEntries(ids.slice(0, 120).map((id) => [id, 1]));
    /** The first output, and others until the page is as long as one that is paid for. */
    const filled = (first: BatchOutput, more: () => BatchOutput): BatchOutput[] => {
      const outputs = [first];
      while (bytesOf([...outputs, more()]) <= limits.paidBody) outputs.push(more());
      return outputs;
    };
    const bytesOf = (outputs: BatchOutput[]) => (played.pagesOf([outputs])[0]?.bytes.length ?? 0) - 2;
    // An answer without rows, whose contributors are those of the longest training output: two pages have to be read.
    const net = 1n;
    take(await datanets.send(governance, 'publishVersion', [net]));
    const adapter = await played.train(bob, base, net, parseEther('1'), (id) => {
      const job = { kind: 1 as const, id };
      return [filled(played.output(job, base, 9n, rows), () => played.output(job, base, 0n, few))];
    });
    const channel = await played.channel(2);
    const source = { kind: 2 as const, id: channel.id };
    const answers = filled(played.output(source, adapter, 1n), () => played.output(source, adapter, 1n, few));
    await played.settle([{ channel, cumulative: parseEther('1') + 13n }], [answers]);
    const { evidence, scans } = await evidenceFor(played, governance, { batch: 1, page: 0, output: 0 });
    for (const other of scans.slice(1)) await recompute.send(bob, 'scan', scanCall(other, 0, 1).args as never);
    const [scan] = scans;
    if (!scan) throw new Error('no scan');
    const scanGas = await gasOf(recompute.data('scan', scanCall(scan, 0, 1).args as never));
    await recompute.send(bob, 'scan', scanCall(scan, 0, 1).args as never);
    const dueGas = await gasOf(recompute.data('due', [someone(0), (2n << 48n) as never, evidence as never]));
    // The challenge adds two chunks of the trace: less than a million.
    expect(scanGas).toBeLessThan(MAX_GAS);
    expect(dueGas).toBeLessThan(MAX_GAS - 1_000_000);
  }, 120_000);

  it('can read any page whose body is as long as a paid one may be', async () => {
    const ids = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [i + 1, 1]));
    const source = { kind: 2 as const, id: 9n };
    for (const [rows, _short] of [
      [2_020, 'rows of three bytes'],
      [0, 'outputs without rows'],
    ] as const) {
      const outputs =
        rows > 0
          ? [played.output(source, 1n, 1n, ids(rows))]
          : Array.from({ length: 80 }, () => played.output(source, 1n, 1n));
      const [page] = played.pagesOf([outputs]);
      if (!page) throw new Error('no page');
      const gas = await gasOf(recompute.data('weightOnPage' as never, [bytesToHex(page.bytes), 2, 9n] as never));
      expect(gas).toBeLessThan(MAX_GAS - 1_000_000);
    }
  });
});
