import { type Hex, hashTypedData, hexToBigInt, numberToHex, parseEther, recoverAddress, zeroAddress } from 'viem';
import { describe, expect, it } from 'vitest';
import { voucherTypedData } from '../ts/eip712.ts';
import { settlementsHash } from '../ts/page/pagesTree.ts';
import { account, isolateTests, startChain } from './support/chain.ts';
import {
  alice,
  bob,
  CLOSE_DELAY,
  carol,
  createActor,
  deploySystem,
  MIN_BOND,
  otherRunner,
  page,
  receiveModes,
  runner,
} from './support/system.ts';

const chain = await startChain();
const { jobs, ledger, rewards, staking } = await deploySystem(chain);
isolateTests(chain);

const DEPOSIT = parseEther('1');
const chainId = chain.client.chain.id;
/** Order of secp256k1. */
const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

async function open(payer = alice, to = runner, deposit = DEPOSIT) {
  return jobs.event(await jobs.send(payer, 'openChannel', [to], deposit), 'ChannelOpened').channelId;
}

async function voucher(channelId: bigint, cumulativeAmount: bigint, signer = account(1)) {
  const typedData = voucherTypedData({ chainId, jobs: jobs.address }, { channelId, cumulativeAmount });
  return { channelId, cumulativeAmount, signature: await signer.signTypedData(typedData) };
}

type Voucher = Awaited<ReturnType<typeof voucher>>;
const settleArgs = (...vouchers: Voucher[]) => [vouchers, [page]] as const;

describe('channels', () => {
  it('open, are topped up, and close with the rest', async () => {
    const opened = await jobs.send(alice, 'openChannel', [runner], DEPOSIT);
    expect(jobs.event(opened, 'ChannelOpened')).toEqual({ channelId: 1n, payer: alice, runner, deposit: DEPOSIT });
    const topped = await jobs.send(alice, 'topUpChannel', [1n], 5n);
    expect(jobs.event(topped, 'ChannelToppedUp')).toEqual({ channelId: 1n, amount: 5n, deposit: DEPOSIT + 5n });
    await jobs.refuses(alice, 'closeChannel', [1n], 'CloseNotRequested', [1n]);
    const requested = await jobs.send(alice, 'requestClose', [1n]);
    const closableAt = (await chain.now()) + CLOSE_DELAY;
    expect(jobs.event(requested, 'ChannelCloseRequested')).toEqual({ channelId: 1n, closableAt });
    await chain.at(closableAt - 1n);
    await jobs.refuses(alice, 'closeChannel', [1n], 'CloseTooEarly', [1n, closableAt]);
    // The runner has until then, and settles its last voucher in the last second.
    await jobs.send(runner, 'settleChannels', settleArgs(await voucher(1n, 7n)));
    await chain.at(closableAt + 1n);
    const before = await chain.balance(alice);
    const closed = await jobs.send(alice, 'closeChannel', [1n]);
    expect(jobs.event(closed, 'ChannelClosed')).toEqual({ channelId: 1n, payer: alice, refund: DEPOSIT - 2n });
    expect((await chain.balance(alice)) - before).toBe(DEPOSIT - 2n);
    expect(await jobs.read('channel', [1n])).toEqual({
      payer: alice,
      runner,
      deposit: DEPOSIT + 5n,
      settled: 7n,
      closableAt,
      closed: true,
    });
    expect(await jobs.read('totals', [])).toEqual([DEPOSIT + 5n, 7n, DEPOSIT - 2n, 0n]);
    for (const name of ['requestClose', 'closeChannel'] as const) {
      await jobs.refuses(alice, name, [1n], 'ChannelIsClosed', [1n]);
    }
    await jobs.refuses(alice, 'topUpChannel', [1n], 'ChannelIsClosed', [1n], 1n);
    await jobs.refuses(runner, 'settleChannels', settleArgs(await voucher(1n, 8n)), 'ChannelIsClosed', [1n]);
  });

  it('belong to their payer and need money and a bonded runner', async () => {
    await jobs.refuses(alice, 'openChannel', [runner], 'ZeroAmount');
    await jobs.refuses(alice, 'openChannel', [bob], 'NotBondedRunner', [bob], 1n);
    const id = await open();
    await jobs.refuses(alice, 'topUpChannel', [id], 'ZeroAmount');
    await jobs.refuses(bob, 'topUpChannel', [id], 'NotPayer', [id, bob], 1n);
    await jobs.refuses(bob, 'requestClose', [id], 'NotPayer', [id, bob]);
    await jobs.refuses(bob, 'closeChannel', [id], 'NotPayer', [id, bob]);
    await jobs.refuses(bob, 'topUpChannel', [9n], 'UnknownChannel', [9n], 1n);
    await jobs.refuses(bob, 'requestClose', [9n], 'UnknownChannel', [9n]);
    await jobs.refuses(bob, 'closeChannel', [9n], 'UnknownChannel', [9n]);
    await expect(jobs.read('channel', [9n])).rejects.toThrow();
  });

  it('close empty without a payment', async () => {
    const id = await open();
    await jobs.send(runner, 'settleChannels', settleArgs(await voucher(id, DEPOSIT)));
    await jobs.send(alice, 'requestClose', [id]);
    await chain.warp(CLOSE_DELAY);
    const closed = await jobs.send(alice, 'closeChannel', [id]);
    expect(jobs.event(closed, 'ChannelClosed').refund).toBe(0n);
  });
});

