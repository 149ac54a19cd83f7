using OllamaMax.Models;

namespace OllamaMax.Storage.Models;

/// <summary>Names of the blobs in the container <see cref="Containers.Models"/>.</summary>
public static class ModelPaths
{
    public const string Manifests = "manifests/";

    /// <summary>Content by its digest: weights and configs.</summary>
    public static string Blob(string digest) => "blobs/" + ModelDigest.FileName(digest);

    /// <summary>The <see cref="ModelChunks"/> of a blob.</summary>
    public static string Chunks(string digest) => "chunks/" + ModelDigest.FileName(digest);

    public static string Manifest(ModelName name) => Manifests + name.ManifestPath;
}
