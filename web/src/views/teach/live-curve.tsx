export interface Epoch {
  epoch: number;
  train_loss: number;
  validation_loss?: number;
}

const width = 460;
const height = 120;
const left = 40;

/** The loss after each round, as it comes in: what it learns from, and what it has not seen. */
export function LiveCurve({ epochs, total }: { epochs: readonly Epoch[]; total: number }) {
  if (epochs.length === 0) return null;
  const losses = epochs.flatMap(({ train_loss: seen, validation_loss: unseen }) =>
    unseen === undefined ? [seen] : [seen, unseen],
  );
  const [low, high] = [Math.min(...losses), Math.max(...losses)];
  const x = (epoch: number) => left + ((epoch - 1) / Math.max(1, total - 1)) * (width - left - 8);
  const y = (loss: number) => 8 + (1 - (loss - low) / (high - low || 1)) * (height - 16);
  const line = (of: (one: Epoch) => number | undefined) =>
    epochs
      .flatMap((one) => {
        const loss = of(one);
        return loss === undefined ? [] : [`${x(one.epoch).toFixed(1)} ${y(loss).toFixed(1)}`];
      })
      .join("L");
  const last = epochs[epochs.length - 1];
  const seen = line(({ train_loss }) => train_loss);
  const unseen = line(({ validation_loss }) => validation_loss);
  return (
    <figure class="live-curve">
      <svg viewBox={`0 0 ${width} ${height + 16}`} role="img" aria-label="Loss by round">
        <path class="axis" d={`M${left} 4V${height}H${width}`} />
        <text x={left - 4} y={14} text-anchor="end">
          {high.toFixed(2)}
        </text>
        <text x={left - 4} y={height - 4} text-anchor="end">
          {low.toFixed(2)}
        </text>
        <text x={width} y={height + 13} text-anchor="end">
          round {total}
        </text>
        <path class="seen" d={`M${seen}`} />
        {unseen !== "" && <path class="unseen" d={`M${unseen}`} />}
        <circle class="seen" cx={x(last.epoch)} cy={y(last.train_loss)} r={3} />
      </svg>
      <figcaption class="sentence">
        round {last.epoch} of {total}: the loss is {last.train_loss.toFixed(3)} on what it learns
        from
        {last.validation_loss !== undefined &&
          `, ${last.validation_loss.toFixed(3)} on what it has not seen (dashed); it learns ` +
            "while both fall"}
      </figcaption>
    </figure>
  );
}
