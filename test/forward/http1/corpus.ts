/** Answers that fuzzing found, or that once divided parsers: tried on every run. */
export interface Kept {
  readonly what: string;
  readonly method?: string;
  /** One character for each octet. */
  readonly answer: string;
}

export const corpus: readonly Kept[] = [
  {
    what: 'a length among the trailers',
    answer: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 3\r\n\r\n',
  },
  {
    what: 'an interim answer with an empty length',
    answer: 'HTTP/1.1 102 x\r\nContent-Length:\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
  },
  {
    what: 'an interim answer that closes the connection',
    answer:
      'HTTP/1.1 102 x\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  },
];
