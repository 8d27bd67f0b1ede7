import type { Job, Model, RunnerView } from '../chain/runnerView.ts';
import type { RetrievalRequest } from '../gateway/attribution.ts';
import { reportOfModel } from '../jobs/trainingReport.ts';
import type { ContentHash } from '../store/contentStore.ts';

/** Files that an answer's attribution follows from, beside the adapter: what the model learnt, what it was shown, what pays. */
export const filesOfAnswer = (model: Model, shown: RetrievalRequest['datanet'], view: RunnerView): ContentHash[] => [
  ...reportOfModel(model),
  ...dataFiles(model.datanetId, model.datanetVersion, view),
  ...(shown ? dataFiles(shown.id, shown.version, view) : []),
];

/** Files that a training follows from, and the reports of what came of it and of what it refined. */
export const filesOfTraining = (job: Job, view: RunnerView): ContentHash[] => [
  ...[job.adapterId, job.modelId].flatMap((id) => reportOfModel(view.models.get(id))),
  ...dataFiles(job.datanetId, job.datanetVersion, view),
];

const dataFiles = (datanetId: bigint, version: number, view: RunnerView): ContentHash[] =>
  view.versionFiles(datanetId, version).map(({ contentHash }) => contentHash.slice(2));
