import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Case, Suite } from '../suite.ts';
import { openEthereumChain } from './support/ethereumChain.ts';
import { compareAnswer, readExchanges } from './support/rpcExchange.ts';

/** Files that can't be told apart by the folder that they are in. */
const SIMULATE = 'eth_simulateV1';

/**
 * ethereum/execution-apis' requests and geth's answers to them, on their chain, through the dispatcher that our node serves
 * with. Every exchange of a file has to agree; in files marked `speconly` only the shape counts, as in hive.
 */
const rpcSuite = (name: string, wanted: (method: string) => boolean): Suite => ({
  name,
  cases: async (fixtures) => {
    const root = join(fixtures, 'execution-apis');
    if (!existsSync(join(root, 'chain.rlp'))) return undefined;
    let chain: ReturnType<typeof openEthereumChain> | undefined;
    const files = readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && wanted(entry.name))
      .flatMap(({ name: method }) => readdirSync(join(root, method)).map((file) => join(method, file)))
      .filter((path) => path.endsWith('.io'))
      .sort();
    return files.map(
      (path): Case => ({
        name: path,
        run: async () => {
          chain ??= openEthereumChain(root);
          const dispatch = await chain;
          const { exchanges, shapeOnly } = readExchanges(readFileSync(join(root, path), 'utf8'));
          for (const { request, answer } of exchanges) compareAnswer(await dispatch(request), answer, shapeOnly);
        },
      }),
    );
  },
});

export const rpc = rpcSuite('rpc', (method) => method !== SIMULATE);
export const rpcSimulate = rpcSuite('rpc-simulate', (method) => method === SIMULATE);
