import fc from 'fast-check';
import {
  type Address,
  bytesToHex,
  type Hex,
  isAddressEqual,
  keccak256,
  numberToHex,
  zeroAddress,
  zeroHash,
} from 'viem';
import { describe, expect, it } from 'vitest';
import { drawOf, auditFindings as findings, headerRlp, auditStatuses as statuses } from '../ts/audits.ts';
import { type BatchOutput, outputIdOf } from '../ts/page/batchOutput.ts';
import { encodePages } from '../ts/page/encodePages.ts';
import { batchHead, pageProof, pagesRoot } from '../ts/page/pagesTree.ts';
import { account, isolateTests, startChain } from './support/chain.ts';
import { exampleOutput } from './support/pages.ts';
import {
  AUDIT_SETTINGS,
  alice,
  bob,
  deploySystem,
  governance,
  MIN_BOND,
  otherRunner,
  runner,
  UNBONDING_SECONDS,
} from './support/system.ts';

const chain = await startChain();
const { audits, staking, ledger } = await deploySystem(chain);
/** Besides the two that are bonded already. */
const more = [6, 7, 8, 9].map((index) => account(index).address);
for (const other of more) await staking.send(other, 'bond', [], MIN_BOND);
isolateTests(chain);

const FAULT = (MIN_BOND * BigInt(AUDIT_SETTINGS.faultBps)) / 10_000n;
const MISS = (MIN_BOND * BigInt(AUDIT_SETTINGS.missBps)) / 10_000n;
const BURN = '0x000000000000000000000000000000000000dEaD';

/** Drawn at any seed: the rate of trainings is all of them here. */
const training: BatchOutput = { ...exampleOutput, sourceKind: 1 };

const headerOf = async (block: bigint): Promise<Hex> =>
  headerRlp(await chain.rpc({ method: 'eth_getBlockByNumber', params: [numberToHex(block), false] }));

/** A batch of one page, and where its outputs are. */
const append = async (outputs: BatchOutput[], from: Address = runner) => {
  const pages = encodePages(outputs);
  const batchIndex = await ledger.read('batchCount', []);
  const receipt = await ledger.send(from, 'append', [pages.map((page) => bytesToHex(page))]);
  const header = {
    previousHead: batchIndex === 0n ? zeroHash : await ledger.read('headAt', [batchIndex - 1n]),
    runner: from,
    blockNumber: receipt.blockNumber,
    pageCount: pages.length,
    pagesRoot: pagesRoot(pages),
    settlementsHash: zeroHash,
  };
  const placeOf = (index: number) => ({
    batchIndex,
    header,
    pageIndex: 0n,
    page: bytesToHex(pages[0] as Uint8Array),
    path: pageProof(pages, 0),
    outputIndex: BigInt(index),
  });
  return { placeOf, beaconBlock: receipt.blockNumber + BigInt(AUDIT_SETTINGS.beaconDelay) };
};

/** Appends a training's output and takes the chain past its beacon block. */
const drawnOutput = async (output = training, from: Address = runner) => {
  const { placeOf, beaconBlock } = await append([output], from);
  await chain.client.mine({ blocks: AUDIT_SETTINGS.beaconDelay + 1 });
  const { mixHash: seed } = await chain.client.getBlock({ blockNumber: beaconBlock });
  return { outputId: outputIdOf(output), place: placeOf(0), beaconBlock, seed };
};

/** An audit that was just opened, with who the chain drew for it. */
const openAudit = async () => {
  const { outputId, place, beaconBlock } = await drawnOutput();
  const receipt = await audits.send(alice, 'open', [place, await headerOf(beaconBlock)]);
  const { auditor, jurors } = await audits.read('audit', [outputId]);
  return { outputId, place, receipt, auditor, jurors };
};

/** As `openAudit`, with the auditor's report of a fault. */
const contested = async () => {
  const opened = await openAudit();
  await audits.send(opened.auditor, 'report', [opened.outputId, findings.differs, 'other tokens']);
  return opened;
};

