import { parseEther, zeroAddress } from 'viem';
import { beforeEach, describe, expect, it } from 'vitest';
import { isolateTests, startChain } from './support/chain.ts';
import {
  alice,
  bob,
  CLOSE_DELAY,
  carol,
  createActor,
  deploySystem,
  publishDatanet,
  receiveModes,
  registerBase,
  runner,
} from './support/system.ts';

const chain = await startChain();
const system = await deploySystem(chain);
const { jobs } = system;
const modelId = await registerBase(system, alice);
const datanetId = await publishDatanet(system, carol);
const actor = await createActor(chain, parseEther('10'));
isolateTests(chain);

const FEE = parseEther('1');
const request = jobs.data('requestTraining', [modelId, datanetId, 1, 3600n, '{}']);

/** The contract requests job 1, the runner fails it for good. */
async function failJobOf(mode: number, callback: `0x${string}` = '0x') {
  await actor.send(bob, 'set', [bob, mode, jobs.address, callback]);
  await actor.send(bob, 'execute', [jobs.address, FEE, request]);
  await jobs.send(runner, 'claimJob', [1n]);
  return jobs.send(runner, 'failJob', [1n, 1, true, 'impossible parameters']);
}

describe('a refund to a contract', () => {
  it('is pushed when it takes it', async () => {
    const receipt = await failJobOf(receiveModes.take);
    expect(jobs.events(receipt, 'Credited')).toEqual([]);
    expect(await chain.balance(actor.address)).toBe(parseEther('10'));
  });

  it('becomes a credit when it reverts, and the runner is not blocked', async () => {
    const receipt = await failJobOf(receiveModes.revert);
    expect(jobs.event(receipt, 'JobRefunded')).toEqual({ jobId: 1n, requester: actor.address, amount: FEE });
    expect(jobs.event(receipt, 'Credited')).toEqual({ account: actor.address, amount: FEE });
    expect(await jobs.read('creditOf', [actor.address])).toBe(FEE);
    expect(await jobs.read('totals', [])).toEqual([FEE, 0n, FEE, 0n]);
    expect(await chain.balance(jobs.address)).toBe(FEE);

    const withdraw = (to: `0x${string}`) => [jobs.address, 0n, jobs.data('withdrawCredit', [to])] as const;
    const refused = [actor.address, FEE];
    await actor.refuses(bob, 'execute', withdraw(actor.address), 'CreditTransferFailed', refused);
    const before = await chain.balance(carol);
    const paid = await actor.send(bob, 'execute', withdraw(carol));
    expect(jobs.event(paid, 'CreditWithdrawn')).toEqual({ account: actor.address, to: carol, amount: FEE });
    expect((await chain.balance(carol)) - before).toBe(FEE);
    await actor.refuses(bob, 'execute', withdraw(carol), 'NoCredit', [actor.address]);
    await jobs.refuses(alice, 'withdrawCredit', [alice], 'NoCredit', [alice]);
  });

  it('costs the runner little when it burns its gas', async () => {
    const receipt = await failJobOf(receiveModes.burnGas);
    expect(jobs.event(receipt, 'Credited').amount).toBe(FEE);
    expect(receipt.gasUsed).toBeLessThan(250_000n);
  });

  it('can not be used to enter Jobs again', async () => {
    await failJobOf(receiveModes.callBack, jobs.data('refundJob', [1n]));
    expect(await actor.read('callbackSucceeded', [])).toBe(false);
    expect(await jobs.read('totals', [])).toEqual([FEE, 0n, FEE, 0n]);
  });

  it('of a channel works the same', async () => {
    await actor.send(bob, 'execute', [jobs.address, FEE, jobs.data('openChannel', [runner])]);
    await actor.send(bob, 'execute', [jobs.address, 0n, jobs.data('requestClose', [1n])]);
    await actor.send(bob, 'set', [bob, receiveModes.revert, zeroAddress, '0x']);
    await chain.warp(CLOSE_DELAY);
    const receipt = await actor.send(bob, 'execute', [jobs.address, 0n, jobs.data('closeChannel', [1n])]);
    expect(jobs.event(receipt, 'Credited')).toEqual({ account: actor.address, amount: FEE });
  });
});

describe('money sent without a purpose', () => {
  beforeEach(() => jobs.send(alice, 'openChannel', [runner], FEE));

  it('is refused', async () => {
    expect((await chain.send({ from: alice, to: jobs.address, value: 1n })).status).toBe('reverted');
    expect(await chain.balance(jobs.address)).toBe(FEE);
  });

  it('that is forced in changes no total', async () => {
    await chain.client.setBalance({ address: jobs.address, value: FEE + 5n });
    expect(await jobs.read('totals', [])).toEqual([FEE, 0n, 0n, FEE]);
  });
});
