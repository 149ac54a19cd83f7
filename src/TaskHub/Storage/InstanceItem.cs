using System.Globalization;
using Azure.Storage.Blobs.Models;
using Microsoft.DurableTask.Client;
using OllamaMax.TaskHub.Instances;

namespace OllamaMax.TaskHub.Storage;

/// <summary>What a list tells of an orchestration; a document's metadata.</summary>
/// <param name="IsOpen">As <see cref="InstanceRecord.IsOpen"/>.</param>
/// <param name="Tag">As <see cref="TagOf"/> makes it.</param>
internal sealed record InstanceItem(
    string Id, string Name, OrchestrationRuntimeStatus Status, bool IsOpen, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, string Tag)
{
    public static Dictionary<string, string> Metadata(InstanceRecord record) => new()
    {
        ["name"] = Uri.EscapeDataString(record.Name),
        ["status"] = record.Status.ToString(),
        ["open"] = record.IsOpen ? "true" : "false",
        ["created"] = record.CreatedAt.ToString("O", CultureInfo.InvariantCulture),
        ["updated"] = record.UpdatedAt.ToString("O", CultureInfo.InvariantCulture),
    };

    /// <summary>An ETag to compare: listings write them without the quotes that answers have.</summary>
    public static string TagOf(Azure.ETag etag) => etag.ToString().Trim('"');

    /// <summary>Null where it is no document of ours.</summary>
    public static InstanceItem? Read(string id, BlobItem blob)
    {
        IDictionary<string, string> metadata = blob.Metadata;
        return metadata.TryGetValue("name", out string? name)
            && metadata.TryGetValue("status", out string? text)
            && Enum.TryParse(text, out OrchestrationRuntimeStatus status)
            && metadata.TryGetValue("open", out string? open)
            && TryTime(metadata, "created", out DateTimeOffset createdAt)
            && TryTime(metadata, "updated", out DateTimeOffset updatedAt)
            ? new(id, Uri.UnescapeDataString(name), status, open == "true", createdAt, updatedAt, TagOf(blob.Properties.ETag ?? default))
            : null;
    }

    private static bool TryTime(IDictionary<string, string> metadata, string name, out DateTimeOffset time)
    {
        time = default;
        return metadata.TryGetValue(name, out string? text)
            && DateTimeOffset.TryParseExact(text, "O", CultureInfo.InvariantCulture, DateTimeStyles.None, out time);
    }
}
