namespace OllamaMax.Edge.Requests;

/// <summary>What workers hold in memory.</summary>
internal interface ILoadedModels
{
    ValueTask<IReadOnlyList<LoadedModel>> ListAsync(CancellationToken cancellationToken);
}

/// <param name="Weights">Digest of the GGUF, <c>sha256:…</c>.</param>
/// <param name="Size">Bytes it takes in memory, of a GPU or not.</param>
/// <param name="SizeVram">Bytes of these that are a GPU's.</param>
/// <param name="ContextLength">Tokens of context a slot has.</param>
/// <param name="ExpiresAt">When it will be unloaded; null: it stays.</param>
internal sealed record LoadedModel(string Weights, long Size, long SizeVram, int ContextLength, DateTimeOffset? ExpiresAt);
