namespace OllamaMax.Jobs;

/// <summary>
/// One worker's try at a job. Issued by the job's owner alone; what any other attempt sends is ignored.
/// </summary>
/// <param name="Number">1 for the first; grows with each attempt of the job.</param>
/// <param name="WorkerId">Who may run it.</param>
/// <param name="Nonce">Unguessable, so that nobody but who was given the attempt can speak for it.</param>
public sealed record Attempt(int Number, string WorkerId, string Nonce);
