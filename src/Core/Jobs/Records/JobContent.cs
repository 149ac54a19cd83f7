namespace OllamaMax.Jobs.Records;

/// <summary>What of a record is content, and goes under a seal as one.</summary>
/// <param name="Job">As <see cref="JobRecord.Job"/>.</param>
/// <param name="Response">As <see cref="JobRecord.Response"/>.</param>
public sealed record JobContent(Job? Job, StoredResponse? Response);
