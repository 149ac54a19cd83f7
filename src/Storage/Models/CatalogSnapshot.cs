using System.Collections.Frozen;
using Azure;
using OllamaMax.Models;

namespace OllamaMax.Storage.Models;

/// <summary>The catalogue as it was at one moment.</summary>
internal sealed class CatalogSnapshot(long takenAt, IEnumerable<KeyValuePair<ModelName, CatalogEntry>> entries)
{
    private readonly FrozenDictionary<ModelName, CatalogEntry> _entries = entries.ToFrozenDictionary();

    /// <summary>The time provider's timestamp from before storage was asked.</summary>
    public long TakenAt => takenAt;

    /// <summary>Newest first, as Ollama lists them.</summary>
    public IReadOnlyList<ModelView> Models { get; } =
    [
        .. entries.Select(e => e.Value.View).OfType<ModelView>()
            .OrderByDescending(v => v.ModifiedAt).ThenBy(v => v.Name.FullName, StringComparer.Ordinal),
    ];

    /// <summary>Names of what cannot be read.</summary>
    public IReadOnlyList<ModelName> Unreadable { get; } = [.. entries.Where(entry => entry.Value.View is null).Select(entry => entry.Key)];

    public ModelView? Find(ModelName name) => FindEntry(name)?.View;

    public CatalogEntry? FindEntry(ModelName name) => _entries.GetValueOrDefault(name);
}

/// <param name="Name">In the case it stands in: names differ by more than case.</param>
/// <param name="ETag">Of the manifest that this was read from.</param>
/// <param name="View">Null where the manifest or its config cannot be read: it is not tried again until the manifest changes.</param>
internal sealed record CatalogEntry(ModelName Name, ETag ETag, ModelView? View);
