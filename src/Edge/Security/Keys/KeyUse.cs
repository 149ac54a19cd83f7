using System.Collections.Concurrent;
using Azure;
using Microsoft.Extensions.Logging;
using OllamaMax.Storage.Security;

namespace OllamaMax.Edge.Security.Keys;

/// <summary>Notes in storage when keys were used last; seldom, as that is to cost requests nothing.</summary>
internal sealed partial class KeyUse(KeyStore store, TimeProvider time, ILogger<KeyUse> logger)
{
    private static readonly TimeSpan NoteEvery = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<string, long> _noted = [];

    public void Note(string id)
    {
        long now = time.GetTimestamp();
        bool isNew = !_noted.TryGetValue(id, out long noted);
        if (!isNew && time.GetElapsedTime(noted, now) < NoteEvery)
            return;
        // Of several requests at once, one notes it.
        if (isNew ? _noted.TryAdd(id, now) : _noted.TryUpdate(id, now, noted))
            _ = MarkAsync(id);
    }

    private async Task MarkAsync(string id)
    {
        try
        {
            await store.MarkUsedAsync(id, CancellationToken.None);
        }
        catch (Exception e) when (e is RequestFailedException or AggregateException)
        {
            LogNotNoted(e, id);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "It could not be noted that key {Id} was used")]
    private partial void LogNotNoted(Exception exception, string id);
}
