using OllamaMax.Jobs;

namespace OllamaMax.Streaming;

/// <summary>What a message in a model's queue says: ids only, never a prompt.</summary>
/// <param name="Reply">Whom to send the claim to; null: the job is owned by its record, and claimed through any edge over HTTP.</param>
public sealed record QueuedJob(int Version, string JobId, string Model, Band Band, ReplyCapability? Reply);
