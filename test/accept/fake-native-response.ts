import type { NativeResponse } from '../../src/accept/native.ts';

type Text = string | Uint8Array;

/**
 * The native server's response as tests see it: keeps what was written, accepts `window` octets of a body of
 * known length at a time, and throws when it is touched after it was completed, as the native one does.
 */
export class FakeNativeResponse implements NativeResponse {
  /** Status and header lines, then `chunk`, `end`, `close` entries, in the order of the calls. */
  readonly log: string[] = [];
  written = Buffer.alloc(0);
  over = false;
  /** Octets that the socket takes before it asks to wait. */
  window = Number.POSITIVE_INFINITY;
  #aborted: () => void = () => undefined;
  #writable: (offset: number) => boolean = () => true;
  #data: (chunk: ArrayBuffer, isLast: boolean) => void = () => undefined;

  /** Takes fields behind the status, too, as they would stand on the wire. */
  writeStatus(status: Text): void {
    for (const line of `status ${text(status)}`.split('\r\n')) this.#touch(line);
  }

  writeHeader(name: Text, value: Text): void {
    this.#touch(`${text(name)}: ${text(value)}`);
  }

  write(chunk: Text): boolean {
    this.#touch(`chunk ${text(chunk)}`);
    return this.#take(chunk) === chunk.length;
  }

  end(body: Text = '', closeConnection = false): void {
    this.#touch(`end ${text(body)}${closeConnection ? ' and close' : ''}`);
    this.over = true;
  }

  endWithoutBody(): void {
    this.#touch('end without body');
    this.over = true;
  }

  tryEnd(chunk: Text, totalSize: number): [boolean, boolean] {
    const taken = this.#take(chunk);
    this.#touch(`tryEnd ${taken} of ${chunk.length}`);
    if (this.written.length === totalSize) this.over = true;
    return [taken === chunk.length, this.over];
  }

  close(): void {
    this.#touch('close');
    this.over = true;
    this.#aborted();
  }

  getWriteOffset(): number {
    return this.written.length;
  }

  onWritable(handler: (offset: number) => boolean): void {
    this.#writable = handler;
  }

  onAborted(handler: () => void): void {
    this.#aborted = handler;
  }

  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): void {
    this.#data = handler;
  }

  cork(callback: () => void): void {
    callback();
  }

  getRemoteAddressAsText(): ArrayBuffer {
    return new TextEncoder().encode('192.0.2.1').buffer;
  }

  /** The client goes away. */
  abort(): void {
    this.over = true;
    this.#aborted();
  }

  /** The client has read: the socket takes `octets` more. */
  catchUp(octets: number): boolean {
    this.window = octets;
    return this.#writable(this.written.length);
  }

  /** The client sends a piece of its body. */
  receive(piece: string | Uint8Array, isLast: boolean): void {
    const octets = typeof piece === 'string' ? new TextEncoder().encode(piece) : piece;
    const lent = new Uint8Array(octets).buffer;
    this.#data(lent, isLast);
    new Uint8Array(lent).fill(0);
  }

  #take(chunk: Text): number {
    const octets = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    const taken = Math.min(octets.length, this.window);
    this.window -= taken;
    this.written = Buffer.concat([this.written, octets.subarray(0, taken)]);
    return taken;
  }

  #touch(entry: string): void {
    if (this.over) throw new Error(`touched after it was over: ${entry}`);
    this.log.push(entry);
  }
}

function text(value: Text): string {
  return typeof value === 'string' ? value : Buffer.from(value).toString('latin1');
}
