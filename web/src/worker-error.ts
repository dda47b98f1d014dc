/**
 * Why a worker failed. One without a message could not be loaded: the server has been updated
 * since.
 */
export const workerError = ({ message }: ErrorEvent, what: string): Error =>
  new Error(
    message
      ? what
      : `${what} A part of this page is missing, perhaps since the server was updated: reload it.`,
  );
