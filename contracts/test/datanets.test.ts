import { SimpleMerkleTree } from '@openzeppelin/merkle-tree';
import { encodeAbiParameters, encodeFunctionData, type Hex, keccak256, numberToHex, zeroAddress, zeroHash } from 'viem';
import { describe, expect, it } from 'vitest';
import { datanetLeaf, datanetProof, datanetRoot } from '../ts/datanetTree.ts';
import { isolateTests, startChain } from './support/chain.ts';
import { alice, bob, carol, deploySystem, hashOf } from './support/system.ts';

const chain = await startChain();
const { datanets } = await deploySystem(chain);
isolateTests(chain);

const MODALITY = { text: 0, image: 1, audio: 2 };
const TXT = 3;
const PENDING = 1;
const ACCEPTED = 2;
const REJECTED = 3;

async function create(modality = MODALITY.text) {
  const receipt = await datanets.send(alice, 'createDatanet', ['poems', modality, 'public domain']);
  return datanets.event(receipt, 'DatanetCreated').datanetId;
}

async function submit(datanetId: bigint, name: string, from = bob) {
  const receipt = await datanets.send(from, 'submit', [datanetId, hashOf(name), TXT, 100, name]);
  return datanets.event(receipt, 'ContributionSubmitted').contributionId;
}

describe('createDatanet', () => {
  it('numbers datanets from 1 and keeps who made them', async () => {
    const receipt = await datanets.send(alice, 'createDatanet', ['poems', MODALITY.audio, 'public domain']);
    expect(datanets.event(receipt, 'DatanetCreated')).toEqual({
      datanetId: 1n,
      owner: alice,
      modality: MODALITY.audio,
      name: 'poems',
      description: 'public domain',
    });
    expect(await datanets.read('datanet', [1n])).toMatchObject({
      owner: alice,
      modality: MODALITY.audio,
      createdAt: await chain.now(),
      versionCount: 0,
      submittedCount: 0,
      acceptedCount: 0,
    });
    expect(await create()).toBe(2n);
  });

  it('limits the texts, to the byte', async () => {
    await datanets.refuses(alice, 'createDatanet', ['', 0, ''], 'EmptyName');
    await datanets.refuses(alice, 'createDatanet', ['n'.repeat(129), 0, ''], 'TextTooLong', [129n, 128n]);
    await datanets.refuses(alice, 'createDatanet', ['n', 0, 'd'.repeat(1025)], 'TextTooLong', [1025n, 1024n]);
    // 43 signs of 3 bytes are 129 bytes: it is bytes that count.
    await datanets.refuses(alice, 'createDatanet', ['語'.repeat(43), 0, ''], 'TextTooLong', [129n, 128n]);
    await datanets.send(alice, 'createDatanet', ['n'.repeat(128), 0, 'd'.repeat(1024)]);
  });

  it('knows three modalities', async () => {
    const data = encodeFunctionData({ abi: datanets.abi, functionName: 'createDatanet', args: ['n', 3, ''] });
    expect((await chain.send({ from: alice, to: datanets.address, data })).status).toBe('reverted');
  });
});

