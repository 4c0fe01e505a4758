/**
 * A container's environment and `$(NAME)` in its words, as kubelet makes them: a variable may use earlier
 * ones, `$$(NAME)` stands for `$(NAME)`, an unknown name stays as it is
 * (third_party/forked/golang/expansion).
 * Not supported: valueFrom and envFrom; such a variable is left out.
 */

export interface EnvVar {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: unknown
}

export function environment(
  base: ReadonlyMap<string, string>, variables: ReadonlyArray<EnvVar>
): ReadonlyMap<string, string> {
  const env = new Map(base)
  for (const { name, value = "", valueFrom } of variables) {
    if (valueFrom === undefined) env.set(name, expand(value, env))
  }
  return env
}

export function expand(text: string, env: ReadonlyMap<string, string>): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (whole, name: string | undefined) =>
    name === undefined ? "$" : env.get(name) ?? whole)
}
