using Microsoft.Extensions.Logging;
using OllamaMax.Edge.Requests;
using OllamaMax.Models;
using OllamaMax.Models.Gguf;
using OllamaMax.Models.Vocabularies;
using OllamaMax.Storage.Models;

namespace OllamaMax.Edge.Cluster;

/// <summary>Vocabularies out of the published files, read when first asked for and kept while they are.</summary>
internal sealed partial class StoredVocabularies(ModelBlobs blobs, ILogger<StoredVocabularies> logger) : IVocabularySource
{
    /// <summary>Each takes up to some 50 MB.</summary>
    private const int MostKept = 4;

    private readonly Lock _lock = new();

    /// <summary>By digest, the one that was used last at the end.</summary>
    private readonly OrderedDictionary<string, Task<TokenCounter?>> _kept = [];

    public async ValueTask<TokenCounter?> FindAsync(ModelView model, CancellationToken cancellationToken)
    {
        Task<TokenCounter?> reading = Use(model.Weights);
        try
        {
            // Others wait for it too: one that leaves does not end it.
            return await reading.WaitAsync(cancellationToken);
        }
        catch (Exception e) when (e is CatalogException or GgufFormatException)
        {
            LogFailed(model.Name, e);
            Forget(model.Weights, reading);
            return null;
        }
    }

    private Task<TokenCounter?> Use(string digest)
    {
        lock (_lock)
        {
            if (!_kept.Remove(digest, out Task<TokenCounter?>? reading))
                reading = Task.Run(() => ReadAsync(digest));
            _kept.Add(digest, reading);
            if (_kept.Count > MostKept)
                _kept.RemoveAt(0);
            return reading;
        }
    }

    private async Task<TokenCounter?> ReadAsync(string digest) => TokenCounter.For(await blobs.ReadVocabularyAsync(digest, CancellationToken.None));

    /// <summary>The next request tries again.</summary>
    private void Forget(string digest, Task<TokenCounter?> reading)
    {
        lock (_lock)
        {
            if (_kept.TryGetValue(digest, out Task<TokenCounter?>? kept) && kept == reading)
                _kept.Remove(digest);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The vocabulary of {Model} could not be read; its tokens are estimated")]
    private partial void LogFailed(ModelName model, Exception exception);
}