const statusOf = async (outputId: Hex) => (await audits.read('audit', [outputId])).status;
const bondsOf = (who: readonly Address[]) => Promise.all(who.map((one) => staking.read('bondOf', [one])));

describe('the draw', () => {
  it('takes the share of each kind that the settings say', async () => {
    expect(await audits.read('rateOf', [1])).toBe(10_000n);
    for (const kind of [0, 2, 3, 255]) expect(await audits.read('rateOf', [kind])).toBe(5_000n);
    let drawn = 0;
    for (let i = 0; i < 2_000; i++) {
      if (drawOf(keccak256(numberToHex(i)), 2, zeroHash, { ...AUDIT_SETTINGS, inferenceRateBps: 500 })) drawn++;
    }
    expect(drawn).toBeGreaterThan(60);
    expect(drawn).toBeLessThan(145);
  });

  it('is the same in TypeScript', async () => {
    const word = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => bytesToHex(bytes));
    await fc.assert(
      fc.asyncProperty(word, word, fc.integer({ min: 1, max: 3 }), async (outputId, seed, kind) => {
        expect(drawOf(outputId, kind, seed, AUDIT_SETTINGS)).toBe(await audits.read('isDrawn', [outputId, kind, seed]));
      }),
      { numRuns: 100 },
    );
  });

  it('names four others of the seats at the beacon block, never the audited runner', async () => {
    const block = await chain.client.getBlockNumber();
    const seats = [runner, otherRunner, ...more];
    const chosen = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const outputId = keccak256(numberToHex(i));
      const drawn = await audits.read('candidates', [outputId, zeroHash, block, runner]);
      expect(new Set(drawn).size).toBe(4);
      expect(drawn).not.toContain(runner);
      for (const one of drawn) expect(seats).toContain(one);
      chosen.add(drawn[0]);
      // Written out once more, from the rule's text.
      const expected: Address[] = [];
      for (let k = 0; k < 4; k++) {
        const words = [zeroHash, outputId, numberToHex(k, { size: 32 })].map((part) => part.slice(2)).join('');
        let seat = Number(BigInt(keccak256(`0x${words}`)) % 6n);
        while (seats[seat] === runner || expected.includes(seats[seat] as Address)) seat = (seat + 1) % 6;
        expected.push(seats[seat] as Address);
      }
      expect(drawn).toEqual(expected);
    }
    expect(chosen.size).toBeGreaterThan(3);
    // Who is bonded now doesn't count for a block of the past.
    await staking.send(more[0] as Address, 'requestUnbond', [MIN_BOND]);
    const drawn = await audits.read('candidates', [keccak256('0x00'), zeroHash, block, runner]);
    expect(await audits.read('candidates', [keccak256('0x00'), zeroHash, block + 1n, alice])).not.toContain(more[0]);
    expect(drawn).toEqual(await audits.read('candidates', [keccak256('0x00'), zeroHash, block, runner]));
  });

  it('leaves places empty where there are too few runners', async () => {
    const candidates = async () =>
      audits.read('candidates', [zeroHash, zeroHash, await chain.client.getBlockNumber(), runner]);
    for (const [i, other] of [...more, otherRunner, runner].entries()) {
      await staking.send(other, 'requestUnbond', [MIN_BOND]);
      const drawn = await candidates();
      expect(drawn.filter((one) => !isAddressEqual(one, zeroAddress)).length).toBe(Math.min(4, Math.max(0, 4 - i)));
      expect(drawn.slice(Math.max(0, 4 - i)).every((one) => one === zeroAddress)).toBe(true);
    }
  });
});

