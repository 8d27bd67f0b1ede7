import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { runnerError } from '../errors.ts';
import type { Generator, ServedWeights } from '../serving/generator.ts';
import { hashFile } from '../store/contentStore.ts';
import type { ModelLocator } from '../store/modelLocator.ts';

const MAX_NAME = 128;
const namePattern = /^[\w][\w.:/-]*$/;
const hashPattern = /^sha256:[0-9a-f]{64}$/;

export type LocalAdapter = { readonly name: string; readonly weights: ServedWeights & { adapter: { sha256: string } } };

/**
 * Adapters that the operator loads by hand, under names of their own. They are in no contract: nobody is paid for their
 * answers, so nobody but operators gets any. Gone when the runner stops.
 */
export class LocalAdapters {
  readonly #models: ModelLocator;
  readonly #generator: Generator;
  readonly #isServed: (name: string) => boolean;
  readonly #adapters = new Map<string, LocalAdapter>();

  constructor(options: { models: ModelLocator; generator: Generator; isServed(name: string): boolean }) {
    this.#models = options.models;
    this.#generator = options.generator;
    this.#isServed = options.isServed;
  }

  list(): LocalAdapter[] {
    return [...this.#adapters.values()];
  }

  find(name: string): LocalAdapter | undefined {
    return this.#adapters.get(name);
  }

  /** @throws REQUEST_INVALID, ADAPTER_LOADED, NAME_TAKEN, ADAPTER_UNKNOWN, ENGINE_REFUSED */
  async load(name: unknown, path: unknown): Promise<void> {
    if (typeof name !== 'string' || typeof path !== 'string' || name === '' || path === '') {
      throw runnerError('REQUEST_INVALID', "Both 'lora_name' and 'lora_path' must be provided.");
    }
    if (name.length > MAX_NAME || !namePattern.test(name)) {
      throw runnerError('REQUEST_INVALID', `lora_name must be at most ${MAX_NAME} letters, digits and . _ - : /`);
    }
    if (this.#adapters.has(name)) {
      throw runnerError('ADAPTER_LOADED', `The lora adapter '${name}' has already been loaded.`);
    }
    if (this.#isServed(name)) {
      throw runnerError('NAME_TAKEN', `The lora adapter name '${name}' conflicts with a served model.`);
    }
    const folder = await this.#folder(path);
    const sha256 = await hashFile(join(folder, 'adapter_model.safetensors')).catch((cause) => {
      throw unknown(path, cause);
    });
    const base = await this.#models.baseOfAdapter(folder);
    const adapter = { name, weights: { base, adapter: { sha256, folder } } };
    await this.#generator.load(adapter.weights);
    this.#adapters.set(name, adapter);
  }

  /** @throws REQUEST_INVALID, ADAPTER_UNKNOWN */
  async unload(name: unknown): Promise<void> {
    if (typeof name !== 'string' || name === '') {
      throw runnerError('REQUEST_INVALID', "either 'lora_name' and 'lora_int_id' needs to be provided.");
    }
    const adapter = this.#adapters.get(name);
    if (!adapter) throw runnerError('ADAPTER_UNKNOWN', `The lora adapter '${name}' cannot be found.`);
    this.#adapters.delete(name);
    const { sha256 } = adapter.weights.adapter;
    const shared = this.list().some((other) => other.weights.adapter.sha256 === sha256);
    // A model of the chain may have the same weights: it registers them again with its next request.
    if (!shared) await this.#generator.unload(sha256);
  }

  /** `sha256:HASH` of the store, or a folder within it: nothing else on this machine can be read through this door. */
  async #folder(path: string): Promise<string> {
    const root = await realpath(this.#models.root);
    const wanted = hashPattern.test(path) ? join(root, path.slice('sha256:'.length)) : path;
    const folder = await realpath(wanted).catch((cause) => {
      throw unknown(path, cause);
    });
    if (!folder.startsWith(root + sep)) throw unknown(path);
    return folder;
  }
}

const unknown = (path: string, cause?: unknown) =>
  runnerError('ADAPTER_UNKNOWN', `No adapter found for ${path}`, {}, cause);
