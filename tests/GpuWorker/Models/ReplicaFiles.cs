using OllamaMax.Models;

namespace OllamaMax.GpuWorker.Tests.Models;

/// <summary>Copies that tests put there themselves, under digests that are not theirs.</summary>
internal static class ReplicaFiles
{
    /// <summary>Path of the copy; write it, then list it.</summary>
    public static string PathOf(string folder, string digest) => Path.Combine(folder, ModelDigest.FileName(digest));

    /// <summary>Writes the list that makes a file a copy.</summary>
    public static void List(string folder, string digest)
    {
        string path = PathOf(folder, digest);
        byte[] content = File.ReadAllBytes(path);
        ModelChunks list = new()
        {
            Digest = digest,
            Size = content.Length,
            ChunkSize = ModelChunks.DefaultSize,
            Chunks = [.. content.Chunk(ModelChunks.DefaultSize).Select(piece => ModelDigest.Of(piece))],
        };
        File.WriteAllBytes(path + ".chunks", list.ToBytes());
    }
}
