import type { Model } from '../chain/runnerView.ts';
import type { LocalAdapter } from './localAdapters.ts';

/** A row of `GET /v1/models`; `root` and `parent` as vLLM has them: the weights, and what an adapter is made for. */
export const formatModel = (model: Model) => ({
  id: model.name,
  object: 'model',
  created: 0,
  owned_by: model.owner,
  root: model.weightsHash,
  parent: model.parentId === 0n ? null : `model-${model.parentId}`,
  openledger: {
    model_id: model.id.toString(),
    input_price: model.inputPrice.toString(),
    output_price: model.outputPrice.toString(),
    datanet_id: model.datanetId.toString(),
    datanet_version: model.datanetVersion,
  },
});

export const formatLocal = ({ name, weights }: LocalAdapter) => ({
  id: name,
  object: 'model',
  created: 0,
  owned_by: 'operator',
  root: `0x${weights.adapter.sha256}`,
  parent: weights.base,
});
