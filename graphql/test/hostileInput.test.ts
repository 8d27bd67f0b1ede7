import { openTestDatabase } from '@openledger/indexer/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, post, startStack, type TestStack } from './support.ts';

describe('hostile input', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startStack(openTestDatabase, { blocks: 25, limits: { requestTimeoutMs: 8_000 } });
  });
  afterAll(() => stack.close());
  afterEach(async () => {
    const { data, errors } = await stack.ask('{ meta { headBlock } }');
    expect(errors).toBeUndefined();
    expect(data.meta.headBlock).toBe(24);
  });

  const codesOf = ({ errors = [] }: Answer) => errors.map(({ extensions }) => extensions.code);
  const refused = async (query: string, code: string, variables?: Record<string, unknown>) => {
    const started = Date.now();
    const answer = await stack.ask(query, variables);
    expect(codesOf(answer)).toContain(code);
    expect(Object.values(answer.data ?? {}).every((value) => value === null)).toBe(true);
    expect(Date.now() - started).toBeLessThan(2_000);
    expect(JSON.stringify(answer)).not.toMatch(/node_modules|at \w+ \(|SELECT/);
  };

  it('refuses a deep query', () => {
    const nested = (depth: number): string => (depth === 0 ? 'modelId' : `parent { ${nested(depth - 1)} }`);
    return refused(`{ model(id: "1") { ${nested(60)} } }`, 'TOO_DEEP');
  });
  it('refuses depth that hides in fragments', () => {
    const parts = Array.from({ length: 30 }, (_, i) => `fragment F${i} on Model { parent { ...F${i + 1} } }`).join(' ');
    return refused(`{ model(id: "1") { ...F0 } } ${parts} fragment F30 on Model { modelId }`, 'TOO_DEEP');
  });
  it('refuses a thousand aliases', () => {
    const aliases = Array.from({ length: 300 }, (_, i) => `a${i}: meta { headSeq }`).join(' ');
    return refused(`{ ${aliases} }`, 'TOO_MANY_ALIASES');
  });
  it('refuses a document of too many tokens', () =>
    refused(`{ ${'meta { headSeq } '.repeat(1_000)} }`, 'TOO_MANY_TOKENS'));
  it('refuses many directives', () =>
    refused(`{ meta { headSeq ${'@include(if: true) '.repeat(100)} } }`, 'TOO_MANY_DIRECTIVES'));
  it('refuses a circle of fragments', () =>
    refused(
      '{ model(id: "1") { ...A } } fragment A on Model { parent { ...B } } fragment B on Model { parent { ...A } }',
      'GRAPHQL_VALIDATION_FAILED',
    ));
  it('refuses introspection that loops', () => {
    const nested = (depth: number): string => (depth === 0 ? 'name' : `fields { type { ${nested(depth - 1)} } }`);
    return refused(`{ __schema { types { ${nested(8)} } } }`, 'GRAPHQL_VALIDATION_FAILED');
  });
  it('refuses an answer that multiplies', () =>
    refused(
      '{ models(first: 100) { nodes { outputs(first: 100) { nodes { attributions(first: 100) { nodes { weight } } } } } } }',
      'TOO_COMPLEX',
    ));
  it.each([101, 5_000, 2_147_483_647])('refuses first: %d', async (first) => {
    const answer = await stack.ask(`{ blocks(first: ${first}) { totalCount } }`);
    expect(['BAD_PAGE_SIZE', 'TOO_COMPLEX']).toContain(codesOf(answer)[0]);
  });
  it.each([0, -1])('refuses first: %d', (first) =>
    refused(`{ blocks(first: ${first}) { totalCount } }`, 'BAD_PAGE_SIZE'),
  );
  it('refuses first together with last', () =>
    refused('{ blocks(first: 1, last: 1) { totalCount } }', 'BAD_PAGE_SIZE'));

  const cursor = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  it.each([
    'x',
    '',
    cursor(null),
    cursor(['-number']),
    cursor(['-number', "1'; DROP TABLE blocks; --"]),
    cursor(['-number', { a: 1 }]),
    cursor(['-number', 1e300]),
    cursor(['number', 3]),
    cursor(['-position', 3]),
  ])('refuses the cursor %s', (after) =>
    refused('query($after: String) { blocks(after: $after) { totalCount } }', 'BAD_CURSOR', { after }),
  );

  it.each(['0x12', 'vitalik.eth', `0x${'g'.repeat(40)}`, `0x${'1'.repeat(41)}`])(
    'refuses the address %s',
    async (address) => {
      await refused('query($a: Address!) { contributor(address: $a) { rank } }', 'BAD_VALUE', { a: address });
      await refused(`{ contributor(address: "${address}") { rank } }`, 'BAD_VALUE');
    },
  );
  it.each(['-1', '1.5', '1e3', 'abc', (2n ** 256n).toString()])('refuses the uint256 %s', (id) =>
    refused('query($id: Uint256!) { model(id: $id) { name } }', 'BAD_VALUE', { id }),
  );
  it('takes the largest values there are', async () => {
    const id = (2n ** 256n - 1n).toString();
    const answer = await stack.ask(
      `{ model(id: "${id}") { name } block(number: 9007199254740991) { hash }
         events(where: { fromBlock: -5, toBlock: 9007199254740991 }) { totalCount } }`,
    );
    expect(answer.errors).toBeUndefined();
    expect(answer.data).toMatchObject({ model: null, block: null });
  });
  it('refuses a block number beyond integers', () =>
    refused('{ block(number: 9007199254740992) { hash } }', 'BAD_VALUE'));
  it('refuses a block by both number and hash', () =>
    refused(`{ block(number: 1, hash: "0x${'0'.repeat(64)}") { number } }`, 'BAD_VALUE'));
  it('refuses unknown fields', () => refused('{ passwords }', 'GRAPHQL_VALIDATION_FAILED'));
  it('refuses what is no document', () => refused('{', 'GRAPHQL_PARSE_FAILED'));

  it('refuses an oversize body, a batch, a form and broken JSON', async () => {
    const { url } = stack.server;
    const oversize = await post(url, JSON.stringify({ query: `# ${'x'.repeat(100_000)}\n{ meta { headSeq } }` }));
    expect([oversize.status, codesOf(oversize)[0]]).toEqual([413, 'FST_ERR_CTP_BODY_TOO_LARGE']);
    const batch = await post(
      url,
      JSON.stringify([{ query: '{ meta { headSeq } }' }, { query: '{ meta { headSeq } }' }]),
    );
    expect(batch.status).toBe(400);
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    const form = await post(url, 'query={meta{headSeq}}', type);
    expect([form.status, codesOf(form)[0]]).toEqual([415, 'FST_ERR_CTP_INVALID_MEDIA_TYPE']);
    const broken = await post(url, '{"query": ');
    expect(broken.status).toBe(400);
    const polluting = await post(url, '{"query": "{ meta { headSeq } }", "__proto__": { "x": 1 }}');
    expect(polluting.status).toBe(400);
  });

  it('lets no foreign page read the answers', async () => {
    const response = await fetch(stack.server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: 'https://evil.example' },
      body: JSON.stringify({ query: '{ meta { headSeq } }' }),
    });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    await response.text();
  });

  it('answers introspection and the GraphiQL page', async () => {
    const { data } = await stack.ask('{ __schema { queryType { name } subscriptionType { name } } }');
    expect(data.__schema).toEqual({ queryType: { name: 'Query' }, subscriptionType: { name: 'Subscription' } });
    const page = await fetch(stack.server.url, { headers: { accept: 'text/html' } });
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('test chain explorer');
  });
});
