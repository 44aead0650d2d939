interface Props {
  label: string;
  low: number;
  high: number;
  value: number;
  text: string;
  testid: string;
  onInput: (value: number) => void;
  onReset: () => void;
}

/** A range from low to high; arrows move 1 %, with shift 10 %; double click or Backspace resets. */
export function Slider({ label, low, high, value, text, testid, onInput, onReset }: Props) {
  const [least, most] = [Math.min(low, value), Math.max(high, value)];
  const span = most - least || 1;

  function onKeyDown(event: KeyboardEvent): void {
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };
    const step = steps[event.key];
    if (event.key === "Backspace" || event.key === "Delete") onReset();
    else if (step === undefined) return;
    else onInput(Math.min(most, Math.max(least, value + (step * span) / (event.shiftKey ? 10 : 100))));
    event.preventDefault();
  }

  return (
    <input
      type="range"
      min={least}
      max={most}
      step="any"
      value={value}
      style={{ "--filled": `${(100 * (value - least)) / span}%` }}
      aria-label={label}
      aria-valuetext={text}
      title="Double click, or Backspace, to reset"
      data-testid={testid}
      onInput={(event) => onInput(Number(event.currentTarget.value))}
      onDblClick={onReset}
      onKeyDown={onKeyDown}
    />
  );
}
