/** The edge has answered, and not what was asked for. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";

  constructor(
    /** Of the HTTP answer, such as 404 for a job that the edge does not know (any more). */
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}
