using OllamaMax.Jobs.Records;

namespace OllamaMax.Edge.Jobs;

/// <summary>What a job is taken on as.</summary>
/// <param name="Id">Of the job.</param>
/// <param name="Submission">Name of the <see cref="KeyedSubmission"/> that it comes of; null: of none.</param>
internal sealed record JobTicket(string Id, string? Submission);