describe('settleChannels', () => {
  it('pays each voucher once, all in one funding with one page', async () => {
    const [a, b] = [await open(), await open(bob)];
    const vouchers = [await voucher(a, 10n), await voucher(b, 20n, account(2)), await voucher(a, 15n)];
    const receipt = await jobs.send(runner, 'settleChannels', settleArgs(...vouchers));
    const shared = { runner, batchIndex: 0n, splitVersion: 1 };
    expect(jobs.events(receipt, 'ChannelSettled')).toEqual([
      { channelId: a, payer: alice, amount: 10n, cumulative: 10n, ...shared },
      { channelId: b, payer: bob, amount: 20n, cumulative: 20n, ...shared },
      { channelId: a, payer: alice, amount: 5n, cumulative: 15n, ...shared },
    ]);
    expect(rewards.event(receipt, 'Funded')).toMatchObject({ amount: 35n, source: jobs.address });
    const common = { sourceKind: 2, splitVersion: 1 };
    expect(ledger.event(receipt, 'BatchAppended')).toMatchObject({
      runner,
      pageCount: 1,
      settlementsHash: settlementsHash([
        { ...common, sourceId: a, payer: alice, amount: 10n },
        { ...common, sourceId: b, payer: bob, amount: 20n },
        { ...common, sourceId: a, payer: alice, amount: 5n },
      ]),
    });
    expect(await jobs.read('totals', [])).toEqual([2n * DEPOSIT, 35n, 0n, 2n * DEPOSIT - 35n]);
  });

  it('refuses stale, repeated and overdrawn vouchers', async () => {
    const id = await open();
    await jobs.refuses(runner, 'settleChannels', settleArgs(await voucher(id, 0n)), 'StaleVoucher', [id, 0n, 0n]);
    const ten = await voucher(id, 10n);
    await jobs.refuses(runner, 'settleChannels', settleArgs(ten, ten), 'StaleVoucher', [id, 10n, 10n]);
    await jobs.send(runner, 'settleChannels', settleArgs(ten));
    await jobs.refuses(runner, 'settleChannels', settleArgs(ten), 'StaleVoucher', [id, 10n, 10n]);
    await jobs.refuses(runner, 'settleChannels', settleArgs(await voucher(id, 9n)), 'StaleVoucher', [id, 9n, 10n]);
    const over = await voucher(id, DEPOSIT + 1n);
    await jobs.refuses(runner, 'settleChannels', settleArgs(over), 'Overdraw', [id, DEPOSIT + 1n, DEPOSIT]);
    await jobs.send(alice, 'topUpChannel', [id], 1n);
    await jobs.send(runner, 'settleChannels', settleArgs(over));
  });

  it('refuses vouchers of others, for others and of other chains or contracts', async () => {
    const id = await open();
    const refuses = (given: Voucher, recovered: Hex) =>
      jobs.refuses(runner, 'settleChannels', settleArgs(given), 'BadSignature', [id, recovered]);
    await refuses(await voucher(id, 5n, account(2)), bob);
    await refuses({ ...(await voucher(id, 5n)), signature: '0x' }, zeroAddress);
    await refuses({ ...(await voucher(id, 5n)), signature: `0x${'00'.repeat(65)}` }, zeroAddress);
    const elsewhere = [
      { chainId: 1, jobs: jobs.address },
      { chainId, jobs: ledger.address },
    ];
    for (const domain of elsewhere) {
      const message = { channelId: id, cumulativeAmount: 5n };
      const signature = await account(1).signTypedData(voucherTypedData(domain, message));
      const hash = await jobs.read('voucherDigest', [id, 5n]);
      await refuses({ ...message, signature }, await recoverAddress({ hash, signature }));
    }
    const good = settleArgs(await voucher(id, 5n));
    await jobs.refuses(otherRunner, 'settleChannels', good, 'NotChannelRunner', [id, otherRunner]);
    await jobs.refuses(runner, 'settleChannels', settleArgs(await voucher(9n, 5n)), 'UnknownChannel', [9n]);
  });

  it('refuses the second form of a signature (high s)', async () => {
    const id = await open();
    const good = await voucher(id, 5n);
    const s = hexToBigInt(`0x${good.signature.slice(66, 130)}`);
    const v = good.signature.endsWith('1b') ? '1c' : '1b';
    const twin: Hex = `0x${good.signature.slice(2, 66)}${numberToHex(N - s, { size: 32 }).slice(2)}${v}`;
    await jobs.refuses(runner, 'settleChannels', settleArgs({ ...good, signature: twin }), 'BadSignature', [
      id,
      zeroAddress,
    ]);
  });

  it('takes 1 to 256 vouchers of a bonded runner, at the top level', async () => {
    const id = await open();
    const good = await voucher(id, 1n);
    await jobs.refuses(runner, 'settleChannels', settleArgs(), 'NoVouchers');
    const many = Array.from({ length: 257 }, () => good);
    await jobs.refuses(runner, 'settleChannels', settleArgs(...many), 'TooManyVouchers', [257n, 256n]);
    await jobs.refuses(alice, 'settleChannels', settleArgs(good), 'NotBondedRunner', [alice]);
    const actor = await createActor(chain);
    const through = [jobs.address, 0n, jobs.data('settleChannels', settleArgs(good))] as const;
    await actor.refuses(runner, 'execute', through, 'NotTopLevel', [actor.address]);
    await jobs.refuses(runner, 'settleChannels', [[good], []], 'EmptyBatch');
    await staking.send(runner, 'requestUnbond', [MIN_BOND]);
    await jobs.refuses(runner, 'settleChannels', settleArgs(good), 'NotBondedRunner', [runner]);
  });

  it('settles 256 channels in one transaction', async () => {
    const vouchers = [];
    for (let i = 0; i < 256; i++) vouchers.push(await voucher(await open(), BigInt(i + 1)));
    const receipt = await jobs.send(runner, 'settleChannels', settleArgs(...vouchers));
    expect(jobs.events(receipt, 'ChannelSettled')).toHaveLength(256);
    expect(rewards.event(receipt, 'Funded').amount).toBe((256n * 257n) / 2n);
    // What an L2 block of 30M gas has to hold.
    expect(receipt.gasUsed).toBeLessThan(12_000_000n);
  });

  it('hashes vouchers as wallets do', async () => {
    const message = { channelId: 3n, cumulativeAmount: 4n };
    const typedData = voucherTypedData({ chainId, jobs: jobs.address }, message);
    expect(await jobs.read('voucherDigest', [3n, 4n])).toBe(hashTypedData(typedData));
  });
});

describe('a payer that is a contract', () => {
  it('signs by ERC-1271', async () => {
    const actor = await createActor(chain, DEPOSIT);
    await actor.send(bob, 'set', [carol, receiveModes.take, zeroAddress, '0x']);
    await actor.send(bob, 'execute', [jobs.address, DEPOSIT, jobs.data('openChannel', [runner])]);
    const wrong = settleArgs(await voucher(1n, 5n, account(2)));
    await jobs.refuses(runner, 'settleChannels', wrong, 'BadSignature', [1n, bob]);
    await jobs.send(runner, 'settleChannels', settleArgs(await voucher(1n, 5n, account(3))));
    expect(await jobs.read('channel', [1n])).toMatchObject({ payer: actor.address, settled: 5n });
  });

  it('still signs with its key when EIP-7702 gave it code that knows no ERC-1271', async () => {
    const id = await open();
    await chain.client.setCode({ address: alice, bytecode: `0xef0100${ledger.address.slice(2)}` });
    await jobs.send(runner, 'settleChannels', settleArgs(await voucher(id, 5n)));
    const args = settleArgs(await voucher(id, 6n, account(2)));
    await jobs.refuses(runner, 'settleChannels', args, 'BadSignature', [id, bob]);
  });
});
