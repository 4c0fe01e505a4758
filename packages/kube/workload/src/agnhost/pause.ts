/** `agnhost pause`: says so and is there until it is ended. */
import { type Host, Process } from "../process.ts"

export class Pause extends Process {
  constructor(host: Host, argv: ReadonlyArray<string>) {
    super(host, argv)
    this.stdout = "Paused\n"
  }

  protected override release(): void {}
}
