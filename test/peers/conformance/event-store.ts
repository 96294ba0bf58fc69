import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server';

/** The events of one session, so that a stream that was cut can be resumed. */
export class MemoryEventStore implements EventStore {
  readonly #events: { readonly streamId: string; readonly message: JSONRPCMessage }[] = [];

  storeEvent(streamId: string, message: JSONRPCMessage): Promise<string> {
    this.#events.push({ streamId, message });
    return Promise.resolve(`event-${this.#events.length - 1}`);
  }

  getStreamIdForEventId(eventId: string): Promise<string | undefined> {
    return Promise.resolve(this.#events[indexOf(eventId)]?.streamId);
  }

  async replayEventsAfter(
    lastEventId: string,
    { send }: { send: (eventId: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const last = indexOf(lastEventId);
    const streamId = this.#events[last]?.streamId ?? '';
    for (const [index, event] of this.#events.entries()) {
      const isPriming = Object.keys(event.message).length === 0;
      if (index <= last || event.streamId !== streamId || isPriming) continue;
      await send(`event-${index}`, event.message);
    }
    return streamId;
  }
}

function indexOf(eventId: string): number {
  return Number(eventId.slice('event-'.length));
}
