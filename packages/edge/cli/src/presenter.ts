/** Help goes to stdout when it is asked for; a wrong invocation is told on stderr, in plain lines. */
import * as CliOutput from "effect/cli/CliOutput"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const formatter: CliOutput.Formatter = {
  ...CliOutput.defaultFormatter({ colors: false }),
  formatError: (error) => error.message
}

const presenter = CliOutput.layerPresenter({
  present: (event) => Effect.sync(() => {
    switch (event._tag) {
      case "Help":
        process.stdout.write(`${formatter.formatHelpDoc(event.helpDoc)}\n`)
        return
      case "Version":
        process.stdout.write(`${event.name} v${event.version}\n`)
        return
      case "InvalidInvocation": {
        for (const error of event.errors) process.stderr.write(`podwire: ${error.message}\n`)
        process.stderr.write(`see: ${event.commandPath.join(" ")} --help\n`)
      }
    }
  })
})

export const presenterLayer = Layer.merge(presenter, CliOutput.layer(formatter))