describe('open', () => {
  it('writes down who computes again, and until when', async () => {
    const { outputId, place, beaconBlock, seed } = await drawnOutput();
    const drawn = await audits.read('candidates', [outputId, seed, place.header.blockNumber, runner]);
    const receipt = await audits.send(alice, 'open', [place, await headerOf(beaconBlock)]);
    const deadline = (await chain.now()) + AUDIT_SETTINGS.reportSeconds;
    const common = { runner, auditor: drawn[0], modelId: 5n, batchIndex: 0n, sourceKind: 1, deadline };
    expect(audits.event(receipt, 'AuditOpened')).toEqual({ outputId, ...common, seed });
    expect(await audits.read('audit', [outputId])).toEqual({
      status: statuses.open,
      finding: findings.none,
      ...common,
      jurors: drawn.slice(1),
      votes: [0, 0, 0],
    });
  });

  it('happens once for an output, in whatever batch it stands', async () => {
    const { outputId, place, beaconBlock } = await drawnOutput();
    await audits.send(alice, 'open', [place, await headerOf(beaconBlock)]);
    const again = [place, await headerOf(beaconBlock)] as const;
    await audits.refuses(alice, 'open', again, 'AlreadyAudited', [outputId]);
    const copied = await drawnOutput(training, otherRunner);
    const copy = [copied.place, await headerOf(copied.beaconBlock)] as const;
    await audits.refuses(alice, 'open', copy, 'AlreadyAudited', [outputId]);
  });

  it('draws from the seats at the batch, whoever comes and goes once the seed can be known', async () => {
    const { placeOf, beaconBlock } = await append([training]);
    const outputId = outputIdOf(training);
    const seated = await staking.read('seatCountAt', [placeOf(0).header.blockNumber]);
    await staking.send(bob, 'bond', [], MIN_BOND);
    await chain.client.mine({ blocks: AUDIT_SETTINGS.beaconDelay + 1 });
    expect(await staking.read('seatCountAt', [beaconBlock])).toBe(seated + 1n);
    const { mixHash: seed } = await chain.client.getBlock({ blockNumber: beaconBlock });
    const batchBlock = placeOf(0).header.blockNumber;
    const [auditor] = await audits.read('candidates', [outputId, seed, batchBlock, runner]);
    await audits.send(alice, 'open', [placeOf(0), await headerOf(beaconBlock)]);
    expect((await audits.read('audit', [outputId])).auditor).toBe(auditor);
    expect(auditor).not.toBe(bob);
  });

  it('takes only outputs that were drawn', async () => {
    const outputs = Array.from({ length: 12 }, (_, i) => ({ ...exampleOutput, nonce: BigInt(i) }));
    const { placeOf, beaconBlock } = await append(outputs);
    await chain.client.mine({ blocks: 4 });
    const { mixHash: seed } = await chain.client.getBlock({ blockNumber: beaconBlock });
    const header = await headerOf(beaconBlock);
    const counts = { drawn: 0, not: 0 };
    for (const [index, output] of outputs.entries()) {
      const outputId = outputIdOf(output);
      if (drawOf(outputId, 2, seed, AUDIT_SETTINGS)) {
        counts.drawn++;
        await audits.send(alice, 'open', [placeOf(index), header]);
        expect((await audits.read('audit', [outputId])).sourceKind).toBe(2);
      } else {
        counts.not++;
        await audits.refuses(alice, 'open', [placeOf(index), header], 'NotDrawn', [outputId]);
      }
    }
    expect(counts.drawn).toBeGreaterThan(0);
    expect(counts.not).toBeGreaterThan(0);
  });

  it('waits for the beacon block, and takes no other and no changed header', async () => {
    const { placeOf, beaconBlock } = await append([training]);
    const early = await headerOf(beaconBlock - 3n);
    await audits.refuses(alice, 'open', [placeOf(0), early], 'BeaconNotReached', [beaconBlock]);
    await chain.client.mine({ blocks: 6 });
    for (const wrong of [await headerOf(beaconBlock - 1n), await headerOf(beaconBlock + 1n), '0x', '0xc0'] as const) {
      await audits.refuses(alice, 'open', [placeOf(0), wrong], 'BeaconUnknown', [beaconBlock, keccak256(wrong)]);
    }
    const right = await headerOf(beaconBlock);
    const changed = right.replace(/.$/, (last) => (last === '0' ? '1' : '0')) as Hex;
    await audits.refuses(alice, 'open', [placeOf(0), changed], 'BeaconUnknown', [beaconBlock, keccak256(changed)]);
    await audits.send(alice, 'open', [placeOf(0), right]);
  });

  it('knows the beacon block for as long as EIP-2935 does', async () => {
    const { outputId, place, beaconBlock } = await drawnOutput();
    const header = await headerOf(beaconBlock);
    // Beyond what the BLOCKHASH instruction reaches.
    await chain.client.mine({ blocks: 300 });
    const snapshot = await chain.client.snapshot();
    await audits.send(alice, 'open', [place, header]);
    expect(await statusOf(outputId)).toBe(statuses.open);
    await chain.client.revert({ id: snapshot });
    // 8,191 blocks later another hash has taken its place in the ring.
    await chain.client.setStorageAt({
      address: '0x0000F90827F1C53a10cb7A02335B175320002935',
      index: numberToHex(beaconBlock % 8_191n),
      value: keccak256('0x'),
    });
    await audits.refuses(alice, 'open', [place, header], 'BeaconUnknown', [beaconBlock, keccak256(header)]);
  });

  it('takes only what the ledger has', async () => {
    const { place, beaconBlock } = await drawnOutput();
    const header = await headerOf(beaconBlock);
    const { page } = place;
    const refuses = async (changes: Partial<typeof place>, error: string, args: readonly unknown[]) =>
      audits.refuses(alice, 'open', [{ ...place, ...changes }, header], error, args);
    await refuses({ outputIndex: 1n }, 'NoOutput', [1n, 1n]);
    await refuses({ page: `${page}00` }, 'BadPath', [0n, 0n]);
    // Somebody else's name, or another block, is not in the batch's hash.
    for (const change of [{ runner: otherRunner }, { blockNumber: place.header.blockNumber + 1n }]) {
      const given = { ...place.header, ...change };
      await refuses({ header: given }, 'UnknownBatch', [0n, batchHead(0n, given)]);
    }
  });

  it('needs another runner', async () => {
    for (const other of [otherRunner, ...more]) await staking.send(other, 'requestUnbond', [MIN_BOND]);
    const { outputId, place, beaconBlock } = await drawnOutput();
    await audits.refuses(alice, 'open', [place, await headerOf(beaconBlock)], 'NoAuditor', [outputId]);
  });
});

