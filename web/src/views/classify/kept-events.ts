/** A stretch of time in which the microphone heard one label. */
export interface LiveEvent {
  id: number;
  label: string;
  start: Date;
  end: Date;
  /** The highest that it reached. */
  score: number;
  /** Some seconds of it, as a WAV file; undefined once there are too many. */
  sound: Blob | undefined;
}

export const maxEvents = 1000;
/** Of 3 s each: 60 MB. */
export const maxSounds = 200;

/** Of events, the newest first: as many as are kept, and the sounds of the newest of them. */
export function kept(events: readonly LiveEvent[]): readonly LiveEvent[] {
  return events
    .slice(0, maxEvents)
    .map((one, i) =>
      i < maxSounds || one.sound === undefined ? one : { ...one, sound: undefined },
    );
}
