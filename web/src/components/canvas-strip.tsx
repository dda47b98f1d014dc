import { useEffect, useRef } from "preact/hooks";

const colorNames = ["audio", "image", "text", "ink", "ink-2", "line", "sunk", "surface"] as const;

export interface Paint {
  context: CanvasRenderingContext2D;
  /** In CSS pixels. */
  width: number;
  height: number;
  /** The colour tokens of the current theme, `#rrggbb`. */
  colors: Record<(typeof colorNames)[number], string>;
}

/** A drawing as wide as its container; drawn again when the width, the theme or `paint` changes. */
export function CanvasStrip({ height, paint }: { height: number; paint: (to: Paint) => void }) {
  const ref = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const canvas = ref.current!;
    const draw = () => {
      const width = canvas.clientWidth;
      canvas.width = Math.max(1, Math.round(width * devicePixelRatio));
      canvas.height = Math.round(height * devicePixelRatio);
      const context = canvas.getContext("2d")!;
      context.scale(devicePixelRatio, devicePixelRatio);
      paint({ context, width, height, colors: currentColors() });
    };
    draw();
    const theme = matchMedia("(prefers-color-scheme: dark)");
    const resized = new ResizeObserver(draw);
    theme.addEventListener("change", draw);
    resized.observe(canvas);
    return () => {
      theme.removeEventListener("change", draw);
      resized.disconnect();
    };
  }, [height, paint]);
  return <canvas ref={ref} class="strip" style={{ height: `${height}px` }} />;
}

function currentColors(): Paint["colors"] {
  const style = getComputedStyle(document.documentElement);
  const colors = colorNames.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]);
  return Object.fromEntries(colors);
}