describe('report', () => {
  it('of a match ends the audit, and nobody loses', async () => {
    const { outputId, auditor, jurors } = await openAudit();
    const before = await bondsOf([runner, auditor, ...jurors]);
    const receipt = await audits.send(auditor, 'report', [outputId, findings.matches, 'same tokens']);
    const reported = { outputId, auditor, finding: findings.matches, detail: 'same tokens' };
    expect(audits.event(receipt, 'AuditReported')).toEqual(reported);
    expect(audits.event(receipt, 'AuditClosed')).toEqual({ outputId, runner, outcome: statuses.matched });
    expect(await audits.read('audit', [outputId])).toMatchObject({
      status: statuses.matched,
      finding: findings.matches,
    });
    expect(await bondsOf([runner, auditor, ...jurors])).toEqual(before);
    await chain.warp(AUDIT_SETTINGS.reportSeconds);
    await audits.refuses(alice, 'close', [outputId], 'WrongStatus', [outputId, statuses.matched]);
  });

  it.each(['differs', 'unavailable'] as const)('of a fault (%s) asks the jurors', async (name) => {
    const { outputId, auditor, jurors } = await openAudit();
    const receipt = await audits.send(auditor, 'report', [outputId, findings[name], '']);
    const deadline = (await chain.now()) + AUDIT_SETTINGS.voteSeconds;
    const [juror0, juror1, juror2] = jurors;
    expect(audits.event(receipt, 'AuditContested')).toEqual({ outputId, juror0, juror1, juror2, deadline });
    const status = statuses.contested;
    expect(await audits.read('audit', [outputId])).toMatchObject({ status, finding: findings[name], deadline });
    await audits.refuses(auditor, 'report', [outputId, findings.matches, ''], 'WrongStatus', [outputId, status]);
  });

  it('is the auditor’s alone, in time, and says something', async () => {
    const { outputId, auditor, jurors } = await openAudit();
    const given = [outputId, findings.matches, ''] as const;
    for (const other of [alice, runner, jurors[0]]) await audits.refuses(other, 'report', given, 'NotAuditor', [other]);
    await audits.refuses(auditor, 'report', [outputId, findings.none, ''], 'NoFinding');
    const long = [outputId, findings.matches, 'x'.repeat(1025)] as const;
    await audits.refuses(auditor, 'report', long, 'TextTooLong', [1025n, 1024n]);
    await audits.refuses(auditor, 'report', [zeroHash, 1, ''], 'WrongStatus', [zeroHash, statuses.none]);
    await audits.refuses(jurors[0], 'vote', given, 'WrongStatus', [outputId, statuses.open]);
    const { deadline } = await audits.read('audit', [outputId]);
    await chain.at(deadline - 1n);
    await audits.refuses(alice, 'close', [outputId], 'StillTime', [outputId, deadline]);
    await chain.at(deadline);
    await audits.refuses(auditor, 'report', given, 'TooLate', [outputId, deadline]);
  });

  it('that is missing costs the auditor, and the jurors are asked', async () => {
    const { outputId, auditor, jurors } = await openAudit();
    await chain.warp(AUDIT_SETTINGS.reportSeconds);
    const before = await bondsOf([runner, auditor, ...jurors]);
    const receipt = await audits.send(alice, 'close', [outputId]);
    expect(audits.event(receipt, 'AuditContested').outputId).toBe(outputId);
    expect(staking.event(receipt, 'Slashed')).toMatchObject({ runner: auditor, amount: MISS });
    expect(await bondsOf([runner, auditor, ...jurors])).toEqual(
      before.map((bond, i) => (i === 1 ? bond - MISS : bond)),
    );
    expect(await statusOf(outputId)).toBe(statuses.contested);
    // Its silence is paid for: a dismissal takes nothing more.
    for (const juror of jurors.slice(1)) await audits.send(juror, 'vote', [outputId, findings.matches, '']);
    expect(await statusOf(outputId)).toBe(statuses.dismissed);
    expect(await staking.read('bondOf', [auditor])).toBe(MIN_BOND - MISS);
    expect(await staking.read('bondOf', [runner])).toBe(MIN_BOND);
  });
});

