export interface Finding {
  /** The heading it stands under: versions, machine, data folder, devices, models. */
  group: string;
  check: string;
  /** False for what is wrong and makes the command fail. */
  ok: boolean;
  /** Something optional that is not there. */
  absent?: boolean;
  found: string;
  /** For a tower: milliseconds of one inference, and what it is. */
  ms?: number;
  space?: string;
  sha256?: string;
  provider?: string;
}
