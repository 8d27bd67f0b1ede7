import { isOpenLedgerError } from '@openledger/kit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { credentialOf } from './credential.ts';
import type { Inference } from './inference.ts';
import type { LocalAdapter } from './localAdapters.ts';

type Body = { lora_name?: unknown; lora_path?: unknown } | null;

/** Loading and unloading adapters by hand, with vLLM's paths, bodies and texts, for holders of an operator's API key. */
export const operatorRoutes = (app: FastifyInstance, inference: Inference): void => {
  const admit = (request: FastifyRequest) => inference.admitOperator(credentialOf(request.headers));

  app.post('/v1/load_lora_adapter', async (request, reply) => {
    await admit(request);
    const { lora_name: name, lora_path: path } = (request.body as Body) ?? {};
    await inference.local.load(name, path);
    return reply.type('text/plain').send(`Success: LoRA adapter '${name}' added successfully.`);
  });

  app.post('/v1/unload_lora_adapter', async (request, reply) => {
    await admit(request);
    const { lora_name: name } = (request.body as Body) ?? {};
    await inference.local.unload(name);
    return reply.type('text/plain').send(`Success: LoRA adapter '${name}' removed successfully.`);
  });
};

/** What the caller may see of what the operator loaded: all of it, or nothing. */
export const localAdapters = async (request: FastifyRequest, inference: Inference): Promise<LocalAdapter[]> => {
  if (inference.local.list().length === 0 || request.headers.authorization === undefined) return [];
  try {
    await inference.admitOperator(credentialOf(request.headers));
    return inference.local.list();
  } catch (error) {
    if (isOpenLedgerError(error, 'OPERATOR_ONLY') || isOpenLedgerError(error, 'API_KEY_UNKNOWN')) return [];
    throw error;
  }
};
