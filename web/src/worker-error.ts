/** Why a worker failed. One whose file is not there says nothing: the server was updated since. */
export const workerError = ({ message }: ErrorEvent, what: string): Error =>
  new Error(
    message
      ? what
      : `${what} A part of this page is missing, perhaps since the server was updated: reload it.`,
  );