describe('submit', () => {
  it('records a pending contribution', async () => {
    const datanetId = await create();
    const receipt = await datanets.send(bob, 'submit', [datanetId, hashOf('a'), TXT, 123, 'a.txt']);
    expect(datanets.event(receipt, 'ContributionSubmitted')).toEqual({
      contributionId: 1n,
      datanetId,
      contributor: bob,
      contentHash: hashOf('a'),
      format: TXT,
      size: 123,
      fileName: 'a.txt',
    });
    expect(await datanets.read('contribution', [1n])).toEqual({
      datanetId,
      contributor: bob,
      format: TXT,
      status: PENDING,
      size: 123,
      score: 0,
      submittedAt: await chain.now(),
      contentHash: hashOf('a'),
    });
    expect(await datanets.read('datanet', [datanetId])).toMatchObject({ submittedCount: 1, acceptedCount: 0 });
  });

  it('takes exactly the formats of the modality', async () => {
    const formats = {
      [MODALITY.text]: [0, 1, 2, 3],
      [MODALITY.image]: [4, 5, 6, 7, 8, 9],
      [MODALITY.audio]: [10, 11, 12],
    };
    for (const [modality, allowed] of Object.entries(formats)) {
      const datanetId = await create(Number(modality));
      for (let format = 0; format <= 12; format++) {
        const args = [datanetId, hashOf(`${modality} ${format}`), format, 1, 'f'] as const;
        if (allowed.includes(format)) await datanets.send(carol, 'submit', args);
        else await datanets.refuses(carol, 'submit', args, 'WrongModality', [Number(modality), format]);
      }
    }
  });

  it('refuses what is no file', async () => {
    const datanetId = await create();
    await datanets.refuses(bob, 'submit', [99n, hashOf('a'), TXT, 1, 'a'], 'UnknownDatanet', [99n]);
    await datanets.refuses(bob, 'submit', [datanetId, hashOf('a'), TXT, 0, 'a'], 'EmptyFile');
    await datanets.refuses(bob, 'submit', [datanetId, zeroHash, TXT, 1, 'a'], 'EmptyFile');
    await datanets.refuses(bob, 'submit', [datanetId, hashOf('a'), TXT, 1, ''], 'EmptyName');
    const long = 'n'.repeat(129);
    await datanets.refuses(bob, 'submit', [datanetId, hashOf('a'), TXT, 1, long], 'TextTooLong', [129n, 128n]);
  });

  it('refuses content that is pending or accepted here, not what was rejected or is elsewhere', async () => {
    const datanetId = await create();
    const other = await create();
    const again = [datanetId, hashOf('a'), TXT, 1, 'a'] as const;
    const id = await submit(datanetId, 'a');
    await datanets.refuses(carol, 'submit', again, 'DuplicateContent', [datanetId, id]);
    await datanets.send(alice, 'reject', [id, 'blurred']);
    const second = await submit(datanetId, 'a', carol);
    await datanets.send(alice, 'accept', [second, 1, 0n]);
    await datanets.refuses(bob, 'submit', again, 'DuplicateContent', [datanetId, second]);
    await submit(other, 'a');
  });
});