describe('without a jury', () => {
  it.each([true, false])('a contested audit is undecided at once (reported: %s)', async (reports) => {
    for (const other of more.slice(1)) await staking.send(other, 'requestUnbond', [MIN_BOND]);
    const { outputId, auditor, jurors } = await openAudit();
    expect(jurors).toEqual([zeroAddress, zeroAddress, zeroAddress]);
    if (!reports) await chain.warp(AUDIT_SETTINGS.reportSeconds);
    const receipt = reports
      ? await audits.send(auditor, 'report', [outputId, findings.differs, ''])
      : await audits.send(alice, 'close', [outputId]);
    expect(audits.events(receipt, 'AuditContested')).toEqual([]);
    expect(audits.event(receipt, 'AuditClosed')).toEqual({ outputId, runner, outcome: statuses.undecided });
    expect(await staking.read('bondOf', [auditor])).toBe(reports ? MIN_BOND : MIN_BOND - MISS);
    expect(await staking.read('bondOf', [runner])).toBe(MIN_BOND);
    await audits.refuses(alice, 'vote', [outputId, 1, ''], 'WrongStatus', [outputId, statuses.undecided]);
  });
});

describe('vote', () => {
  it('is each juror’s, once, in time, and says something', async () => {
    const { outputId, auditor, jurors } = await contested();
    const given = [outputId, findings.matches, ''] as const;
    for (const other of [alice, runner, auditor, zeroAddress]) {
      await audits.refuses(other, 'vote', given, 'NotJuror', [other]);
    }
    await audits.refuses(jurors[1], 'vote', [outputId, findings.none, ''], 'NoFinding');
    const long = [outputId, findings.matches, 'x'.repeat(1025)] as const;
    await audits.refuses(jurors[1], 'vote', long, 'TextTooLong', [1025n, 1024n]);
    const receipt = await audits.send(jurors[1], 'vote', [outputId, findings.differs, 'mine differs too']);
    const voted = { outputId, juror: jurors[1], finding: findings.differs, detail: 'mine differs too' };
    expect(audits.event(receipt, 'AuditVoted')).toEqual(voted);
    expect((await audits.read('audit', [outputId])).votes).toEqual([0, findings.differs, 0]);
    await audits.refuses(jurors[1], 'vote', given, 'AlreadyVoted', [jurors[1]]);
    const { deadline } = await audits.read('audit', [outputId]);
    await chain.at(deadline - 1n);
    await audits.refuses(alice, 'close', [outputId], 'StillTime', [outputId, deadline]);
    await chain.at(deadline);
    await audits.refuses(jurors[0], 'vote', given, 'TooLate', [outputId, deadline]);
  });

  it('of two for a fault, of either kind, takes the runner’s part and burns it', async () => {
    const { outputId, auditor, jurors } = await contested();
    const before = await bondsOf([auditor, ...jurors]);
    const [held, burned] = [await chain.balance(staking.address), await chain.balance(BURN)];
    await audits.send(jurors[0], 'vote', [outputId, findings.matches, '']);
    await audits.send(jurors[2], 'vote', [outputId, findings.unavailable, '']);
    const receipt = await audits.send(jurors[1], 'vote', [outputId, findings.differs, '']);
    expect(audits.event(receipt, 'AuditClosed')).toEqual({ outputId, runner, outcome: statuses.faulted });
    expect(staking.event(receipt, 'Slashed')).toMatchObject({ runner, amount: FAULT });
    expect(await staking.read('bondOf', [runner])).toBe(MIN_BOND - FAULT);
    expect(await staking.read('isBonded', [runner])).toBe(false);
    // The outvoted juror and the auditor keep theirs.
    expect(await bondsOf([auditor, ...jurors])).toEqual(before);
    expect(await chain.balance(staking.address)).toBe(held - FAULT);
    expect(await chain.balance(BURN)).toBe(burned + FAULT);
    expect(await chain.balance(audits.address)).toBe(0n);
  });

  it('of two decides early: who had not voted loses nothing', async () => {
    const { outputId, jurors } = await contested();
    for (const juror of jurors.slice(0, 2)) await audits.send(juror, 'vote', [outputId, findings.differs, '']);
    expect(await statusOf(outputId)).toBe(statuses.faulted);
    const late = [outputId, findings.differs, ''] as const;
    await audits.refuses(jurors[2], 'vote', late, 'WrongStatus', [outputId, statuses.faulted]);
    await chain.warp(AUDIT_SETTINGS.voteSeconds);
    await audits.refuses(alice, 'close', [outputId], 'WrongStatus', [outputId, statuses.faulted]);
    expect(await bondsOf(jurors)).toEqual([MIN_BOND, MIN_BOND, MIN_BOND]);
  });

  it('of two for a match costs the auditor that reported a fault', async () => {
    const { outputId, auditor, jurors } = await contested();
    const before = await bondsOf([runner, ...jurors]);
    await audits.send(jurors[0], 'vote', [outputId, findings.matches, '']);
    const receipt = await audits.send(jurors[1], 'vote', [outputId, findings.matches, '']);
    expect(audits.event(receipt, 'AuditClosed')).toEqual({ outputId, runner, outcome: statuses.dismissed });
    expect(staking.event(receipt, 'Slashed')).toMatchObject({ runner: auditor, amount: FAULT });
    expect(await staking.read('bondOf', [auditor])).toBe(MIN_BOND - FAULT);
    expect(await bondsOf([runner, ...jurors])).toEqual(before);
  });

  it('that is missing costs its juror, and the audit ends undecided', async () => {
    const { outputId, auditor, jurors } = await contested();
    await audits.send(jurors[1], 'vote', [outputId, findings.matches, '']);
    await chain.warp(AUDIT_SETTINGS.voteSeconds);
    const receipt = await audits.send(alice, 'close', [outputId]);
    expect(audits.event(receipt, 'AuditClosed')).toEqual({ outputId, runner, outcome: statuses.undecided });
    expect(staking.events(receipt, 'Slashed').map((slash) => slash.runner)).toEqual([jurors[0], jurors[2]]);
    expect(await bondsOf(jurors)).toEqual([MIN_BOND - MISS, MIN_BOND, MIN_BOND - MISS]);
    expect(await bondsOf([runner, auditor])).toEqual([MIN_BOND, MIN_BOND]);
    await audits.refuses(alice, 'close', [outputId], 'WrongStatus', [outputId, statuses.undecided]);
  });

  it('one of each kind leaves it undecided as well', async () => {
    const { outputId, jurors } = await contested();
    await audits.send(jurors[0], 'vote', [outputId, findings.matches, '']);
    await audits.send(jurors[1], 'vote', [outputId, findings.differs, '']);
    expect(await statusOf(outputId)).toBe(statuses.contested);
    await chain.warp(AUDIT_SETTINGS.voteSeconds);
    await audits.send(alice, 'close', [outputId]);
    expect(await bondsOf([...jurors])).toEqual([MIN_BOND, MIN_BOND, MIN_BOND - MISS]);
  });
});

