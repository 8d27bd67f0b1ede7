import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isOpenLedgerError } from '@openledger/kit';
import type { RpcBlock } from '../../../node/src/l1/rpcTypes.ts';
import { verifyL1Block, verifyL1Header } from '../../../node/src/l1/verifyL1Block.ts';
import type { Case, Suite } from '../suite.ts';

/** Headers come from requests without transactions; of them only the hash is checked. */
const verifiers = { blocks: verifyL1Block, headers: verifyL1Header } as const;
const DATA = '_data.json';

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

const casesOf = (folder: string, kind: keyof typeof verifiers): Case[] => {
  const path = join(folder, kind);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((file) => file.endsWith(DATA))
    .sort()
    .map((file) => {
      const name = file.slice(0, -DATA.length);
      return {
        name: `${kind}/${name}`,
        run: async () => {
          const { fail = false } = readJson(join(path, `${name}_metadata.json`)) as { fail?: boolean };
          const refused = await verifiers[kind](readJson(join(path, file)) as RpcBlock).then(
            () => undefined,
            (error: unknown) => error,
          );
          if (refused !== undefined && !isOpenLedgerError(refused, 'L1_BAD_DATA')) throw refused;
          if (fail !== (refused !== undefined)) throw new Error(fail ? 'was not refused' : 'was refused');
        },
      };
    });
};

/** L1 blocks and headers of op-node's tests, some falsified: what the L1 source takes and what it refuses. */
export const badL1Data: Suite = {
  name: 'bad-l1-data',
  cases: async (fixtures) => {
    const folder = join(fixtures, 'optimism', 'op-service_sources_testdata');
    const cases = [...casesOf(folder, 'blocks'), ...casesOf(folder, 'headers')];
    return cases.length > 0 ? cases : undefined;
  },
};
