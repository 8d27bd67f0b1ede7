import { runnerError } from '../errors.ts';

const MAX_EVENT_CHARACTERS = 1024 * 1024;

/** The data of each server-sent event of a response. Of the format only `data:` lines are used here. */
export async function* readEvents(response: Response): AsyncGenerator<string> {
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const events = (rest + read.value.replaceAll('\r', '')).split('\n\n');
      rest = events.pop() ?? '';
      if (rest.length > MAX_EVENT_CHARACTERS) throw runnerError('ENGINE_FAILED', 'an event of the answer has no end');
      for (const event of events) {
        const lines = event.split('\n').filter((line) => line.startsWith('data:'));
        if (lines.length > 0) yield lines.map((line) => line.slice('data:'.length).trimStart()).join('\n');
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
