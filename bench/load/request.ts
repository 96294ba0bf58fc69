/** One kind of request that a load tool repeats. */
export interface LoadRequest {
  readonly method: 'GET' | 'POST' | 'OPTIONS';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Used in turn as bearer tokens; empty: `headers` are sent as they are. */
  readonly tokens: readonly string[];
}

export type LoadTool = 'autocannon' | 'wrk' | 'h2load';

/** What a load tool saw. */
export interface LoadResult {
  readonly tool: LoadTool;
  readonly seconds: number;
  readonly requests: number;
  /** Answers with another status than the one expected. */
  readonly unexpected: number;
  /** Connections that failed, and requests without an answer in time. */
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** CPU that the tool itself used, in nanoseconds. */
  readonly cpuNanoseconds: number;
}

export interface LoadOptions {
  readonly port: number;
  readonly request: LoadRequest;
  readonly connections: number;
  readonly seconds: number;
  /** Ends the load early. */
  readonly maxRequests?: number;
  readonly expectedStatus: number;
  readonly cores: string | null;
  /** How far the tool steps back for others on its cores, as for nice(1); 0 if left out. */
  readonly niceness?: number;
}
