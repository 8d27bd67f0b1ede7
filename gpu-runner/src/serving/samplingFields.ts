import type { GenerateRequest } from './generator.ts';

/** How the next token is chosen, and when to end: named alike by the API, by our engine and by vLLM. */
export const samplingFields = (request: GenerateRequest) => ({
  max_tokens: request.maxTokens,
  temperature: request.temperature,
  top_p: request.topP,
  top_k: request.topK,
  min_p: request.minP,
  repetition_penalty: request.repetitionPenalty,
  presence_penalty: request.presencePenalty,
  frequency_penalty: request.frequencyPenalty,
  logit_bias: request.logitBias,
  seed: request.seed,
  stop: request.stop,
});

/** The same with what is only told, and changes no answer. */
export const generationFields = (request: GenerateRequest) => ({
  ...samplingFields(request),
  ...(request.logprobs === undefined ? {} : { logprobs: request.logprobs }),
});
