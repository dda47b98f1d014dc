import { readdirSync } from "node:fs";
import { connect } from "node:net";
import type { Locks } from "./support.js";

/** Which locks this process is under: it tries what they refuse. */
export async function findLocks(): Promise<Locks> {
  return { files: refusesFiles(), network: await refusesSockets() };
}

function refusesFiles(): boolean {
  try {
    readdirSync("/");
    return false;
  } catch {
    return true;
  }
}

/** Whether a socket cannot even be made; an address where nobody answers is not a lock. */
function refusesSockets(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port: 9 });
    const end = (isRefused: boolean) => {
      socket.destroy();
      resolve(isRefused);
    };
    socket.once("connect", () => end(false));
    socket.once("error", ({ code }: NodeJS.ErrnoException) => end(code === "EPERM"));
  });
}
