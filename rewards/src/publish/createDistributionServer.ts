import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NATIVE_TOKEN } from '@openledger/chain-config';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type Address, isAddress } from 'viem';
import { epochFileNames } from './epochFiles.ts';
import { type OpenedEpoch, openEpoch } from './openEpoch.ts';

type Listed = { readonly epoch: number; readonly dataHash: string; readonly status: string };

const files: Readonly<Record<string, { name: string; type: string }>> = {
  'ledger.json': { name: epochFileNames.ledger, type: 'application/json' },
  'entitlements.csv': { name: epochFileNames.csv, type: 'text/csv' },
  'entitlements.parquet': { name: epochFileNames.parquet, type: 'application/vnd.apache.parquet' },
  'tree.json': { name: epochFileNames.tree, type: 'application/json' },
  'trace.bin': { name: epochFileNames.trace, type: 'application/octet-stream' },
};

export type DistributionOptions = {
  readonly dataDir: string;
  readonly chainId: number;
  /** What an account has claimed already, wei. */
  readonly claimed: (account: Address) => Promise<bigint>;
};

/** What distributors read: epochs, their files, proofs, and a view in the shape of Merkl's. Read only. */
export const createDistributionServer = ({ dataDir, chainId, claimed }: DistributionOptions): FastifyInstance => {
  const server = Fastify({ bodyLimit: 1_024, requestTimeout: 30_000, routerOptions: { maxParamLength: 80 } });
  let opened: { dataHash: string; files: OpenedEpoch } | undefined;

  const list = (): Listed[] => {
    const path = join(dataDir, 'epochs.json');
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Listed[]) : [];
  };
  const find = (number: string): Listed | undefined => list().find(({ epoch }) => epoch === Number(number));
  const folderOf = ({ dataHash }: Listed) => join(dataDir, dataHash);
  /** One epoch stays open: nearly all requests are about the last one. */
  const open = (listed: Listed): OpenedEpoch | undefined => {
    if (opened?.dataHash === listed.dataHash) return opened.files;
    if (!existsSync(folderOf(listed))) return undefined;
    opened?.files.close();
    opened = { dataHash: listed.dataHash, files: openEpoch(folderOf(listed)) };
    return opened.files;
  };
  const missing = (reply: FastifyReply, what: string) => reply.code(404).send({ error: `no ${what}` });
  /** A page that is still the same costs nothing. */
  const send = (request: FastifyRequest, reply: FastifyReply, value: unknown) => {
    const body = JSON.stringify(value);
    const tag = `"${createHash('sha256').update(body).digest('hex').slice(0, 32)}"`;
    if (request.headers['if-none-match'] === tag) return reply.code(304).send();
    return reply.header('etag', tag).header('cache-control', 'no-cache').type('application/json').send(body);
  };

  server.get('/epochs', (request, reply) => send(request, reply, list()));

  server.get<{ Params: { epoch: string } }>('/epochs/:epoch', (request, reply) => {
    const found = find(request.params.epoch);
    const summary = found && join(folderOf(found), epochFileNames.summary);
    if (!summary || !existsSync(summary)) return missing(reply, 'such epoch');
    return send(request, reply, { ...found, ...JSON.parse(readFileSync(summary, 'utf8')) });
  });

  server.get<{ Params: { epoch: string; file: string } }>('/epochs/:epoch/:file', (request, reply) => {
    const found = find(request.params.epoch);
    const file = files[request.params.file];
    const path = found && file && join(folderOf(found), file.name);
    if (!path || !existsSync(path)) return missing(reply, 'such file');
    // Files never change: their folder is named by their content.
    const tag = `"${found.dataHash}-${file.name}"`;
    if (request.headers['if-none-match'] === tag) return reply.code(304).send();
    reply.header('etag', tag).header('content-length', statSync(path).size).type(file.type);
    return reply.header('cache-control', 'public, max-age=31536000, immutable').send(createReadStream(path));
  });

  server.get<{ Params: { epoch: string; account: string } }>('/epochs/:epoch/proofs/:account', (request, reply) => {
    const { epoch, account } = request.params;
    const found = find(epoch);
    if (!isAddress(account, { strict: false })) return reply.code(400).send({ error: 'not an address' });
    const claim = found && open(found)?.tree.claimOf(account);
    if (!claim) return missing(reply, 'entitlement of this account in this epoch');
    const { cumulative, proof } = claim;
    return send(request, reply, { account, token: NATIVE_TOKEN, cumulative: cumulative.toString(), proof });
  });

  server.get<{ Params: { account: string }; Querystring: { chainId?: string } }>(
    '/v4/users/:account/rewards',
    async (request, reply) => {
      const { account } = request.params;
      if (!isAddress(account, { strict: false })) return reply.code(400).send({ error: 'not an address' });
      if (request.query.chainId !== undefined && Number(request.query.chainId) !== chainId)
        return send(request, reply, []);
      const last = list().findLast(({ status }) => status === 'final');
      const proposed = list().findLast(({ status }) => status === 'proposed');
      const claim = last && open(last)?.tree.claimOf(account);
      const owed = claim?.cumulative ?? 0n;
      const next = proposed ? (open(proposed)?.tree.leafOf(account)?.cumulative ?? owed) : owed;
      const paid = await claimed(account);
      const reward = {
        root: last ? open(last)?.roots.root : null,
        recipient: account,
        amount: owed.toString(),
        claimed: paid.toString(),
        pending: (next - owed).toString(),
        proofs: claim?.proof ?? [],
        token: { address: NATIVE_TOKEN, chainId, symbol: 'OPEN', decimals: 18 },
      };
      return send(request, reply, [
        { chain: { id: chainId, name: 'OpenLedger' }, rewards: claim || proposed ? [reward] : [] },
      ]);
    },
  );

  server.addHook('onClose', () => opened?.files.close());
  return server;
};
