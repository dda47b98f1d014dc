import { writeSync } from "node:fs";
import { AppError } from "../errors.js";
import type { DeviceProbe } from "./probe-devices.js";
import { type Device, openSession } from "./session.js";

/**
 * The sums of the four 2 x 2 squares of a float32 x [1, 1, 3, 3], as an ONNX file (IR 8, opset 17).
 * A convolution, since cuDNN is loaded for the first one only.
 */
const squareSums = Buffer.from(
  "CAg6bwoPCgF4CgF3EgF5IgRDb252EgFjKh8IAQgBCAIIAhABQgF3ShAAAIA/AACAPwAAgD8AAIA/WhsKAXgSFgoUCAESEAoCCAEKAggBCgIIAwoCCANiGwoBeRIWChQIARIQCgIIAQoCCAEKAggCCgIIAkIECgAQEQ==",
  "base64",
);

/** Runs the graph on a device. */
async function probe(device: Device): Promise<DeviceProbe> {
  try {
    const session = await openSession({ model: squareSums, device });
    try {
      const { runtime } = session.info;
      const x = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
      const { y } = await session.run({ x: { type: "float32", dims: [1, 1, 3, 3], data: x } });
      // Whole numbers this small are exact in every format that a card computes in.
      const found = [...y.data].join(", ");
      if (found === "12, 16, 24, 28") return { available: true, runtime };
      return { available: false, reason: `a convolution gave ${found}` };
    } finally {
      await session.close();
    }
  } catch (error) {
    const message = error instanceof AppError ? error.message : "it failed while running";
    return {
      available: false,
      reason: message.replace(`The device "${device}" cannot be used: `, ""),
    };
  }
}

// The process of probe-devices.ts: device in, one JSON object on a line of its own out.
writeSync(1, `\n${JSON.stringify(await probe(process.argv[2] as Device))}\n`);
