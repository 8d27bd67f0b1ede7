import { devnet } from '@openledger/chain-config';
import {
  attributionProof,
  auditFindings,
  auditOpening,
  auditStatuses,
  contracts,
  drawOf,
  readBatch,
} from '@openledger/client';
import { type BatchOutput, encodePages, outputIdOf } from '@openledger/contracts';
import type { BlockEntry } from '@openledger/event-log';
import { type Abi, bytesToHex, encodeFunctionData, isAddressEqual, keccak256, toHex } from 'viem';
import type { PrivateKeyAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../node/test/support/testServer.ts';
import { ana, bo, chi, governance, lower, OPEN, wallet } from '../node/test/support/wallets.ts';

const { audits } = devnet.economics;
const output = (nonce: number): BatchOutput => ({
  modelId: 3n,
  sourceKind: nonce % 4 === 0 ? 1 : 2,
  sourceId: 7n,
  method: 2,
  nonce: BigInt(nonce),
  promptHash: keccak256(toHex(`prompt ${nonce}`)),
  outputHash: keccak256(toHex(`output ${nonce}`)),
  promptTokens: 11,
  outputTokens: 22,
  feeWeight: 1n,
  rows: [],
});

/** On a node of ours, with the devnet's settings: what a runner's software does, with the client alone. */
describe('an audit', () => {
  let server: TestServer;
  const runners = [ana, bo, chi, governance, wallet('dan')];
  const outputs = Array.from({ length: 80 }, (_, nonce) => output(nonce));
  const call = async (
    from: PrivateKeyAccount,
    { address, abi }: { address: `0x${string}`; abi: Abi },
    functionName: string,
    args: readonly unknown[],
    value = 0n,
  ) => {
    const data = encodeFunctionData({ abi, functionName, args });
    const { receipt } = await server.chain.execute(from, { to: address, data, value, gas: 5_000_000n });
    expect(receipt.success).toBe(true);
    const entry = await server.chain.engine.eventLog.entryOf(server.chain.engine.heads.unsafe.hash);
    return (entry as BlockEntry).events;
  };

  beforeAll(async () => {
    server = await startTestServer();
    const { address: to } = wallet('dan');
    await server.chain.execute(ana, { to, value: 10n * OPEN });
    for (const one of runners) {
      await call(one, contracts.staking, 'bond', [], OPEN);
      await call(one, contracts.staking, 'announce', [`http://${one.address}`]);
    }
    const pages = encodePages(outputs, { targetBytes: 2_000 }).map((page) => bytesToHex(page));
    await call(ana, contracts.attributionLedger, 'append', [pages]);
  });
  afterAll(() => server.close());

  it('is opened by what the chain tells, and goes its way', async () => {
    const { client } = server;
    const batch = await readBatch(client, 0n);
    const placeOf = (one: BatchOutput) => attributionProof(batch, { outputId: outputIdOf(one) }).place;
    const { beaconDelay } = audits;
    const early = auditOpening(client, { place: placeOf(output(0)), beaconDelay });
    await expect(early).rejects.toThrow(RangeError);
    await server.chain.steps(beaconDelay + 1);

    const beacon = await client.getBlock({ blockNumber: batch.header.blockNumber + BigInt(beaconDelay) });
    // The L1 origin's, which is one for several blocks of L2.
    const { mixHash: seed } = beacon;
    const drawn = outputs.filter((one) => drawOf(outputIdOf(one), one.sourceKind, seed, audits));
    expect(drawn.length).toBeGreaterThan(0);
    expect(drawn.length).toBeLessThan(20);
    const [one] = drawn as [BatchOutput];
    const outputId = outputIdOf(one);
    const opening = await auditOpening(client, { place: placeOf(one), beaconDelay });
    const opened = await call(bo, contracts.audits, 'open', opening);
    const audit = await client.readContract({ ...contracts.audits, functionName: 'audit', args: [outputId] });
    expect(opened).toMatchObject([
      {
        type: 'AuditOpened',
        args: {
          outputId,
          runner: lower(ana.address),
          auditor: lower(audit.auditor),
          modelId: 3n,
          batchIndex: 0n,
          seed,
        },
      },
    ]);
    const who = (address: string) =>
      runners.find((runner) => isAddressEqual(runner.address, address as `0x${string}`)) as PrivateKeyAccount;
    const report = [outputId, auditFindings.differs, 'token 3 of 22'];
    const reported = await call(who(audit.auditor), contracts.audits, 'report', report);
    expect(reported.map(({ type }) => type)).toEqual(['AuditReported', 'AuditContested']);
    const [first, second] = audit.jurors.map(who) as [PrivateKeyAccount, PrivateKeyAccount];
    const vote = [outputId, auditFindings.differs, ''];
    expect((await call(first, contracts.audits, 'vote', vote)).map(({ type }) => type)).toEqual(['AuditVoted']);
    const decided = await call(second, contracts.audits, 'vote', vote);
    expect(decided.map(({ type }) => type)).toEqual(['AuditVoted', 'AuditClosed', 'BondChanged', 'Slashed']);
    expect(decided[1]?.args).toEqual({ outputId, runner: lower(ana.address), outcome: auditStatuses.faulted });
    expect(decided[3]?.args).toMatchObject({ runner: lower(ana.address), amount: OPEN / 2n });
  });
});
