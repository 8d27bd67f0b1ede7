import { testDatabases } from '@openledger/indexer/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStack, type TestStack } from './support.ts';

type ListPage = {
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string; endCursor: string };
  edges: { cursor: string }[];
  totalCount: number;
};

describe.each(testDatabases)('queries on $name', ({ open }) => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startStack(open);
  });
  afterAll(() => stack.close());

  const data = async (query: string, variables?: Record<string, unknown>) => {
    const answer = await stack.ask(query, variables);
    expect(answer.errors).toBeUndefined();
    return answer.data;
  };

  it('tells where the views stand', async () => {
    const { meta } = await data('{ meta { headSeq headBlock headHash logHash indexedAt feedBlock lag } }');
    const head = await stack.chain.log.head();
    expect(meta).toMatchObject({
      headSeq: head?.nextSeq,
      headBlock: Number(head?.number),
      headHash: head?.hash,
      logHash: head?.logHash,
      lag: 0,
    });
  });

  const lists = [
    ...['blocks', 'transactions', 'events', 'datanets', 'contributions', 'contributors', 'models', 'evaluations'],
    ...[
      'jobs',
      'channels',
      'inferenceJobs',
      'settlements',
      'splits',
      'outputs',
      'attributions',
      'batches',
      'rewardEpochs',
      'claims',
    ],
    ...['fundings', 'runners', 'stakes', 'slashes', 'unbondings', 'deployments', 'audits'],
  ];
  it.each(lists)('pages through %s forwards and backwards without losing or repeating one', async (list) => {
    const page = `pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor } totalCount`;
    const forwards: string[] = [];
    const backwards: string[] = [];
    let total = 0;
    for (let after: string | null = null, more = true; more; ) {
      const result: ListPage = (
        await data(`query($after: String) { ${list}(first: 7, after: $after) { ${page} } }`, { after })
      )[list];
      forwards.push(...result.edges.map(({ cursor }) => cursor));
      ({ endCursor: after, hasNextPage: more } = result.pageInfo);
      total = result.totalCount;
      if (forwards.length > 150) break;
    }
    for (let before: string | null = null, more = true; more; ) {
      const result: ListPage = (
        await data(`query($before: String) { ${list}(last: 9, before: $before) { ${page} } }`, { before })
      )[list];
      backwards.unshift(...result.edges.map(({ cursor }) => cursor));
      ({ startCursor: before, hasPreviousPage: more } = result.pageInfo);
      if (backwards.length > 150) break;
    }
    expect(forwards.length).toBeGreaterThan(0);
    expect(new Set(forwards).size).toBe(forwards.length);
    if (forwards.length <= 150 && backwards.length <= 150) {
      expect(backwards).toEqual(forwards);
      expect(total).toBe(forwards.length);
    }
  });

  it('ranks contributors by score sum, active days, then who came first', async () => {
    const { contributors } = await data(
      '{ contributors(first: 50) { nodes { address rank scoreSum activeDays accepted decided acceptanceRate } } }',
    );
    const ranked = contributors.nodes.filter(({ accepted }: { accepted: number }) => accepted > 0);
    expect(ranked.map(({ rank }: { rank: number }) => rank)).toEqual(
      ranked.map((_: unknown, index: number) => index + 1),
    );
    const scores = ranked.map(({ scoreSum }: { scoreSum: number }) => scoreSum);
    expect(scores).toEqual(scores.toSorted((a: number, b: number) => b - a));
    for (const { accepted, decided, acceptanceRate } of contributors.nodes) {
      expect(acceptanceRate).toBe(decided === 0 ? null : accepted / decided);
    }
  });

  it('follows a deployment back to the people behind it', async () => {
    const { deployments } = await data(`{ deployments(first: 3) { nodes {
      deployed deployer blockNumber transaction { hash from } block { hash }
      output { outputId source { __typename ... on Job { jobId } ... on Channel { channelId } }
        attributions(first: 5) { nodes { weight contribution { contributor { address rank } datanet { name } } } } }
      model { name ancestors { modelId kind } latestEvaluations { suite regressed }
        job { status history(first: 10) { nodes { change blockNumber } } }
        datanetVersion { version dataRoot contributions(first: 5) { nodes { contributionId status leafIndex } } } }
    } } }`);
    expect(deployments.nodes.length).toBeGreaterThan(0);
    for (const deployment of deployments.nodes) expect(deployment.transaction.hash).toMatch(/^0x/);
  });

  it('tells of audits: who was drawn, what was found, and what came of it', async () => {
    const fields = `outputId status finding runner auditor sourceKind seed deadline votes { juror finding blockNumber }
      output { outputId batch { batchIndex } audit { outputId } } model { modelId } batch { batchIndex }`;
    const { audits } = await data(`{ audits(first: 100) { nodes { ${fields} } } }`);
    // biome-ignore lint/suspicious/noExplicitAny: the shape of an answer is what the test is about.
    const all: any[] = audits.nodes;
    expect(all.length).toBeGreaterThan(3);
    expect(
      all.every(({ status, votes }) => votes.length === 3 || ['OPEN', 'MATCHED', 'UNDECIDED'].includes(status)),
    ).toBe(true);
    for (const { outputId, output } of all) if (output) expect(output.audit.outputId).toBe(outputId);
    const filtered = async (filter: string): Promise<string[]> =>
      (await data(`{ audits(first: 100, where: { ${filter} }) { nodes { outputId } } }`)).audits.nodes.map(
        (node: { outputId: string }) => node.outputId,
      );
    const ids = (nodes: { outputId: string }[]) => nodes.map(({ outputId }) => outputId);
    const contested = all.find(({ votes }) => votes.length === 3);
    const { status, runner, auditor, model, votes, outputId } = contested;
    const [{ juror }] = votes;
    expect(await filtered(`status: ${status}`)).toEqual(ids(all.filter((one) => one.status === status)));
    expect(await filtered(`runner: "${runner}"`)).toEqual(ids(all.filter((one) => one.runner === runner)));
    expect(await filtered(`auditor: "${auditor}"`)).toEqual(ids(all.filter((one) => one.auditor === auditor)));
    expect(await filtered(`juror: "${juror}"`)).toEqual(
      ids(all.filter((one) => one.votes.some((vote: { juror: string }) => vote.juror === juror))),
    );
    expect(await filtered(`modelId: "${model.modelId}"`)).toEqual(
      ids(all.filter((one) => one.model?.modelId === model.modelId)),
    );
    const both = await filtered(`runner: "${runner}", status: ${status}`);
    expect(both).toEqual(ids(all.filter((one) => one.runner === runner && one.status === status)));

    const found = await data(`{ audit(outputId: "${outputId}") { ${fields} } runner(address: "${runner}") {
      endpoint audits(first: 100) { nodes { outputId } } auditing(first: 100) { nodes { outputId } } } }`);
    expect(found.audit).toEqual(contested);
    expect(ids(found.runner.audits.nodes)).toEqual(ids(all.filter((one) => one.runner === runner)));
    expect(found.runner.auditing.nodes).toEqual([]);
    expect((await data(`{ audit(outputId: "0x${'00'.repeat(32)}") { outputId } }`)).audit).toBeNull();
  });

  it('gives lineage down to the base model', async () => {
    const { models } = await data(
      '{ models(first: 50, where: { kind: ADAPTER }) { nodes { kind ancestors { modelId kind children(first: 50) { nodes { modelId } } } parent { modelId } modelId } } }',
    );
    expect(models.nodes.length).toBeGreaterThan(0);
    for (const model of models.nodes) {
      expect(model.kind).toBe('ADAPTER');
      expect(model.ancestors.at(-1).kind).toBe('BASE');
      expect(model.ancestors[0].modelId).toBe(model.parent.modelId);
      expect(model.ancestors[0].children.nodes).toContainEqual({ modelId: model.modelId });
    }
  });

  it('refetches any node by its global id, and finds none for a made-up one', async () => {
    const { blocks, events, datanetVersions } = await data(
      '{ blocks(first: 1) { nodes { id hash } } events(first: 1) { nodes { id type } } datanetVersions: datanets(first: 9, order: OLDEST_FIRST) { nodes { versions(first: 1) { nodes { id dataRoot } } } } }',
    );
    const version = datanetVersions.nodes.flatMap((d: { versions: { nodes: unknown[] } }) => d.versions.nodes)[0];
    for (const [type, field, node] of [
      ['Block', 'hash', blocks.nodes[0]],
      ['Event', 'type', events.nodes[0]],
      ['DatanetVersion', 'dataRoot', version],
    ]) {
      const found = await data(`query($id: ID!) { node(id: $id) { id ... on ${type} { ${field} } } }`, { id: node.id });
      expect(found.node).toEqual(node);
    }
    const id = Buffer.from("Block:1'; DROP TABLE blocks").toString('base64');
    expect((await data('query($id: ID!) { node(id: $id) { id } }', { id })).node).toBeNull();
  });

  it('filters events by type and block range', async () => {
    const { events } = await data(
      '{ events(first: 100, order: OLDEST_FIRST, where: { types: ["JobRequested", "DatanetCreated"], fromBlock: 5, toBlock: 40 }) { nodes { type blockNumber args } } }',
    );
    const expected = stack.chain.blocks
      .slice(5, 41)
      .flatMap((block) => block.events.map(({ type }) => ({ type, blockNumber: Number(block.number) })))
      .filter(({ type }) => type === 'JobRequested' || type === 'DatanetCreated');
    expect(expected.length).toBeGreaterThan(0);
    expect(events.nodes.map(({ type, blockNumber }: Record<string, unknown>) => ({ type, blockNumber }))).toEqual(
      expected,
    );
  });

  it('finds blocks by number and hash, and transactions by hash, in either case', async () => {
    const block = stack.chain.blocks[12]!;
    const hash = `0x${block.hash.slice(2).toUpperCase()}`;
    const found = await data(
      'query($hash: Hex32!, $tx: Hex32!) { byNumber: block(number: 12) { hash } byHash: block(hash: $hash) { number } transaction(hash: $tx) { index value block { number } events(first: 50) { nodes { type } } } }',
      { hash, tx: block.transactions[0]?.hash },
    );
    expect(found.byNumber.hash).toBe(block.hash);
    expect(found.byHash.number).toBe(12);
    expect(found.transaction).toMatchObject({ index: 0, value: (2n ** 200n).toString(), block: { number: 12 } });
    expect(found.transaction.events.nodes.map(({ type }: { type: string }) => type)).toEqual(
      block.events.filter(({ txIndex }) => txIndex === 0).map(({ type }) => type),
    );
  });
});
