/**
 * The parts of the native server's request and response that are used here, described as plain
 * interfaces, so that only the listener file imports the native module. Texts from the native server are
 * valid only while its callback runs, unless noted.
 */

export interface NativeRequest {
  getCaseSensitiveMethod(): string;
  getUrl(): string;
  getQuery(): string | undefined;
  getHeader(lowerCaseName: string): string;
  forEach(callback: (name: string, value: string) => void): void;
}

type NativeText = string | Uint8Array;

export interface NativeResponse {
  writeStatus(status: NativeText): unknown;
  writeHeader(name: NativeText, value: NativeText): unknown;
  write(chunk: NativeText): boolean;
  end(body?: NativeText, closeConnection?: boolean): unknown;
  endWithoutBody(): unknown;
  tryEnd(chunk: NativeText, totalSize: number): [boolean, boolean];
  close(): unknown;
  getWriteOffset(): number;
  onWritable(handler: (offset: number) => boolean): unknown;
  onAborted(handler: () => void): unknown;
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): unknown;
  cork(callback: () => void): unknown;
  getRemoteAddressAsText(): ArrayBuffer;
  /** Only in newer builds of the native server. */
  getRemotePort?(): number;
}
