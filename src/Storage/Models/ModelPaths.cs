using OllamaMax.Models;

namespace OllamaMax.Storage.Models;

/// <summary>Names of the blobs in the container <see cref="Containers.Models"/>.</summary>
public static class ModelPaths
{
    public const string Manifests = "manifests/";

    internal const string Blobs = "blobs/";

    internal const string ChunkLists = "chunks/";

    internal const string Partials = "partial/";

    internal const string Uploads = "uploads/";

    /// <summary>Content by its digest: weights and configs.</summary>
    public static string Blob(string digest) => Blobs + ModelDigest.FileName(digest);

    /// <summary>The <see cref="ModelChunks"/> of a blob.</summary>
    public static string Chunks(string digest) => ChunkLists + ModelDigest.FileName(digest);

    /// <summary>A download on its way (<see cref="StagedBlobs"/>).</summary>
    internal static string Partial(string key) => Partials + key;

    /// <summary>What a client writes by itself (<see cref="UploadedBlobs"/>).</summary>
    internal static string Upload(string digest) => Uploads + ModelDigest.FileName(digest);

    public static string Manifest(ModelName name) => Manifests + name.ManifestPath;
}
