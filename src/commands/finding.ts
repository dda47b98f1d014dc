export interface Finding {
  /** The heading it appears under: versions, machine, data folder, devices, models. */
  group: string;
  check: string;
  /** False for a problem that makes the command fail. */
  ok: boolean;
  /** Something optional that is missing. */
  absent?: boolean;
  found: string;
  /** For a tower: milliseconds of one inference, and what it is. */
  ms?: number;
  space?: string;
  sha256?: string;
  provider?: string;
}
