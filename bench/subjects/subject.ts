import type { Identities } from '../tokens.ts';

/**
 * What a subject has to do with each request: `plain` hands it on; `claim` verifies an RS256 token and lets
 * one subject through; `tool` decides on the tool that the body names as well.
 */
export type Duty = 'plain' | 'claim' | 'tool';

export interface Setting {
  readonly duty: Duty;
  readonly upstreamPort: number;
  readonly identities: Identities;
  /** CPUs for the subject, as taskset takes them. */
  readonly cores: string | null;
  readonly workers: number;
  readonly accessLog: boolean;
  /** A folder of its own for configuration and logs. */
  readonly folder: string;
  /** A port that was free a moment ago. */
  readonly port: number;
  /** Where CPU profiles go, or `null`. */
  readonly profileFolder: string | null;
}

export interface RunningSubject {
  readonly port: number;
  /** The process whose tree is measured. */
  readonly pid: number;
  stop(): Promise<void>;
}

/** A proxy that can be measured. */
export interface Subject {
  readonly name: string;
  readonly duties: readonly Duty[];
  /** Whether a token that was verified once is recognised later without another signature check. */
  readonly cachesTokens: string;
  /** Its version, or `null` where it is not installed. */
  version(): string | null;
  /** @throws Error with what the process said, when it does not start */
  start(setting: Setting): Promise<RunningSubject>;
}
