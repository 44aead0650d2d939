/** At most one call in flight; of the inputs that wait, the newest wins. */
export class Latest<Input, Output> {
  private waiting: Input | undefined;
  private busy = false;
  private readonly work: (input: Input) => Promise<Output>;
  private readonly done: (output: Output, input: Input) => void;
  private readonly failed: (error: unknown) => void;

  constructor(
    work: (input: Input) => Promise<Output>,
    done: (output: Output, input: Input) => void,
    failed: (error: unknown) => void,
  ) {
    this.work = work;
    this.done = done;
    this.failed = failed;
  }

  push(input: Input): void {
    this.waiting = input;
    if (!this.busy) void this.run();
  }

  private async run(): Promise<void> {
    this.busy = true;
    while (this.waiting !== undefined) {
      const input = this.waiting;
      this.waiting = undefined;
      try {
        this.done(await this.work(input), input);
      } catch (error) {
        this.failed(error);
      }
    }
    this.busy = false;
  }
}
