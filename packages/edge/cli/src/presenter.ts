/** Help goes to stdout when it is asked for; a wrong invocation is told on stderr, in one line each. */
import * as CliOutput from "effect/cli/CliOutput"
import * as Effect from "effect/Effect"

const formatter = CliOutput.defaultFormatter({ colors: false })

export const presenterLayer = CliOutput.layerPresenter({
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