describe('review', () => {
  it('is for the owner and whom the owner names', async () => {
    const datanetId = await create();
    const id = await submit(datanetId, 'a');
    await datanets.refuses(carol, 'accept', [id, 1, 0n], 'NotReviewer', [datanetId, carol]);
    await datanets.refuses(carol, 'reject', [id, 'no'], 'NotReviewer', [datanetId, carol]);
    await datanets.refuses(carol, 'setReviewer', [datanetId, carol, true], 'NotDatanetOwner', [datanetId, carol]);
    await datanets.refuses(alice, 'setReviewer', [9n, carol, true], 'UnknownDatanet', [9n]);
    const named = await datanets.send(alice, 'setReviewer', [datanetId, carol, true]);
    expect(datanets.event(named, 'ReviewerSet')).toEqual({ datanetId, reviewer: carol, allowed: true });
    expect(await datanets.read('isReviewer', [datanetId, carol])).toBe(true);
    expect(await datanets.read('isReviewer', [datanetId, alice])).toBe(true);
    await datanets.send(carol, 'accept', [id, 1, 0n]);
    await datanets.send(alice, 'setReviewer', [datanetId, carol, false]);
    const next = await submit(datanetId, 'b');
    await datanets.refuses(carol, 'accept', [next, 1, 0n], 'NotReviewer', [datanetId, carol]);
    expect(await datanets.read('isReviewer', [99n, zeroAddress])).toBe(false);
  });

  it('takes scores from 1 to 10000', async () => {
    const datanetId = await create();
    const id = await submit(datanetId, 'a');
    await datanets.refuses(alice, 'accept', [id, 0, 0n], 'BadScore', [0]);
    await datanets.refuses(alice, 'accept', [id, 10_001, 0n], 'BadScore', [10_001]);
    await datanets.send(alice, 'accept', [id, 10_000, 0n]);
    expect(await datanets.read('contribution', [id])).toMatchObject({ status: ACCEPTED, score: 10_000 });
    expect(await datanets.read('datanet', [datanetId])).toMatchObject({ submittedCount: 1, acceptedCount: 1 });
  });

  it('rejects with a reason', async () => {
    const datanetId = await create();
    const id = await submit(datanetId, 'a');
    await datanets.refuses(alice, 'reject', [id, ''], 'ReasonRequired');
    await datanets.refuses(alice, 'reject', [id, 'r'.repeat(1025)], 'TextTooLong', [1025n, 1024n]);
    const receipt = await datanets.send(alice, 'reject', [id, 'r'.repeat(1024)]);
    expect(datanets.event(receipt, 'ContributionRejected')).toEqual({
      contributionId: id,
      datanetId,
      contributor: bob,
      reviewer: alice,
      reason: 'r'.repeat(1024),
    });
    expect(await datanets.read('contribution', [id])).toMatchObject({ status: REJECTED, score: 0 });
  });

  it('decides once', async () => {
    const datanetId = await create();
    const [yes, no] = [await submit(datanetId, 'a'), await submit(datanetId, 'b')];
    await datanets.send(alice, 'accept', [yes, 5, 0n]);
    await datanets.send(alice, 'reject', [no, 'no']);
    for (const [id, status] of [
      [yes, ACCEPTED],
      [no, REJECTED],
    ] as const) {
      await datanets.refuses(alice, 'accept', [id, 7, 0n], 'AlreadyDecided', [id, status]);
      await datanets.refuses(alice, 'reject', [id, 'no'], 'AlreadyDecided', [id, status]);
    }
    await datanets.refuses(alice, 'accept', [99n, 7, 0n], 'UnknownContribution', [99n]);
    await datanets.refuses(alice, 'reject', [99n, 'no'], 'UnknownContribution', [99n]);
  });
});

