import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Model, RunnerView } from '../chain/runnerView.ts';
import { runnerError } from '../errors.ts';
import type { ServedWeights } from '../serving/generator.ts';
import { hashFile } from './contentStore.ts';

export type ModelLocation = {
  /** Folder of the base model. */
  readonly base: string;
  /** Folder of the adapter, when the model is one. */
  readonly adapter?: string;
  /** General evaluation text beside the base model. */
  readonly general?: string;
};

/** Where the weights of on-chain models lie on this machine: base folders by their hash, adapters under `root`. */
export class ModelLocator {
  readonly root: string;
  /** sha256 of model.safetensors -> folder */
  readonly #bases: ReadonlyMap<string, string>;

  private constructor(root: string, bases: ReadonlyMap<string, string>) {
    this.root = root;
    this.#bases = bases;
  }

  static async open(root: string, baseFolders: readonly string[]): Promise<ModelLocator> {
    await mkdir(root, { recursive: true });
    const bases = new Map<string, string>();
    for (const folder of baseFolders) bases.set(await hashFile(join(folder, 'model.safetensors')), folder);
    return new ModelLocator(root, bases);
  }

  /** A base model by the sha256 of its weights. */
  base(weightsSha256: string): { folder: string; general?: string } | undefined {
    const folder = this.#bases.get(weightsSha256);
    if (!folder) return undefined;
    const general = join(folder, 'general.jsonl');
    return { folder, ...(existsSync(general) ? { general } : {}) };
  }

  adapterFolder(weightsSha256: string): string {
    return join(this.root, weightsSha256);
  }

  hasAdapter(weightsSha256: string): boolean {
    return existsSync(this.adapterFolder(weightsSha256));
  }

  /** Folders of a model, or undefined when its weights aren't here. */
  locate(view: RunnerView, modelId: bigint): ModelLocation | undefined {
    const model = view.models.get(modelId);
    const baseModel = view.baseOf(modelId);
    const base = baseModel && this.base(baseModel.weightsHash.slice(2));
    if (!model || !base) return undefined;
    const found = { base: base.folder, ...(base.general ? { general: base.general } : {}) };
    if (model.parentId === 0n) return found;
    const weights = model.weightsHash.slice(2);
    return this.hasAdapter(weights) ? { ...found, adapter: this.adapterFolder(weights) } : undefined;
  }

  /** What a generator is to load for a model. @throws MODEL_UNKNOWN when its weights aren't here */
  weights(view: RunnerView, { id, weightsHash }: Pick<Model, 'id' | 'weightsHash'>): ServedWeights {
    const location = this.locate(view, id);
    if (!location) throw runnerError('MODEL_UNKNOWN', `the weights of model ${id} are not on this runner`);
    const { base, adapter: folder } = location;
    return folder ? { base, adapter: { sha256: weightsHash.slice(2), folder } } : { base };
  }

  /** Folder of the base that an adapter names by hash; of the only base where it names none. @throws ADAPTER_UNKNOWN */
  async baseOfAdapter(folder: string): Promise<string> {
    const config = await readFile(join(folder, 'adapter_config.json'), 'utf8')
      .then((text) => JSON.parse(text) as { base_model_name_or_path?: unknown })
      .catch((cause) => {
        throw runnerError('ADAPTER_UNKNOWN', 'the adapter has no adapter_config.json', {}, cause);
      });
    const [, hash] = /^sha256:([0-9a-f]{64})$/.exec(String(config.base_model_name_or_path)) ?? [];
    const [only, ...others] = this.#bases.values();
    const base = hash === undefined ? (others.length === 0 ? only : undefined) : this.#bases.get(hash);
    if (base === undefined) throw runnerError('ADAPTER_UNKNOWN', 'the base of the adapter is not on this runner');
    return base;
  }

  /** Takes a trained adapter into the store, whole or not at all. */
  async keepAdapter(folder: string, weightsSha256: string): Promise<string> {
    const target = this.adapterFolder(weightsSha256);
    if (existsSync(target)) return target;
    const temporary = `${target}.partial`;
    await rm(temporary, { recursive: true, force: true });
    await cp(folder, temporary, { recursive: true });
    await rename(temporary, target);
    return target;
  }
}