describe('who leaves', () => {
  const faulted = async (leave: () => Promise<unknown>) => {
    const { outputId, jurors } = await contested();
    await leave();
    for (const juror of jurors.slice(0, 2)) await audits.send(juror, 'vote', [outputId, findings.differs, '']);
    expect(await statusOf(outputId)).toBe(statuses.faulted);
  };

  it('is slashed while its bond is unbonding', async () => {
    await faulted(() => staking.send(runner, 'requestUnbond', [MIN_BOND]));
    expect((await staking.read('unbondings', [runner])).map(({ amount }) => amount)).toEqual([MIN_BOND - FAULT]);
    await chain.warp(UNBONDING_SECONDS);
    const before = await chain.balance(runner);
    await staking.send(runner, 'withdraw', []);
    expect((await chain.balance(runner)) - before).toBe(MIN_BOND - FAULT);
  });

  it('loses what is left when that is less', async () => {
    await staking.send(governance, 'slash', [runner, 1n, '']);
    await staking.send(runner, 'bond', [], 1n);
    await faulted(() => staking.send(governance, 'slash', [runner, MIN_BOND - 7n, 'for something else']));
    expect(await staking.read('bondOf', [runner])).toBe(0n);
  });

  it('with nothing left loses nothing, and the audit ends all the same', async () => {
    await faulted(() => staking.send(governance, 'slash', [runner, MIN_BOND, 'for something else']));
  });
});