describe('versions', () => {
  it('freeze a root that anybody rebuilds from the events', async () => {
    const datanetId = await create();
    expect(await datanets.read('currentRoot', [datanetId])).toBe(datanetRoot([]));
    const leaves: Hex[] = [];
    const roots = [];
    for (let i = 0; i < 5; i++) {
      const id = await submit(datanetId, `file ${i}`);
      const event = datanets.event(await datanets.send(alice, 'accept', [id, 100 + i, 0n]), 'ContributionAccepted');
      const leaf = datanetLeaf({
        contributionId: id,
        contributor: bob,
        contentHash: hashOf(`file ${i}`),
        score: 100 + i,
      });
      expect(event).toEqual({
        contributionId: id,
        datanetId,
        contributor: bob,
        reviewer: alice,
        score: 100 + i,
        leafIndex: i,
        leaf,
        duplicateOf: 0n,
      });
      leaves.push(leaf);
      expect(await datanets.read('currentRoot', [datanetId])).toBe(datanetRoot(leaves));
      if (i % 2 === 0) {
        const published = datanets.event(
          await datanets.send(alice, 'publishVersion', [datanetId]),
          'DatanetVersionPublished',
        );
        roots.push({ dataRoot: datanetRoot(leaves), contributionCount: i + 1, publishedAt: await chain.now() });
        expect(published).toEqual({
          datanetId,
          version: roots.length,
          dataRoot: datanetRoot(leaves),
          contributionCount: i + 1,
        });
      }
    }
    for (const [i, version] of roots.entries())
      expect(await datanets.read('versionOf', [datanetId, i + 1])).toEqual(version);
    expect(await datanets.read('datanet', [datanetId])).toMatchObject({ versionCount: 3, acceptedCount: 5 });
    for (const [i, leaf] of leaves.entries()) {
      expect(SimpleMerkleTree.verify(datanetRoot(leaves), leaf, datanetProof(leaves, i))).toBe(true);
      expect(SimpleMerkleTree.verify(datanetRoot(leaves), leaf, datanetProof(leaves, (i + 1) % 5))).toBe(false);
      expect(datanetProof(leaves, i)).toHaveLength(20);
    }
    expect(() => datanetProof(leaves, 5)).toThrow(RangeError);
  });

  it('need something new and the owner', async () => {
    const datanetId = await create();
    await datanets.refuses(alice, 'publishVersion', [99n], 'UnknownDatanet', [99n]);
    await datanets.refuses(bob, 'publishVersion', [datanetId], 'NotDatanetOwner', [datanetId, bob]);
    await datanets.refuses(alice, 'publishVersion', [datanetId], 'NothingNew', [datanetId]);
    await datanets.send(alice, 'accept', [await submit(datanetId, 'a'), 1, 0n]);
    await datanets.send(alice, 'publishVersion', [datanetId]);
    await datanets.send(alice, 'reject', [await submit(datanetId, 'b'), 'no']);
    await datanets.refuses(alice, 'publishVersion', [datanetId], 'NothingNew', [datanetId]);
  });

  it('end with 1,048,576 accepted files', async () => {
    const datanetId = await create();
    const [last, tooMany] = [await submit(datanetId, 'a'), await submit(datanetId, 'b')];
    // Slot 3 maps datanets to trees, whose first word counts the leaves.
    const slot = keccak256(encodeAbiParameters([{ type: 'uint256' }, { type: 'uint256' }], [datanetId, 3n]));
    const value = numberToHex(2 ** 20 - 1, { size: 32 });
    await chain.client.setStorageAt({ address: datanets.address, index: slot, value });
    const receipt = await datanets.send(alice, 'accept', [last, 1, 0n]);
    expect(datanets.event(receipt, 'ContributionAccepted').leafIndex).toBe(2 ** 20 - 1);
    await datanets.refuses(alice, 'accept', [tooMany, 1, 0n], 'Panic', [0x41n]);
  });

  it('of unknown things read as refusals or zeros', async () => {
    await expect(datanets.read('datanet', [9n])).rejects.toThrow();
    await expect(datanets.read('contribution', [9n])).rejects.toThrow();
    await expect(datanets.read('currentRoot', [9n])).rejects.toThrow();
    expect(await datanets.read('versionOf', [9n, 1])).toEqual({
      dataRoot: zeroHash,
      contributionCount: 0,
      publishedAt: 0n,
    });
  });
});

describe('near duplicates', () => {
  const credits = async (...ids: bigint[]) =>
    (await datanets.read('creditsOf', [ids])).map(({ payee, cluster }) => [payee, cluster]);

  it('join the cluster of their original, whose contributor is paid', async () => {
    const datanetId = await create();
    const original = await submit(datanetId, 'a', bob);
    const copy = await submit(datanetId, 'b', carol);
    const own = await submit(datanetId, 'c', carol);
    expect(await credits(original)).toEqual([[zeroAddress, 0]]);
    await datanets.refuses(alice, 'accept', [copy, 1, original], 'NotAnOriginal', [original, datanetId]);
    await datanets.refuses(alice, 'accept', [copy, 1, copy], 'NotAnOriginal', [copy, datanetId]);
    await datanets.send(alice, 'accept', [original, 1, 0n]);
    const event = datanets.event(await datanets.send(alice, 'accept', [copy, 1, original]), 'ContributionAccepted');
    expect(event).toMatchObject({ contributionId: copy, contributor: carol, duplicateOf: original });
    // A duplicate is no original to others, and neither is a file of another datanet.
    await datanets.refuses(alice, 'accept', [own, 1, copy], 'NotAnOriginal', [copy, datanetId]);
    const elsewhere = await create();
    const foreign = await submit(elsewhere, 'a', carol);
    await datanets.refuses(alice, 'accept', [foreign, 1, original], 'NotAnOriginal', [original, elsewhere]);
    await datanets.send(alice, 'accept', [own, 1, 0n]);
    expect(await credits(original, copy, own)).toEqual([
      [bob, Number(original)],
      [bob, Number(original)],
      [carol, Number(own)],
    ]);
  });
});
