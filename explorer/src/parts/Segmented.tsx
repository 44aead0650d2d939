interface Props<T extends string> {
  label: string;
  options: [T, string][];
  value: T;
  onChange: (value: T) => void;
  testid: string;
}

/** A few options of which one holds: radio buttons in a row. */
export function Segmented<T extends string>({ label, options, value, onChange, testid }: Props<T>) {
  return (
    <fieldset class="segmented" data-testid={testid}>
      <legend class="unseen">{label}</legend>
      {options.map(([option, words]) => (
        <label class={option === value ? "is-on" : ""}>
          <input
            type="radio"
            name={testid}
            value={option}
            checked={option === value}
            onChange={() => onChange(option)}
            data-testid={`${testid}-${option}`}
          />
          {words}
        </label>
      ))}
    </fieldset>
  );
}
