using OllamaMax.Models;

namespace OllamaMax.Storage.Models;

/// <summary>What a name stands for, without the weights.</summary>
/// <param name="Name">As it stands in storage.</param>
/// <param name="Manifest">Names all that the model is made of.</param>
/// <param name="Blobs">Of that, what is small: the config, templates, licences.</param>
public sealed record ArchivedModel(ModelName Name, ModelManifest Manifest, IReadOnlyList<ArchivedBlob> Blobs);

/// <param name="Digest"><c>sha256:…</c> of the content.</param>
public sealed record ArchivedBlob(string Digest, ReadOnlyMemory<byte> Content);
