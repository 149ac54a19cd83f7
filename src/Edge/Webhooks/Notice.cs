using System.Text.Json.Serialization;

namespace OllamaMax.Edge.Webhooks;

/// <summary>Something that an operator must know, as it is sent.</summary>
/// <param name="Id">The same each time that it is tried to be sent.</param>
/// <param name="Type">One of <see cref="NoticeTypes"/>.</param>
/// <param name="Timestamp">When it was found.</param>
/// <param name="Subject">What it is about: a model's name or digest, a job's id, a key's id, a tenant or a blob's name.</param>
/// <param name="Text">For people.</param>
/// <param name="Edge">Who says so.</param>
internal sealed record Notice(string Id, string Type, DateTime Timestamp, string Subject, string Text, string Edge);

/// <summary>A notice as it waits in storage.</summary>
/// <param name="Target">Whom it is for: <see cref="NoticeOutbox.TargetOf"/>.</param>
internal sealed record StoredNotice(string Target, Notice Notice);

internal static class NoticeTypes
{
    /// <summary>Jobs wait for a model that no worker holds or can take.</summary>
    public const string NoWorker = "model.no_worker";

    /// <summary>A job was set aside because of what its attempts came to.</summary>
    public const string Poison = "job.poison";

    /// <summary>A key or a tenant has come to a limit.</summary>
    public const string Quota = "quota.exceeded";

    /// <summary>A model has fewer copies than wished for, and more cannot be had.</summary>
    public const string Replication = "replication.stuck";

    /// <summary>A document of what was used was damaged and lies aside.</summary>
    public const string UsageDamaged = "usage.damaged";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Notice))]
[JsonSerializable(typeof(StoredNotice))]
internal sealed partial class NoticeJson : JsonSerializerContext;
