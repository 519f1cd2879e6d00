import type { ElicitationView } from "../backend/bindings";
import { m } from "../paraglide/messages";

/** The first line of a question: which program runs which tool on which service. It contains no text of the question. */
export function questionTitle({ program, tool, service: name, host }: ElicitationView): string {
  if (tool === null || program === null) return m.question_outside_call({ name, host });
  if (program === "window") return m.question_in_window({ tool, name, host });
  return program === "command_line"
    ? m.question_in_command({ tool, name, host })
    : m.question_in_client({ client: program.client, tool, name, host });
}
