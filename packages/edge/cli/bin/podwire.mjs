#!/usr/bin/env node
/** The `podwire` command in a clone: the launcher, then the command line. */
import { launch } from "./launch.mjs"

await launch("packages/edge/cli/src/main.ts", process.argv.slice(2))