describe('gas', () => {
  it('of opening grows with the page, whose outputs are all decoded', async () => {
    const outputs = Array.from({ length: 37 }, (_, i) => ({ ...training, nonce: BigInt(i) }));
    const { placeOf, beaconBlock } = await append(outputs);
    await chain.client.mine({ blocks: 4 });
    const { gasUsed } = await audits.send(alice, 'open', [placeOf(36), await headerOf(beaconBlock)]);
    expect(gasUsed).toBeLessThan(1_000_000n);
  });

  it('of an audit is what a runner can afford', async () => {
    const { outputId, receipt, auditor, jurors } = await openAudit();
    const gas: Record<string, bigint> = { open: receipt.gasUsed };
    const report = await audits.send(auditor, 'report', [outputId, findings.differs, 'other tokens']);
    gas.report = report.gasUsed;
    gas.vote = (await audits.send(jurors[0], 'vote', [outputId, findings.differs, ''])).gasUsed;
    gas.decidingVote = (await audits.send(jurors[1], 'vote', [outputId, findings.differs, ''])).gasUsed;
    expect(gas.open).toBeLessThan(450_000n);
    expect(gas.report).toBeLessThan(100_000n);
    expect(gas.vote).toBeLessThan(100_000n);
    expect(gas.decidingVote).toBeLessThan(300_000n);
  });
});
